"""A book: the orders and fills that a trading engine has recorded, in one shape for all formats."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from console.compare.books.row_archive import RowArchive
from order_events import Side


class BookStatus(StrEnum):
    """How an order stands in the book. Formats have no word for some ends: all but these are one of them."""

    OPEN = "open"
    """Working, also where a part of it is filled."""
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REMOVED = "removed"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    """The book does not say, or in a word that is not known."""


class Row(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One row of the book."""

    archive: RowArchive
    kept: int
    """Its place in the archive."""
    number: int
    """Its number in the file or table."""

    @property
    def place(self) -> str:
        """How a message calls it: `line 12`."""
        return f"{self.archive.table} {self.number}"

    def shown(self) -> Mapping[str, str]:
        """Return the row's values as text, by column; empty ones are left out."""
        return self.archive.shown(self.kept)


class Pair(msgspec.Struct, frozen=True, gc=False):
    """The two assets of an order: `XRP`, `CODE.issuer`, or a bare `CODE` where the book names no issuer."""

    base: str
    quote: str

    def __str__(self) -> str:
        return f"{self.base}/{self.quote}"


class Totals(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the book says that an order has traded altogether, in units."""

    base: Decimal
    quote: Decimal


class BookOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order as the book has it. Quantities are in base, prices in quote per base, XRP in XRP."""

    row: Row
    id: str
    """The engine's own name for it, else what identifies it in the book."""
    account: str | None
    sequence: int | None
    """Sequence of its OfferCreate, or its ticket's number."""
    placed_tx: str | None
    """Hash of its OfferCreate, or the first digits of it."""
    pair: Pair | None
    side: Side | None
    quantity: Decimal | None
    price: Decimal | None
    status: BookStatus
    word: str
    """The book's own word for the status."""
    time: datetime | None
    """UTC."""
    traded: Totals | None = None
    """Where the format has no row for each fill."""


class BookFill(msgspec.Struct, frozen=True, kw_only=True):
    """A fill as the book has it, in units."""

    row: Row
    order: str | None
    """The `id` of its order; None where the format does not say."""
    account: str | None
    sequence: int | None
    """Of its order."""
    transaction: str | None
    """Hash of the transaction that traded, or the first digits of it."""
    trade_id: str | None
    """The engine's own name for it."""
    pair: Pair | None
    side: Side | None
    base: Decimal
    quote: Decimal
    time: datetime | None


class Precision(msgspec.Struct, frozen=True, kw_only=True):
    """What one is worth in the last place that the book keeps, read from the scale of its columns."""

    base: Decimal
    price: Decimal
    quote: Decimal | None
    """Of a column with the amount in quote; None: the book multiplies quantity by price."""
    order_price: Decimal
    floats: bool
    """Some column holds binary floating point: 15 digits count."""


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """What one column of the book was taken for."""

    table: str
    column: str
    taken_for: str
    unit: str
    filled: int
    """Rows in which it holds something."""


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """What was recognised in a book, and what the book can't tell."""

    format: str
    files: tuple[str, ...]
    digest: str
    """SHA-256 over the files."""
    columns: tuple[Column, ...]
    statuses: Mapping[str, str]
    """The book's words, and what they were taken for."""
    time_zone: str
    cannot_tell: tuple[str, ...]
    mapping: str
    """The same as a mapping file, to save and correct."""


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """All orders and fills of one book."""

    description: Description
    orders: Sequence[BookOrder]
    fills: Sequence[BookFill]
    precision: Precision
    has_fill_rows: bool
    """It keeps one row a fill; else only what each order has traded altogether."""
    keeps_rejected: bool
    """An order that the ledger refused leaves a row in this format."""
