"""What of the session the node has by now: closed ledgers, the validated one, holes, and their hashes."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

from replay_node.errors import RpcError
from replay_node.forged_chain import ForgedChain
from replay_node.keys import half_sha512

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replay_node.faults import Faults
    from replay_node.session import Json, RecordedLedger

_HASH_LENGTH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """The ledger that a request means, and the fields with which the answer names it.

    The open ledger ("current") shows the state of the validated one: the session recorded nothing between.
    """

    ledger: RecordedLedger
    fields: Json
    is_open: bool


class Chain:
    """The recorded ledgers as they close one after the other. Nothing unclosed can be had from here."""

    def __init__(self, ledgers: Sequence[RecordedLedger], faults: Faults) -> None:
        self._ledgers = ledgers
        self._faults = faults
        self._closed = 0
        self.shown = ForgedChain(ledgers, faults)

    @property
    def first_index(self) -> int:
        """Return the first recorded ledger's index."""
        return self._ledgers[0].ledger_index

    @property
    def last_index(self) -> int:
        """Return the last recorded ledger's index, closed or not."""
        return self._ledgers[-1].ledger_index

    @property
    def ledgers(self) -> Sequence[RecordedLedger]:
        """Return the closed ledgers as the server shows them, oldest first."""
        return self.shown.closed(self._place())

    @property
    def validated(self) -> RecordedLedger:
        """Return the last ledger that the node knows to be validated."""
        return self.ledgers[-1]

    @property
    def current_index(self) -> int:
        """Return the open ledger's index."""
        return self.validated.ledger_index + 1

    def close_next(self) -> RecordedLedger | None:
        """Close one more ledger; return the one that became validated by it, None where none did."""
        before = self._place()
        self._closed = min(self._closed + 1, len(self._ledgers) - 1)
        return self.validated if self._place() > before else None

    def at(self, ledger_index: int) -> RecordedLedger | None:
        """Return the closed ledger with an index, as the server shows it; None: it shows none."""
        ledgers = self.ledgers
        place = bisect_left(ledgers, ledger_index, key=lambda ledger: ledger.ledger_index)
        found = ledgers[place] if place < len(ledgers) else None
        return found if found is not None and found.ledger_index == ledger_index else None

    def _place(self) -> int:
        return max(0, self._closed - self._faults.lag)

    def has(self, ledger_index: int) -> bool:
        """Say whether the server claims the ledger: closed, and in no hole."""
        return self.first_index <= ledger_index < self.current_index and not self._faults.lacks(ledger_index)

    def ranges(self) -> list[tuple[int, int]]:
        """Return the (first, last) ranges of ledgers that the server claims."""
        whole = (self.first_index, self.validated.ledger_index)
        if self._faults.hole is None:
            return [whole]
        first, last = self._faults.hole
        below, above = (whole[0], min(whole[1], first - 1)), (max(whole[0], last + 1), whole[1])
        return [part for part in (below, above) if part[0] <= part[1]]

    def complete_ledgers(self) -> str:
        """Return the ranges as the server writes them, `empty` where there is none."""
        parts = [f"{first}-{last}" if first != last else str(first) for first, last in self.ranges()]
        return ",".join(parts) or "empty"

    def hash_of(self, ledger: RecordedLedger) -> str:
        """Return the ledger's hash on the chain that the server follows."""
        return self._seen(ledger.header["ledger_hash"])

    def header(self, ledger: RecordedLedger) -> Json:
        """Return the ledger's header on the chain that the server follows."""
        hashes = {name: self._seen(ledger.header[name]) for name in ("ledger_hash", "parent_hash")}
        return ledger.header | hashes

    def _seen(self, ledger_hash: str) -> str:
        return _other(ledger_hash) if self._faults.other_chain else ledger_hash

    def lookup(self, params: Json) -> Lookup:
        """Find the ledger that a request names by `ledger_hash`, `ledger_index` or the older `ledger`.

        Raises:
            RpcError: `lgrNotFound`, or `invalidParams` where the name is none.

        """
        named_hash, named_index = params.get("ledger_hash"), params.get("ledger_index")
        if "ledger" in params:
            is_hash = len(str(params["ledger"])) == _HASH_LENGTH
            named_hash, named_index = (params["ledger"], None) if is_hash else (None, params["ledger"])
        if named_hash is not None:
            return self._closed_ledger(self._of_hash(named_hash))
        if named_index in (None, "", "current"):
            fields = {"ledger_current_index": self.current_index, "validated": False}
            return Lookup(ledger=self.validated, fields=fields, is_open=True)
        if named_index in ("validated", "closed"):
            return self._closed_ledger(self.validated)
        return self._of_index(named_index)

    def _of_index(self, named_index: object) -> Lookup:
        text = str(named_index)
        if isinstance(named_index, (bool, float)) or not text.isdecimal():
            raise RpcError("invalidParams", "ledgerIndexMalformed")
        if int(text) == self.current_index:
            return self.lookup({})
        return self._closed_ledger(self.at(int(text)))

    def _of_hash(self, named_hash: object) -> RecordedLedger | None:
        if not isinstance(named_hash, str):
            raise RpcError("invalidParams", "ledgerHashNotString")
        if len(named_hash) != _HASH_LENGTH or set(named_hash.upper()) - set("0123456789ABCDEF"):
            raise RpcError("invalidParams", "ledgerHashMalformed")
        wanted = named_hash.upper()
        return next((one for one in self.ledgers if self.hash_of(one) == wanted), None)

    def _closed_ledger(self, ledger: RecordedLedger | None) -> Lookup:
        if ledger is None or not self.has(ledger.ledger_index):
            raise RpcError("lgrNotFound")
        fields = {
            "ledger_hash": self.hash_of(ledger),
            "ledger_index": ledger.ledger_index,
            "validated": True,
        }
        return Lookup(ledger=ledger, fields=fields, is_open=False)


def _other(ledger_hash: str) -> str:
    return half_sha512(b"another chain" + bytes.fromhex(ledger_hash))
