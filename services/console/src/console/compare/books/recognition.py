"""Which format a file is in: by its tables and columns, never by its name; else by their names."""

from collections.abc import Callable, Mapping, Sequence

from console.compare.books.layout import Layout, TableLayout, known_formats
from console.compare.books.sources import Source, shown_tables
from console.compare.errors import BadBook

_NAMES: Mapping[str, tuple[str, ...]] = {
    "id": ("order_id", "client_order_id", "id", "uuid"),
    "order": ("order_id", "client_order_id", "order", "orders_id", "parent_order_id"),
    "account": ("account", "wallet_address", "wallet", "address", "owner"),
    "sequence": ("offer_sequence", "sequence", "order_sequence", "offer_seq", "seq"),
    "tx_hash": ("tx_hash", "transaction_hash", "hash", "txhash", "txid", "ourtxhash"),
    "pair": ("pair", "symbol", "market", "trading_pair", "instrument"),
    "base": ("base", "base_asset", "base_currency"),
    "quote": ("quote", "quote_asset", "quote_currency"),
    "side": ("side", "direction", "trade_type", "action", "event_type"),
    "quantity": ("quantity", "qty", "size", "amount", "volume", "base_amount"),
    "price": ("price", "rate", "limit_price", "fill_price"),
    "quote_quantity": ("quote_quantity", "quote_amount", "cost", "total"),
    "status": ("status", "state", "order_status"),
    "time": ("created_at", "filled_at", "executed_at", "time", "timestamp", "timestamp_utc", "ts", "date"),
}
"""Names that columns have in engines people wrote for themselves."""
_WITH_UNIT = ("quantity", "price", "quote_quantity")
"""Fields whose columns often carry a currency in their name: `size_xrp`, `price_rlusd`."""
_FieldsOf = Callable[[Sequence[str]], dict[str, str]]
_FILL_TABLES = ("fill", "trade", "execution")
_ORDER_TABLES = ("order", "offer")


def recognise(source: Source) -> Layout:
    """Return the layout that fits the file best.

    Raises:
        BadBook: none does.

    """
    fitting = [layout for layout in known_formats() if _fits(layout, source)]
    if fitting:
        return max(fitting, key=_specific)
    guess = _guess_sqlite(source) if source.kind == "sqlite" else _guess_csv(source)
    if guess is None:
        raise BadBook(
            f"{source.path}: expected the book of an engine (orders with a side, a quantity and a sequence "
            f"or hash; or fills), found {source.kind} with {shown_tables(source)}: say with --mapping FILE "
            "which columns hold what (docs/compare.md)"
        )
    return guess


def _fits(layout: Layout, source: Source) -> bool:
    if layout.kind != source.kind:
        return False
    if layout.kind == "sqlite":
        return bool(layout.tables) and all(
            set(columns) <= set(source.tables.get(table, ())) for table, columns in layout.tables.items()
        )
    (header,) = source.tables.values()
    return all(
        table.required() <= set(header) for table in (layout.orders, layout.fills) if table is not None
    )


def _specific(layout: Layout) -> int:
    tables = (layout.orders, layout.fills)
    return sum(len(table.required()) for table in tables if table is not None)


def _guess_sqlite(source: Source) -> Layout | None:
    orders = _first(source, _ORDER_TABLES, _order_fields)
    fills = _first(source, _FILL_TABLES, _fill_fields)
    if orders is None and fills is None:
        return None
    return Layout(name="orders and fills by their columns' names", kind="sqlite", orders=orders, fills=fills)


def _guess_csv(source: Source) -> Layout | None:
    (header,) = source.tables.values()
    fields = _fill_fields(header)
    if "status" in (orders := _order_fields(header)):
        layout = TableLayout(fields=orders)
        return Layout(name="orders by their columns' names", kind="csv", orders=layout)
    if not fields:
        return None
    return Layout(name="fills by their columns' names", kind="csv", fills=TableLayout(fields=fields))


def _first(source: Source, words: Sequence[str], fields_of: _FieldsOf) -> TableLayout | None:
    for name, columns in source.tables.items():
        if any(word in name.lower() for word in words) and (fields := fields_of(columns)):
            return TableLayout(table=name, fields=fields)
    return None


def _order_fields(columns: Sequence[str]) -> dict[str, str]:
    """Return what an order's columns hold; nothing where they can't be an order's."""
    wanted = (
        "id",
        "account",
        "sequence",
        "tx_hash",
        "pair",
        "base",
        "quote",
        "side",
        "quantity",
        "price",
        "status",
    )
    fields = _taken(columns, (*wanted, "time"))
    is_order = {"side", "quantity", "status"} <= set(fields) and ("sequence" in fields or "tx_hash" in fields)
    return fields if is_order else {}


def _fill_fields(columns: Sequence[str]) -> dict[str, str]:
    """Return what a fill's columns hold; nothing where they can't be a fill's."""
    wanted = ("account", "sequence", "tx_hash", "pair", "base", "quote", "side", "quantity", "price")
    fields = _taken(columns, ("order", *wanted, "quote_quantity", "time"))
    has_amounts = "quantity" in fields and ("price" in fields or "quote_quantity" in fields)
    return fields if has_amounts and ("tx_hash" in fields or "order" in fields) else {}


def _taken(columns: Sequence[str], wanted: Sequence[str]) -> dict[str, str]:
    found = {field: column for field in wanted if (column := _column_for(field, columns)) is not None}
    # One column is one thing: in a fill's table `id` alone is no order
    return {field: column for field, column in found.items() if not (field == "order" and column == "id")}


def _column_for(field: str, columns: Sequence[str]) -> str | None:
    lower = {column.lower(): column for column in columns}
    for name in _NAMES[field]:
        if name in lower:
            return lower[name]
        if field in _WITH_UNIT:
            suffixed = [
                column for low, column in lower.items() if low.startswith(f"{name}_") and low.count("_") == 1
            ]
            if len(suffixed) == 1:
                return suffixed[0]
    return None
