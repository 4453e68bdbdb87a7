"""The former version, for comparison: its own code out of this repository's history, loaded beside today's.

It is what the ledger client and the kernel are held against. Both versions have modules of the same names, so
that the former one's are taken out of `sys.modules` again when it has been loaded.
"""

import asyncio
import importlib
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

ROOT = Path(__file__).parents[2]
COMMIT = "81d50ba"
"""The last commit before one ledger client served both reconciler and console."""
LOOP = asyncio.new_event_loop()
"""One for all that is measured: making one takes as long as reading many transactions."""
_PATHS = ("shared/offer_lifecycle/src", "shared/order_events/src", "services/reconciler/src")
_PACKAGES = {"offer_lifecycle", "order_events", "reconciler"}


class FormerVersion:
    """Reads, folds and explains as the former version did."""

    def __init__(self, source: Path) -> None:
        """Load it from its source tree."""
        todays = {name: module for name, module in sys.modules.items() if _ours(name)}
        paths = sys.path[:]
        for name in todays:
            del sys.modules[name]
        sys.path[:0] = [str(source / path) for path in _PATHS]
        try:
            self._kernel: Any = importlib.import_module("offer_lifecycle")
            self._answers: Any = importlib.import_module("reconciler.adapters.answers")
            self._queries: Any = importlib.import_module("reconciler.service.queries")
            self._whole: Any = importlib.import_module("reconciler.service.whole_ledgers")
            for kind in (self._whole._Proof, self._whole._Expanded):  # noqa: SLF001 - its types name each other
                msgspec.json.Decoder(kind)
        finally:
            sys.path[:] = paths
            for name in [name for name in sys.modules if _ours(name)]:
                del sys.modules[name]
            sys.modules.update(todays)
        self._reserves = self._kernel.Reserves(base=20_000_000, increment=5_000_000)

    async def read_account(self, account: str, payload: bytes, last: int) -> list[Any]:
        """Read an account's history out of one answer to `account_tx`."""
        server = _Canned(self._answers, {False: payload})
        found = await self._queries.account_history(server, account, 1, last)
        return [one.transaction for one in found]

    def read_whole(self, ledger_index: int, rows: bytes, blobs: bytes, accounts: Sequence[str]) -> list[Any]:
        """Read a whole ledger, proven, and return each account's transactions."""
        whole = self._read_whole(ledger_index, rows, blobs)
        return [[self._kernel.normalise(row) for row in whole.of(account)] for account in accounts]

    def whole_rows(self, ledger_index: int, rows: bytes, blobs: bytes) -> Sequence[bytes]:
        """Read a whole ledger, proven, and return its transactions, each in JSON."""
        read: Sequence[bytes] = self._read_whole(ledger_index, rows, blobs).rows
        return read

    def _read_whole(self, ledger_index: int, rows: bytes, blobs: bytes) -> Any:  # noqa: ANN401 - its own type
        server = _Canned(self._answers, {False: rows, True: blobs})
        return LOOP.run_until_complete(self._whole.read_whole(server, ledger_index))

    def fold(self, account: str, transactions: Iterable[Any]) -> int:
        """Fold an account's transactions, ledger by ledger, and return how many events came out."""
        state, events = None, 0
        for ledger_index, group in groupby(transactions, key=lambda tx: tx.ledger_index):
            state = state or self._kernel.begin(
                network_id=0, account=account, header=self._header(ledger_index - 1)
            )
            facts = self._kernel.LedgerFacts(
                header=self._header(ledger_index), reserves=self._reserves, transactions=tuple(group)
            )
            outcome = self._kernel.fold(state, facts)
            state.apply(outcome)
            events += len(outcome.events)
        return events

    def explain(self, record: Any, accounts: frozenset[str] | None = None) -> list[str]:  # noqa: ANN401 - JSON
        """Read a transaction, say of every offer that it deleted why, and return whose those were."""
        tx = self._kernel.normalise(record, ledger_index=1)
        found = self._kernel.removals(tx, self._header(1), self._reserves, accounts=accounts)
        return [change.account for change, _ in found]

    def _header(self, ledger_index: int) -> object:
        return self._kernel.Header(
            ledger_index=ledger_index,
            ledger_hash="",
            parent_hash="",
            close_time=4 * ledger_index,
            parent_close_time=4 * ledger_index - 4,
        )


def former_version() -> FormerVersion:
    """Return the former version.

    Raises:
        SystemExit: this checkout does not have its commit.

    """
    with tempfile.TemporaryDirectory() as directory:
        archive = Path(directory) / "former.tar"
        command = ["git", "-C", str(ROOT), "archive", "--output", str(archive), COMMIT, *_PATHS]
        if subprocess.run(command, check=False).returncode:
            raise SystemExit(
                f"expected commit {COMMIT} in this repository, to measure beside it, found none: "
                "fetch the whole history (git fetch --unshallow)"
            )
        subprocess.run(["tar", "-xf", str(archive), "-C", directory], check=True)
        return FormerVersion(Path(directory))


class _Canned:
    """A server whose answers are there already: by whether they are asked for as blobs."""

    name = "canned"

    def __init__(self, answers: ModuleType, payloads: Mapping[bool, bytes]) -> None:
        self._answers = answers
        self._payloads = payloads

    async def request(self, method: str, /, **params: object) -> object:
        payload = self._payloads[bool(params.get("binary"))]
        return self._answers.result_of(self.name, method, self._answers.decode(self.name, payload))


def _ours(module: str) -> bool:
    return module.partition(".")[0] in _PACKAGES
