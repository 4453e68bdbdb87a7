"""The evidence of an order's life, as a ledger server gives it: whole ledgers, headers between them, anchors.

Nothing here is believed by the check of the file that is made of it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import pairwise

import msgspec

from console.errors import HistoryMissing
from console.explain.history import read_back
from console.kept_votes import KeptVotes
from ledger_client import LedgerServer, Pinned, ProtocolViolation, ask_pinned, server_status
from ledger_proof import (
    BlobLedger,
    ProvenLedger,
    ProvenStep,
    Unproven,
    account_bytes,
    confirm_ledger,
    prove_blobs,
    read_header,
    steps_in,
)

LONGEST_CHAIN = 2_000
"""Headers between two steps. Where more would be needed, the first of the steps has an anchor of its own."""
_ANCHOR_WITHIN = 1_000
"""Ledgers after a step in which an anchor with kept validations is looked for."""
_LATER = 256
"""Ledgers after the last step of an open order, up to which the newest one is its anchor."""

Watch = Callable[[str, int, int], None]
"""Called as it is read: what, how many of it, of how many (0: not known)."""


class LifeEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """What a server has of an order's life."""

    steps: Sequence[ProvenStep]
    ledgers: Mapping[int, ProvenLedger]
    """Those of the steps, by index."""
    headers: Mapping[int, bytes]
    """By ledger index, from each step's ledger to its anchor."""
    anchors: Mapping[int, Sequence[bytes]]
    """The validations of each anchor, by its index; none where it hangs on its hash."""


async def gather_evidence(
    server: LedgerServer, account: str, sequence: int, votes: KeptVotes, watch: Watch
) -> LifeEvidence:
    """Read everything that proves an order's life up to the server's newest validated ledger.

    Raises:
        HistoryMissing: the server does not have the order's own transaction.
        ServerError: as every request.

    """
    newest = (await server_status(server)).validated
    history = await read_back(
        server, account, sequence, newest, lambda done, _: watch("transactions read", done, 0)
    )
    if history.placed is None:
        raise HistoryMissing(
            f"expected the transaction that used sequence {sequence} of {account}, found none in ledgers "
            f"{history.oldest}-{newest} of {server.name}: without it nothing is proved; `explain` says more"
        )
    reader = _LedgerReader(server, watch)
    touched = {tx.ledger_index for tx in history.transactions if tx.hash in history.touching}
    ledgers, steps = await reader.whole_ledgers(sorted(touched), account_bytes(account), sequence)
    closed = steps[-1].touching.kind in {"DeletedNode", None}
    indexes = sorted(ledgers)
    pauses = [before for before, after in pairwise(indexes) if after - before > LONGEST_CHAIN]
    anchors: dict[int, Sequence[bytes]] = {}
    for last in [*pauses, indexes[-1]]:
        goes_on = not closed and last == indexes[-1] and newest - last <= _LATER
        confirmed = await _confirmed_anchor(
            reader, range(last, min(newest, last + _ANCHOR_WITHIN) + 1), votes
        )
        anchors |= confirmed or {newest if goes_on else last: ()}
    await reader.read_headers(_between(indexes, sorted(anchors)))
    return LifeEvidence(steps=steps, ledgers=ledgers, headers=reader.headers, anchors=anchors)


async def _confirmed_anchor(
    reader: "_LedgerReader", ledgers: range, votes: KeptVotes
) -> Mapping[int, Sequence[bytes]]:
    """Return the first of these ledgers that kept validations confirm, with them; nothing: there is none."""
    for index in sorted(votes.validations):
        if index not in ledgers:
            continue
        header = read_header(await reader.header(index))
        own = votes.validations[index]
        in_force = [one for one in votes.lists if one.in_force(header.close_time)]
        if any(confirm_ledger(header, own, one, votes.manifests).confirmed for one in in_force):
            return {index: [validation.signed.blob for validation in own]}
    return {}


def _between(indexes: Sequence[int], anchors: Sequence[int]) -> set[int]:
    """Return the ledgers from each step's to its anchor."""
    ends = [next(anchor for anchor in anchors if anchor >= index) for index in indexes]
    return {one for index, end in zip(indexes, ends, strict=True) for one in range(index, end + 1)}


class _LedgerAnswer(Pinned, kw_only=True):
    ledger: BlobLedger


class _LedgerReader:
    """Headers and whole ledgers of a server, each asked for once."""

    def __init__(self, server: LedgerServer, watch: Watch) -> None:
        self.headers: dict[int, bytes] = {}
        self._server = server
        self._watch = watch

    async def whole_ledgers(
        self, indexes: Sequence[int], account: bytes, sequence: int
    ) -> tuple[dict[int, ProvenLedger], list[ProvenStep]]:
        """Return those of the ledgers that hold a step of the order's life, and the steps."""
        ledgers: dict[int, ProvenLedger] = {}
        steps: list[ProvenStep] = []
        for done, index in enumerate(indexes, start=1):
            answer = await self._ask(index, transactions=True)
            try:
                ledger = prove_blobs(answer.ledger)
                found = list(steps_in(ledger, account, sequence))
            except Unproven as error:
                raise ProtocolViolation(self._server.name, f"ledger {index}: {error}") from error
            if found:
                ledgers[index] = ledger
                steps += found
                self.headers[index] = bytes.fromhex(answer.ledger.ledger_data)
            self._watch("whole ledgers read", done, len(indexes))
        if not steps:
            raise ProtocolViolation(
                self._server.name,
                f"ledgers {indexes}: expected the order's own transaction, as in account_tx, found none",
            )
        return ledgers, steps

    async def read_headers(self, indexes: Collection[int]) -> None:
        """Read the headers of these ledgers."""
        for done, index in enumerate(sorted(indexes), start=1):
            await self.header(index)
            self._watch("headers read", done, len(indexes))

    async def header(self, index: int) -> bytes:
        """Return the header of a validated ledger."""
        if index not in self.headers:
            answer = await self._ask(index, transactions=False)
            try:
                header = bytes.fromhex(answer.ledger.ledger_data)
                read_header(header)
            except ValueError as error:
                raise ProtocolViolation(self._server.name, f"ledger {index}: {error}") from error
            self.headers[index] = header
        return self.headers[index]

    async def _ask(self, index: int, *, transactions: bool) -> _LedgerAnswer:
        return await ask_pinned(
            self._server,
            "ledger",
            _LedgerAnswer,
            ledger_index=index,
            transactions=transactions,
            expand=True,
            binary=True,
        )
