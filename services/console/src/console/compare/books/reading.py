"""From files to a book: recognise the format, read the rows, and describe what was recognised."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import msgspec

from console.compare.books.book import Book, BookFill, BookOrder, Description, Precision
from console.compare.books.layout import Layout, TableLayout, read_mapping, write_layout
from console.compare.books.recognition import recognise
from console.compare.books.rows import FillReader, OrderReader, RowReader
from console.compare.books.sources import Source, Table, digest_of, open_source
from console.compare.books.values import time_zone
from console.compare.errors import BadBook

_MOST_FILES = 2


class ReadingOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the person who calls says about a book beside the book itself."""

    mapping: Path | None = None
    zone: str | None = None
    account: str | None = None
    """The one account that the book is of, where it names none."""
    pair: str | None = None
    """The one pair that the book is of, where it names none."""


def read_book(paths: Sequence[Path], options: ReadingOptions) -> Book:
    """Read one book from one or two files, without ever writing to them.

    Raises:
        BadBook: a file can't be read, is no book, or holds nothing.
        BadMapping: the mapping file is none.
        AmbiguousBook: its times have no zone and none was given.

    """
    if not 1 <= len(paths) <= _MOST_FILES:
        raise BadBook(f"expected one or two files of a book, found {len(paths)}")
    sources = [open_source(path) for path in paths]
    layouts = [_layout(source, options) for source in sources]
    for kind in ("orders", "fills"):
        if sum(getattr(layout, kind) is not None for layout in layouts) > 1:
            raise BadBook(
                "expected orders in one file and fills in the other, found the same in both: "
                + ", ".join(str(path) for path in paths)
            )
    has_fills = any(layout.fills is not None for layout in layouts)
    parts = [
        _read_part(source, layout, options, totals=not has_fills)
        for source, layout in zip(sources, layouts, strict=True)
    ]
    orders = [order for part in parts for order in part.orders]
    fills = [fill for part in parts for fill in part.fills]
    if not orders and not fills:
        raise BadBook(f"{paths[0]}: expected orders or fills, found the tables of a book and no rows in them")
    return Book(
        description=_description(paths, layouts, [reader for part in parts for reader in part.readers]),
        orders=orders,
        fills=fills,
        precision=_precision([reader for part in parts for reader in part.readers]),
        has_fill_rows=has_fills,
        keeps_rejected=all(layout.keeps_rejected for layout in layouts),
    )


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    """What one file holds."""

    readers: Sequence[RowReader]
    orders: Sequence[BookOrder]
    fills: Sequence[BookFill]


def _layout(source: Source, options: ReadingOptions) -> Layout:
    if options.mapping is None:
        return recognise(source)
    layout = read_mapping(options.mapping)
    if layout.kind != source.kind:
        raise BadBook(
            f"{source.path}: expected {layout.kind}, as {options.mapping} says, found {source.kind}"
        )
    return layout


def _read_part(source: Source, layout: Layout, options: ReadingOptions, *, totals: bool) -> _Part:
    wanted = [table for table in (layout.orders, layout.fills) if table is not None]
    for expected in wanted:
        _check_columns(source, expected)
    named = options.zone or layout.time_zone
    zone = None if named is None else time_zone(named)
    said = {"account": options.account or layout.account, "pair": options.pair or layout.pair}
    readers: list[RowReader] = []
    orders: list[BookOrder] = []
    fills: list[BookFill] = []
    with source.opened(wanted) as tables:
        for table, expected in zip(tables, wanted, strict=True):
            _check_read(source, table, expected)
            if expected is layout.orders:
                order_reader = OrderReader(source.path, table, expected, zone, said, layout.statuses)
                orders = order_reader.read(totals=totals)
                readers.append(order_reader)
            else:
                fill_reader = FillReader(source.path, table, expected, zone, said)
                fills = fill_reader.read()
                readers.append(fill_reader)
    return _Part(readers=readers, orders=orders, fills=fills)


def _check_columns(source: Source, layout: TableLayout) -> None:
    """Raise BadBook before anything is read where a table or a column is missing."""
    if layout.query is not None:
        return
    if source.kind == "sqlite" and layout.table not in source.tables:
        found = ", ".join(source.tables)
        raise BadBook(f"{source.path}: expected a table {layout.table!r}, found {found or 'no table'}")
    columns = source.tables[layout.table or source.path.name]
    if missing := sorted(layout.required() - set(columns)):
        raise BadBook(
            f"{source.path}: expected columns {', '.join(missing)}, found {', '.join(columns) or 'none'}"
        )


def _check_read(source: Source, table: Table, layout: TableLayout) -> None:
    if missing := sorted(layout.required() - set(table.columns)):
        raise BadBook(
            f"{source.path}: expected columns {', '.join(missing)} of the query, found {table.columns}"
        )


def _precision(readers: Sequence[RowReader]) -> Precision:
    """Read the scale of the columns; the fills' where there are any, else those of the orders' totals."""
    orders = next((reader for reader in readers if isinstance(reader, OrderReader)), None)
    fills = next((reader for reader in readers if isinstance(reader, FillReader)), None)
    amounts = fills or orders
    assert amounts is not None  # noqa: S101 - a layout has one of them
    traded = "traded_" if fills is None else ""
    quote_column = "quote_quantity" if fills is not None else "traded_quote"
    return Precision(
        base=amounts.unit(f"{traded}quantity"),
        price=amounts.unit(f"{traded}price"),
        quote=amounts.unit(quote_column) if amounts.has(quote_column) else None,
        order_price=orders.unit("price") if orders is not None else Decimal(0),
        floats=any(reader.floats for reader in readers),
    )


def _description(
    paths: Sequence[Path], layouts: Sequence[Layout], readers: Sequence[RowReader]
) -> Description:
    zones = {str(reader.zone) for reader in readers if reader.zone is not None}
    words = {
        word: status
        for reader in readers
        if isinstance(reader, OrderReader)
        for word, status in reader.words.items()
    }
    return Description(
        format="; ".join(dict.fromkeys(layout.name for layout in layouts)),
        files=tuple(str(path) for path in paths),
        digest=digest_of(paths),
        columns=tuple(column for reader in readers for column in reader.columns()),
        statuses=dict(sorted(words.items())),
        time_zone=", ".join(sorted(zones)) or "as each time says",
        cannot_tell=tuple(_cannot_tell(layouts, readers)),
        mapping="\n".join(write_layout(layout) for layout in layouts),
    )


def _cannot_tell(layouts: Sequence[Layout], readers: Sequence[RowReader]) -> Iterable[str]:
    told = list(dict.fromkeys(text for layout in layouts for text in layout.cannot_tell))
    yield from told
    if told:
        return
    have: Mapping[str, bool] = {
        "the account": any(reader.has("account") for reader in readers),
        "the pair": any(reader.has("pair") or reader.has("base") for reader in readers),
        "the transaction of each fill": any(
            reader.has("tx_hash") for reader in readers if isinstance(reader, FillReader)
        ),
        "how orders ended": any(reader.has("status") for reader in readers),
    }
    yield from (what for what, known in have.items() if not known)
