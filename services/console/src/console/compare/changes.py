"""What booked and real trades do to the position, and by how much the two differ."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

import msgspec

from console.compare.books import BookOrder
from console.compare.ledger import LedgerFill, LedgerOrder
from console.compare.matching import FillMatch, Match
from offer_lifecycle import EXACT, ZERO, exact_sum
from order_events import Side

Change = tuple[Decimal, Decimal]
"""Of the position: (base, quote)."""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """An order of the ledger with all that the book says of it."""

    book: BookOrder | None
    """None: the book has fills of it alone."""
    ledger: LedgerOrder
    fills: Sequence[FillMatch]
    """Booked on it."""
    missed: Sequence[LedgerFill]

    @property
    def wrong_account(self) -> bool:
        """Whether the book has it under another account."""
        account = self.book.account if self.book is not None else None
        return account is not None and account != self.ledger.account

    @property
    def booked_side(self) -> Side | None:
        """The side that the book says: the order's, else its fills'."""
        if self.book is not None and self.book.side is not None:
            return self.book.side
        return next((match.fill.side for match in self.fills if match.fill.side is not None), None)

    @property
    def ledger_totals(self) -> Change:
        """What the ledger's order has traded, in base and quote."""
        fills = self.ledger.fills
        return exact_sum(fill.base for fill in fills), exact_sum(fill.quote for fill in fills)


def signed(side: Side | None, base: Decimal, quote: Decimal) -> Change:
    """Return what a trade does to the position."""
    return (base, -quote) if side is Side.BUY else (-base, quote)


def booked_change(match: FillMatch) -> Change:
    """Return what a booked fill does to the book's position."""
    order_side = match.book.side if match.book is not None else None
    ledger_side = match.ledger.side if match.ledger is not None else None
    return signed(match.fill.side or order_side or ledger_side, match.fill.base, match.fill.quote)


def change_of(match: FillMatch) -> Change:
    """Return by how much the book's position differs by one booked fill."""
    base, quote = booked_change(match)
    if match.match not in {Match.SAME, Match.WRONG_ORDER} or match.happened is None or match.ledger is None:
        return base, quote
    happened = signed(match.ledger.side, match.happened.base, match.happened.quote)
    return EXACT.subtract(base, happened[0]), EXACT.subtract(quote, happened[1])


def missed_change(order: LedgerOrder, fills: Iterable[LedgerFill]) -> Change:
    """Return by how much the book's position differs for lack of fills."""
    changes = [signed(order.side, fill.base, fill.quote) for fill in fills]
    return -exact_sum(base for base, _ in changes), -exact_sum(quote for _, quote in changes)


def added(changes: Iterable[Change]) -> Change:
    """Return the sum of changes."""
    listed = list(changes)
    return exact_sum(base for base, _ in listed), exact_sum(quote for _, quote in listed)


def totals_change(case: Case) -> Change:
    """Return by how much the position differs by what the book says that an order has traded altogether."""
    if case.book is None or case.book.traded is None or case.fills:
        return ZERO, ZERO
    booked = signed(case.booked_side or case.ledger.side, case.book.traded.base, case.book.traded.quote)
    happened = signed(case.ledger.side, *case.ledger_totals)
    return EXACT.subtract(booked[0], happened[0]), EXACT.subtract(booked[1], happened[1])
