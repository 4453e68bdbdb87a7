"""The snapshot check: the offers that a server lists must be those that the folded history left.

`account_offers`, pinned at the cursor, is another view of the same ledger. Where the two differ, one of
them is wrong, and the difference alone does not say which: it never makes a fill or a cancel. The server
is put aside. If the same difference shows again, on this or another server, then the history that was read
is incomplete: the order is marked so, and its end stays unresolved until the missing transaction is found.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import structlog

from ledger_client import LedgerServer, ProtocolViolation, Refused, listed_offers
from offer_lifecycle import AccountState, parse_amount
from reconciler.safety.slots import CheckSlots

_log = structlog.get_logger()

LEDGERS_BETWEEN = 256
"""About a quarter of an hour."""

Remaining = Mapping[int, tuple[Decimal, Decimal]]
"""By sequence, what is left of an offer: TakerGets and TakerPays, in drops or decimal tokens."""


class SnapshotDiffers(ProtocolViolation):
    """The server lists other offers than its history leaves on the book."""

    kind = "snapshot_differs"


class OfferDifference(msgspec.Struct, frozen=True):
    """One offer whose remaining amounts differ, as folded and as listed; None: not there."""

    sequence: int
    expected: tuple[Decimal, Decimal] | None
    found: tuple[Decimal, Decimal] | None

    def __str__(self) -> str:
        return f"offer {self.sequence}: expected {_as_text(self.expected)}, found {_as_text(self.found)}"


class SnapshotCheck:
    """One account's snapshot check: when it is due, and which differences are known."""

    def __init__(self, account: str, slots: CheckSlots) -> None:
        self._account = account
        self._slots = slots
        self._due_at = 0
        self._suspected: frozenset[OfferDifference] = frozenset()
        self._known: frozenset[OfferDifference] = frozenset()

    async def check_if_due(self, server: LedgerServer, state: AccountState) -> list[int]:
        """Check, if it is time to, and return the sequences of the orders that it has marked as incomplete.

        Raises:
            SnapshotDiffers: the first time that a difference shows.
            ServerError: as every request.

        """
        cursor = state.record.ledger_index
        if cursor < self._due_at or not self._slots.reserve(f"snapshot of {self._account}", cursor):
            return []
        try:
            rows = await listed_offers(server, self._account, cursor)
        except Refused as refusal:
            _log.info("no snapshot to check against", account=self._account, problem=str(refusal))
            self._put_off(cursor)
            return []
        incomplete = {order.sequence for order in state.orders.values() if order.missing}
        found = frozenset(
            one
            for one in differences(expected_remaining(state), _listed_remaining(server, rows))
            if one.sequence not in incomplete  # their history is known to be incomplete
        )
        new = found - self._known
        if new - self._suspected:
            self._suspected |= new
            raise SnapshotDiffers(
                server.name,
                f"account_offers at ledger {cursor}: {self._account}: {_first_few(new)}; "
                "its history and its snapshot contradict each other",
            )
        self._put_off(cursor)
        self._known |= new
        self._suspected = frozenset()
        return self._mark(state, new) if new else []

    def _put_off(self, cursor: int) -> None:
        """Spread the checks of many accounts over the ledgers."""
        first = not self._due_at
        offset = zlib.crc32(self._account.encode()) % LEDGERS_BETWEEN if first else 0
        self._due_at = cursor + LEDGERS_BETWEEN + offset

    def _mark(self, state: AccountState, new: Iterable[OfferDifference]) -> list[int]:
        _log.error(
            "history incomplete: what was read does not lead to what is on the book",
            account=self._account,
            ledger_index=state.record.ledger_index,
            offers=_first_few(new),
        )
        return state.mark_incomplete(
            [one.sequence for one in new], f"up to ledger {state.record.ledger_index}"
        )


def expected_remaining(state: AccountState) -> Remaining:
    """Return what is left of the orders that should be listed."""
    return {
        order.sequence: (order.gets_left, order.pays_left) for order in state.orders.values() if order.listed
    }


def differences(expected: Remaining, found: Remaining) -> list[OfferDifference]:
    """Return the offers that are not on both sides, or not with the same rest, by sequence."""
    return [
        OfferDifference(sequence, expected.get(sequence), found.get(sequence))
        for sequence in sorted(expected.keys() | found.keys())
        if expected.get(sequence) != found.get(sequence)
    ]


def _listed_remaining(
    server: LedgerServer, rows: Sequence[Mapping[str, Any]]
) -> dict[int, tuple[Decimal, Decimal]]:
    try:
        return {
            int(row["seq"]): (parse_amount(row["taker_gets"]).value, parse_amount(row["taker_pays"]).value)
            for row in rows
        }
    except (KeyError, TypeError, ValueError) as error:
        raise ProtocolViolation(server.name, f"account_offers: expected offers, found {error!r}") from error


def _as_text(rest: tuple[Decimal, Decimal] | None) -> str:
    return "none" if rest is None else f"{rest[0]} for {rest[1]}"


def _first_few(found: Iterable[OfferDifference]) -> str:
    by_sequence = sorted(found, key=lambda one: one.sequence)
    more = f" and {len(by_sequence) - 5} more" if len(by_sequence) > 5 else ""  # noqa: PLR2004
    return "; ".join(map(str, by_sequence[:5])) + more
