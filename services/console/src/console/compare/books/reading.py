"""From files to a book: recognise the format, read the rows, and describe what was recognised."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import msgspec

from console.compare.books.book import Book, Column, Description, Precision
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
    parts = [_read_part(source, layout, options) for source, layout in zip(sources, layouts, strict=True)]
    orders = [part for part in parts if part.orders is not None]
    fills = [part for part in parts if part.fills is not None]
    if len(orders) > 1 or len(fills) > 1:
        raise BadBook(
            "expected orders in one file and fills in the other, found the same in both: "
            + ", ".join(str(path) for path in paths)
        )
    order_reader = orders[0].orders if orders else None
    fill_reader = fills[0].fills if fills else None
    book = Book(
        description=_description(paths, layouts, parts),
        orders=order_reader.read(totals=fill_reader is None) if order_reader else [],
        fills=fill_reader.read() if fill_reader else [],
        precision=_precision(order_reader, fill_reader),
        has_fill_rows=fill_reader is not None,
        keeps_rejected=all(layout.keeps_rejected for layout in layouts),
    )
    if not book.orders and not book.fills:
        raise BadBook(f"{paths[0]}: expected orders or fills, found the tables of a book and no rows in them")
    words = order_reader.words if order_reader else {}
    return msgspec.structs.replace(
        book, description=msgspec.structs.replace(book.description, statuses=dict(sorted(words.items())))
    )


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    """What one file holds."""

    orders: OrderReader | None
    fills: FillReader | None


def _layout(source: Source, options: ReadingOptions) -> Layout:
    if options.mapping is None:
        return recognise(source)
    layout = read_mapping(options.mapping)
    if layout.kind != source.kind:
        raise BadBook(
            f"{source.path}: expected {layout.kind}, as {options.mapping} says, found {source.kind}"
        )
    return layout


def _read_part(source: Source, layout: Layout, options: ReadingOptions) -> _Part:
    wanted = [table for table in (layout.orders, layout.fills) if table is not None]
    for expected in wanted:
        _check_columns(source, expected)
    tables = source.read(wanted)
    for table, expected in zip(tables, wanted, strict=True):
        _check_read(source, table, expected)
    named = options.zone or layout.time_zone
    zone = None if named is None else time_zone(named)
    said = {"account": options.account or layout.account, "pair": options.pair or layout.pair}
    by_kind = dict(zip(("orders", "fills") if layout.orders else ("fills",), tables, strict=False))
    orders = by_kind.get("orders")
    fills = by_kind.get("fills")
    return _Part(
        orders=None
        if orders is None or layout.orders is None
        else OrderReader(source.path, orders, layout.orders, zone, said, layout.statuses),
        fills=None
        if fills is None or layout.fills is None
        else FillReader(source.path, fills, layout.fills, zone, said),
    )


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


def _precision(orders: OrderReader | None, fills: FillReader | None) -> Precision:
    amounts: RowReader | None = fills or orders
    assert amounts is not None  # noqa: S101 - a layout has one of them
    traded = "traded_" if fills is None else ""
    quote_column = "quote_quantity" if fills is not None else "traded_quote"
    return Precision(
        base=amounts.unit(f"{traded}quantity"),
        price=amounts.unit(f"{traded}price"),
        quote=amounts.unit(quote_column) if amounts.has(quote_column) else None,
        order_price=orders.unit("price") if orders else Decimal(0),
        floats=any(reader.floats for reader in (orders, fills) if reader is not None),
    )


def _description(paths: Sequence[Path], layouts: Sequence[Layout], parts: Sequence[_Part]) -> Description:
    readers: list[RowReader] = [
        reader for part in parts for reader in (part.orders, part.fills) if reader is not None
    ]
    zones = {str(reader.zone) for reader in readers if reader.zone is not None}
    return Description(
        format="; ".join(dict.fromkeys(layout.name for layout in layouts)),
        files=tuple(str(path) for path in paths),
        digest=digest_of(paths),
        columns=tuple(column for reader in readers for column in reader.columns()),
        statuses={},
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


__all__ = ["Column", "ReadingOptions", "read_book"]
