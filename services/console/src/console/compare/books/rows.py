"""From rows to orders and fills, by a layout."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from pathlib import Path
from sys import intern

from console.compare.books.book import BookFill, BookOrder, BookStatus, Column, Pair, Row, Totals
from console.compare.books.layout import STATUS_WORDS, TableLayout
from console.compare.books.row_archive import RowArchive
from console.compare.books.sources import Table
from console.compare.books.values import decimals, empty, moment, number, side_of
from console.compare.errors import BadBook, BadMapping
from offer_lifecycle import EXACT
from order_events import Side

_PAIR_MARKS = re.compile(r"\s*[/_:-]\s*")
_LARGEST_SEQUENCE = 2**32 - 1
_UNITS: Mapping[str, str] = {
    "quantity": "base", "price": "quote per base", "quote_quantity": "quote", "traded_quantity": "base",
    "traded_price": "quote per base", "traded_quote": "quote", "time": "UTC",
}  # fmt: skip

Fields = dict[str, object]


class RowReader:
    """Reads the fields of one table's rows."""

    def __init__(
        self,
        path: Path,
        table: Table,
        layout: TableLayout,
        zone: tzinfo | None,
        said: Mapping[str, str | None],
    ) -> None:
        """`said`: what holds where a row names no account or pair."""
        self.zone = zone
        self.floats = False
        self._path = path
        self._table = table
        self._archive = RowArchive(table.name, table.columns)
        self._scales = layout.scales
        self._said = said
        at = {name: place for place, name in enumerate(table.columns)}
        fields = {field: name.removesuffix("?") for field, name in layout.fields.items()}
        self._fields = {field: (name, at[name]) for field, name in fields.items() if name in at}
        self._patterns = [(name, at[name], re.compile(pattern)) for name, pattern in layout.patterns.items()]
        self._pairs: dict[tuple[object, object], Pair] = {}
        self._filled: Counter[int] = Counter()
        self._known = {
            *self._fields,
            *(name for _, _, pattern in self._patterns for name in pattern.groupindex),
        }
        self._decimals: Counter[str] = Counter()
        places = (*(place for _, place in self._fields.values()), *(place for _, place, _ in self._patterns))
        self._places = tuple(dict.fromkeys(places))

    def has(self, field: str) -> bool:
        """Whether the layout knows a column for the field."""
        return field in self._known

    def unit(self, field: str) -> Decimal:
        """Return what one is worth in the last place that the field's column keeps; read the rows first."""
        return Decimal(1).scaleb(-self._decimals[field])

    def columns(self) -> Iterator[Column]:
        """Say which columns were taken for what."""
        for field, (name, place) in self._fields.items():
            yield self._column(name, place, field, self._unit_text(field, name))
        for name, place, pattern in self._patterns:
            yield self._column(name, place, ", ".join(pattern.groupindex), "")

    def _column(self, name: str, place: int, taken_for: str, unit: str) -> Column:
        table = self._table.name.removesuffix(" row") if self._table.name != "line" else self._path.name
        return Column(table=table, column=name, taken_for=taken_for, unit=unit, filled=self._filled[place])

    def _unit_text(self, field: str, name: str) -> str:
        unit = _UNITS.get(field, "")
        scale = self._scales.get(name)
        return f"{unit} x {scale:f} where it is a whole number" if scale is not None and unit else unit

    def _read_fields(self, values: Sequence[object]) -> Fields:
        found: Fields = {
            field: values[place] for field, (_, place) in self._fields.items() if not empty(values[place])
        }
        for _, place, pattern in self._patterns:
            if not empty(values[place]) and (match := pattern.fullmatch(str(values[place]).strip())):
                found |= {field: text for field, text in match.groupdict().items() if text is not None}
        for place in self._places:
            self._filled[place] += not empty(values[place])
        return found

    def amount(self, fields: Fields, field: str) -> Decimal | None:
        """Read an amount or a price, and note how many digits it keeps."""
        if (value := fields.get(field)) is None:
            return None
        scale = self._scales.get(self._fields[field][0])
        read = number(value, scale)
        self.floats = self.floats or isinstance(value, float)
        self._decimals[field] = max(self._decimals[field], decimals(value, scale))
        return read

    def time(self, fields: Fields) -> datetime | None:
        """Read the row's time, UTC."""
        return moment(fields["time"], self.zone) if "time" in fields else None

    def side(self, fields: Fields) -> Side | None:
        """Read the row's side."""
        return side_of(fields["side"]) if "side" in fields else None

    def account(self, fields: Fields) -> str | None:
        """Read the row's account, else the one that was said."""
        return intern(str(fields["account"]).strip()) if "account" in fields else self._said["account"]

    def sequence(self, fields: Fields) -> int | None:
        """Read the sequence of the row's order."""
        if "sequence" not in fields:
            return None
        sequence = number(fields["sequence"])
        if sequence != int(sequence) or not 0 < sequence <= _LARGEST_SEQUENCE:
            raise ValueError(f"expected a sequence of 1 to {_LARGEST_SEQUENCE}, found {fields['sequence']!r}")
        return int(sequence)

    def pair(self, fields: Fields) -> Pair | None:
        """Read the row's pair, else the one that was said."""
        if "base" in fields and "quote" in fields:
            return self._pairs.setdefault(
                (fields["base"], fields["quote"]),
                Pair(str(fields["base"]).strip(), str(fields["quote"]).strip()),
            )
        text = str(fields["pair"]) if "pair" in fields else self._said["pair"]
        return None if text is None else self._pairs.setdefault((text, None), parse_pair(text))

    def where(self, row: Row, error: ValueError) -> BadBook:
        """Return the error with the place of the row."""
        return BadBook(f"{self._path}: {row.place}: {error}")

    def rows(self) -> Iterator[tuple[Row, Fields]]:
        """Yield the rows with what they hold."""
        for line, values in self._table.rows:
            row = Row(archive=self._archive, kept=self._archive.add(values), number=line)
            yield row, self._read_fields(values)

    @staticmethod
    def hash(fields: Fields) -> str | None:
        """Read a transaction's hash; one text for the same hash wherever it stands."""
        return intern(str(fields["tx_hash"]).strip().upper()) if "tx_hash" in fields else None


