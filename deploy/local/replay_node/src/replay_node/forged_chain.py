"""The session's ledgers as the server shows them: true, or with the lies that its faults name.

Lies about transactions leave hashes and blobs as they are, so the server's own bytes contradict what it shows
as JSON; with `rehash` all hashes are computed anew: a chain of its own, in which nothing contradicts another.
Invented ledgers follow the newest one that had closed when the server began to invent some.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from replay_node.blobs import header_blob, transaction_blobs, transaction_tree_root
from replay_node.forgery import forged, repeated, with_transactions
from replay_node.keys import half_sha512

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replay_node.faults import Faults
    from replay_node.forgery import Forgery
    from replay_node.session import RecordedLedger

_HEADER = b"LWR\0"
_SECONDS_APART = 10
"""Between the close times of two invented ledgers."""
_MOST_TRANSACTIONS = 4
"""Of an invented ledger: each repeats one of the session that touched an offer."""


class _Lie(NamedTuple):
    """What of the faults decides how the ledgers are shown."""

    forge: Forgery
    forge_from: int
    rehash: bool
    invented_after: int | None
    invent: int
    stale: int

    @classmethod
    def of(cls, faults: Faults, invented_after: int | None) -> _Lie:
        """Return the lie that the faults name."""
        return cls(
            faults.forge, faults.forge_from, faults.rehash, invented_after, faults.invent, faults.stale
        )

    @property
    def of_hashes(self) -> _Lie:
        """The lie without what changes no hash of a ledger."""
        return self._replace(invent=0, stale=0)


class ForgedChain:
    """The ledgers of a session, as many as have closed, as the server shows them now."""

    def __init__(self, recorded: Sequence[RecordedLedger], faults: Faults) -> None:
        """`faults`: what is read of them are the lies; they may change at any time."""
        self._recorded = recorded
        self._faults = faults
        self._invented_after: int | None = None
        """The place of the newest ledger when the server began to invent some; None: it does not."""
        self._made: dict[_Lie, list[RecordedLedger]] = {}
        self._shown: tuple[_Lie, int, list[RecordedLedger]] | None = None

    @property
    def lies(self) -> bool:
        """Whether anything that it shows may not be so."""
        return bool(self._faults.forge or self._faults.invent or self._faults.stale)

    def closed(self, newest: int) -> list[RecordedLedger]:
        """Return what the server shows when the ledger at place `newest` of the session has closed."""
        if not self._faults.invent:
            self._invented_after = None
        elif self._invented_after is None:
            self._invented_after = newest
        lie = _Lie.of(self._faults, self._invented_after)
        if self._shown is None or self._shown[:2] != (lie, newest):
            self._shown = lie, newest, self._closed(lie, newest + lie.invent)
        return self._shown[2]

    def is_true(self, ledger: RecordedLedger) -> bool:
        """Whether the ledger has the hash that the session has recorded."""
        place = bisect_left(self._recorded, ledger.ledger_index, key=lambda one: one.ledger_index)
        true = self._recorded[place].header["ledger_hash"] if place < len(self._recorded) else None
        return bool(true == ledger.header["ledger_hash"])

    def _closed(self, lie: _Lie, newest: int) -> list[RecordedLedger]:
        made = self._made.setdefault(lie.of_hashes, [])
        while len(made) <= newest:
            made.append(self._next(lie, made))
        first_stale = newest + 1 - min(lie.stale, newest)
        return made[:first_stale] + [with_transactions(one, ()) for one in made[first_stale : newest + 1]]

    def _next(self, lie: _Lie, made: Sequence[RecordedLedger]) -> RecordedLedger:
        """Return the ledger after those that are made."""
        place = len(made)
        if lie.invented_after is not None and place > lie.invented_after:
            return rehashed(self._invented(made), made[-1])
        true = self._recorded[place]
        lies = true.ledger_index >= lie.forge_from
        shown = forged(true, lie.forge, rehash=lie.rehash) if lies else true
        goes_on = shown is true and (not made or self.is_true(made[-1]))
        return shown if goes_on or not lie.rehash or not made else rehashed(shown, made[-1])

    def _invented(self, made: Sequence[RecordedLedger]) -> RecordedLedger:
        """Return a ledger after the last one; its transactions repeat some of the session by other hashes."""
        last = made[-1]
        index, closed = last.ledger_index + 1, int(last.header["close_time"]) + _SECONDS_APART
        header = last.header | {
            "ledger_index": index,
            "parent_close_time": last.header["close_time"],
            "close_time": closed,
        }
        some = tuple(islice(repeated(reversed(made), index), _MOST_TRANSACTIONS))
        empty = msgspec.structs.replace(last, ledger_index=index, header=header)
        return with_transactions(empty, some)


def rehashed(ledger: RecordedLedger, before: RecordedLedger) -> RecordedLedger:
    """Return the ledger with the hashes of what it shows, linked to the ledger before it."""
    root = transaction_tree_root([transaction_blobs(raw) for raw in ledger.transactions])
    parent = before.header["ledger_hash"]
    header = ledger.header | {"parent_hash": parent, "transaction_hash": root}
    header["ledger_hash"] = half_sha512(_HEADER + bytes.fromhex(header_blob(header)))
    return msgspec.structs.replace(ledger, header=header)
