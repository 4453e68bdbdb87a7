"""When two amounts are the same: within the book's own precision, rounded, or off."""

from decimal import Decimal
from enum import StrEnum

import msgspec

from console.compare.books.book import BookFill, Precision
from console.compare.ledger import LedgerFill
from offer_lifecycle import RATIO, ZERO

ROUNDED_SHARE = Decimal("0.00001")
"""Of the ledger's amount: a difference of so much is rounding, whatever the book's columns could hold."""
ROUNDED_LEAST = Decimal("0.000001")
"""In units: a difference of so much is rounding (of XRP: one drop)."""
_FLOAT_SHARE = Decimal("1e-14")
_DERIVED_SHARE = Decimal("1e-30")
"""What a product with a price of 34 digits is itself rounded by."""


class Closeness(StrEnum):
    """How a book's amount lies to the ledger's."""

    EQUAL = "equal"
    """Within what the book's columns can hold."""
    ROUNDED = "rounded"
    """Cut or rounded to fewer digits than the column holds: no fault, counted apart."""
    OFF = "off"


class FillCloseness(msgspec.Struct, frozen=True, kw_only=True):
    """How a fill's two amounts lie to the ledger's."""

    base: Closeness
    quote: Closeness

    @property
    def same(self) -> bool:
        """Whether neither is off."""
        return Closeness.OFF not in {self.base, self.quote}

    @property
    def rounded(self) -> bool:
        """Whether one was rounded, and none is off."""
        return self.same and Closeness.ROUNDED in {self.base, self.quote}


class Measure:
    """Holds amounts of one book against the ledger's."""

    def __init__(self, precision: Precision) -> None:
        """`precision`: what the book's columns can hold."""
        self._precision = precision

    def fill(self, booked: BookFill, happened: LedgerFill) -> FillCloseness:
        """Hold a booked fill against a fill of the ledger."""
        return self.amounts(booked.base, booked.quote, happened.base, happened.quote)

    def amounts(
        self, booked_base: Decimal, booked_quote: Decimal, base: Decimal, quote: Decimal
    ) -> FillCloseness:
        """Hold two amounts against those of the ledger."""
        close = _close(booked_base, base, self._precision.base, self._noise(base))
        if not base and not booked_base and self._precision.quote is None:
            # Something for nothing, as happens with assets that can't be divided: no price says so
            return FillCloseness(base=close, quote=Closeness.ROUNDED if quote else Closeness.EQUAL)
        return FillCloseness(
            base=close,
            quote=_close(booked_quote, quote, self._quote_unit(booked_base, base, quote), self._noise(quote)),
        )

    def _quote_unit(self, booked_base: Decimal, base: Decimal, quote: Decimal) -> Decimal:
        """Return what a right amount in quote differs by less than, the book's columns being as they are."""
        if self._precision.quote is not None:
            return self._precision.quote
        price = RATIO.divide(quote, base) if base else ZERO
        # The book multiplies a quantity and a price, each cut to its column
        return base * self._precision.price + price * abs(booked_base - base)

    def order(self, booked: Decimal | None, placed: Decimal | None, unit: Decimal) -> bool:
        """Whether an order's quantity or price can be the ledger's; what is not known can be."""
        if booked is None or placed is None:
            return True
        return _close(booked, placed, unit, self._noise(placed)) is not Closeness.OFF

    def _noise(self, amount: Decimal) -> Decimal:
        """Return what the arithmetic itself rounds an amount by: the engine's, and ours."""
        return abs(amount) * (_FLOAT_SHARE if self._precision.floats else _DERIVED_SHARE)


def _close(booked: Decimal, amount: Decimal, unit: Decimal, noise: Decimal) -> Closeness:
    """Compare, where one in the column's last place is worth `unit`: a rounded number is off by less."""
    difference = abs(booked - amount)
    if difference <= noise or difference < unit - noise:
        return Closeness.EQUAL
    if difference <= max(ROUNDED_LEAST, abs(amount) * ROUNDED_SHARE):
        return Closeness.ROUNDED
    return Closeness.OFF