class OrderReader(RowReader):
    """Reads orders."""

    def __init__(  # noqa: PLR0913, PLR0917 - a RowReader's, and the words of the status
        self,
        path: Path,
        table: Table,
        layout: TableLayout,
        zone: tzinfo | None,
        said: Mapping[str, str | None],
        statuses: Mapping[str, str],
    ) -> None:
        """`statuses`: the format's own words for an order's status."""
        super().__init__(path, table, layout, zone, said)
        self.words: dict[str, str] = {}
        self._totals = False
        self._statuses = {word.lower(): BookStatus(status) for word, status in STATUS_WORDS.items()}
        try:
            self._statuses |= {word.lower(): BookStatus(status) for word, status in statuses.items()}
        except ValueError as error:
            expected = ", ".join(BookStatus)
            raise BadMapping(
                f"[statuses]: expected each word to mean one of {expected}; found: {error}"
            ) from error

    def read(self, *, totals: bool) -> list[BookOrder]:
        """Return all orders; raises BadBook at the first row that can't be read.

        `totals`: with what each has traded altogether, which counts where there is no row a fill.
        """
        self._totals = totals
        orders = []
        for row, fields in self.rows():
            try:
                orders.append(self._order(row, fields))
            except ValueError as error:
                raise self.where(row, error) from error
        return orders

    def _order(self, row: Row, fields: Fields) -> BookOrder:
        account, sequence = self.account(fields), self.sequence(fields)
        placed_tx = self.hash(fields)
        word = intern(str(fields.get("status", "")))
        return BookOrder(
            row=row,
            id=str(fields.get("id") or order_key(account, sequence) or placed_tx or row.place),
            account=account,
            sequence=sequence,
            placed_tx=placed_tx,
            pair=self.pair(fields),
            side=self.side(fields),
            quantity=self.amount(fields, "quantity"),
            price=self.amount(fields, "price"),
            status=self._status(word),
            word=word,
            time=self.time(fields),
            traded=self._traded(fields),
        )

    def _status(self, word: str) -> BookStatus:
        status = self._statuses.get(
            word.strip().lower().replace(" ", "_").replace("-", "_"), BookStatus.UNKNOWN
        )
        if word:
            self.words[word] = status
        return status

    def _traded(self, fields: Fields) -> Totals | None:
        base = self.amount(fields, "traded_quantity") if self._totals else None
        price, quote = self.amount(fields, "traded_price"), self.amount(fields, "traded_quote")
        if base is None:
            return None
        return Totals(
            base=base, quote=quote if quote is not None else EXACT.multiply(base, price or Decimal(0))
        )


class FillReader(RowReader):
    """Reads fills."""

    def read(self) -> list[BookFill]:
        """Return all fills; raises BadBook at the first row that can't be read."""
        fills = []
        for row, fields in self.rows():
            try:
                fills.append(self._fill(row, fields))
            except ValueError as error:
                raise self.where(row, error) from error
        return fills

    def _fill(self, row: Row, fields: Fields) -> BookFill:
        account, sequence = self.account(fields), self.sequence(fields)
        base, price = self.amount(fields, "quantity"), self.amount(fields, "price")
        quote = self.amount(fields, "quote_quantity")
        if base is None or (price is None and quote is None):
            raise ValueError("expected a quantity and a price, found none")
        return BookFill(
            row=row,
            order=str(fields["order"]) if "order" in fields else order_key(account, sequence),
            account=account,
            sequence=sequence,
            transaction=self.hash(fields),
            trade_id=str(fields["trade_id"]) if "trade_id" in fields else None,
            pair=self.pair(fields),
            side=self.side(fields),
            base=base,
            quote=quote if quote is not None else EXACT.multiply(base, price or Decimal(0)),
            time=self.time(fields),
        )


def order_key(account: str | None, sequence: int | None) -> str | None:
    """Return an order's name where the book has no own one: `account:sequence`; None without a sequence."""
    return None if sequence is None else intern(f"{account or ''}:{sequence}")


def parse_pair(text: str) -> Pair:
    """Read `XRP/USD`, `XRP-USD`, `XRP/USD.rIssuer`; raises ValueError where it is no pair."""
    parts = _PAIR_MARKS.split(text.strip())
    if len(parts) != 2 or not all(parts):  # noqa: PLR2004 - a pair
        raise ValueError(f"expected a pair as XRP/USD, found {text!r}")
    return Pair(*parts)
