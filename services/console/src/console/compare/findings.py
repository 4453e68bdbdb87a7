"""A finding: one cause by which book and ledger differ, with its second effects folded in."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec

from order_events import OrderStatus, RemovalReason, Side


class Kind(StrEnum):
    """Which way book and ledger differ."""

    PHANTOM_FILL = "phantom_fill"
    """A booked fill that never happened."""
    MISSED_FILL = "missed_fill"
    DOUBLE_BOOKING = "double_booking"
    FILL_ON_WRONG_ORDER = "fill_on_wrong_order"
    WRONG_SIDE = "wrong_side"
    WRONG_ACCOUNT = "wrong_account"
    AMOUNT_OFF = "amount_off"
    PRICE_OFF = "price_off"
    """The quantity is right, what was paid for it is not."""
    FILL_BOOKED_EARLY = "fill_booked_early"
    FILL_BOOKED_LATE = "fill_booked_late"
    ENDED_OTHERWISE = "ended_otherwise"
    OPEN_IN_BOOK_GONE_ON_LEDGER = "open_in_book_gone_on_ledger"
    UNKNOWN_ORDER = "unknown_order"
    """In the book, never on the ledger."""
    NOT_IN_BOOK = "not_in_book"
    """On the ledger, not in a book that holds every order of its scope."""


MEANINGS: Mapping[Kind, str] = {
    Kind.PHANTOM_FILL: "booked, and never happened",
    Kind.MISSED_FILL: "happened, and not booked",
    Kind.DOUBLE_BOOKING: "one fill booked twice",
    Kind.FILL_ON_WRONG_ORDER: "booked on another order than traded",
    Kind.WRONG_SIDE: "booked on the other side",
    Kind.WRONG_ACCOUNT: "booked under another account",
    Kind.AMOUNT_OFF: "amount differs",
    Kind.PRICE_OFF: "price differs",
    Kind.FILL_BOOKED_EARLY: "booked before its ledger closed",
    Kind.FILL_BOOKED_LATE: "booked long after its ledger closed",
    Kind.ENDED_OTHERWISE: "ended otherwise than booked",
    Kind.OPEN_IN_BOOK_GONE_ON_LEDGER: "open in the book, gone on the ledger",
    Kind.UNKNOWN_ORDER: "in the book, never on the ledger",
    Kind.NOT_IN_BOOK: "on the ledger, not in the book",
}


class BookSide(msgspec.Struct, frozen=True, kw_only=True):
    """What the book says."""

    order_id: str | None = None
    account: str | None = None
    sequence: int | None = None
    side: Side | None = None
    status: str | None = None
    """In the book's own word."""
    base: Decimal | None = None
    """Of the fill (of all fills, where the finding is about the order), in units."""
    quote: Decimal | None = None
    time: datetime | None = None
    trade_id: str | None = None
    rows: tuple[tuple[str, Mapping[str, str]], ...] = ()
    """(place, values) of the rows concerned."""


class LedgerSide(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger says; all null where it knows nothing."""

    account: str | None = None
    sequence: int | None = None
    side: Side | None = None
    status: OrderStatus | None = None
    reason: RemovalReason | None = None
    removed_by: str | None = None
    base: Decimal | None = None
    quote: Decimal | None = None
    ledger_index: int | None = None
    time: datetime | None = None


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """By how much the book's position of one asset differs: book less ledger, in units."""

    asset: str
    value: Decimal


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One cause. Amounts are decimals in units of their asset (XRP in XRP)."""

    id: str
    """Derived from what was found: another run over the same book and ledgers gives the same."""
    kind: Kind
    effects: tuple[Kind, ...] = ()
    """What else it shows as."""
    account: str
    sequence: int | None
    """Of the order that it is about, on the ledger where the ledger has it."""
    placed_tx: str | None
    transaction: str | None
    """Of the fill concerned, else what ended the order; null: none."""
    pair: str
    base: str
    """Asset."""
    quote: str
    side: Side | None
    book: BookSide
    ledger: LedgerSide
    position: tuple[Position, ...]
    worth: Decimal
    """What is wrong by it, valued in `quote` at the fill's (the order's) price."""
    time: datetime | None
    """When it happened on the ledger, else when it was booked."""
    cause: str | None
    """Why the order ended, by the ledger."""
    age_seconds: int | None
    """From the order's placement to its end."""
    distance_bps: Decimal | None = None
    """The order's price from the market's mid, positive away from it."""
    why_no_distance: str | None = None
    explain: str | None
    """The command that shows the order's life; null: the ledger knows no such order."""
    text: str
    """One sentence."""


class NotChecked(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the book that the ledgers read can say nothing of."""

    what: str
    order_id: str | None
    row: str
    why: str


def finding_id(kind: Kind, *facts: object) -> str:
    """Return the name of a finding: the same facts, the same name."""
    text = "|".join(str(fact) for fact in (kind, *facts))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def as_json(finding: Finding) -> dict[str, Any]:
    """Return a finding as `--json` prints it."""
    built: dict[str, Any] = msgspec.to_builtins(finding)
    return built
