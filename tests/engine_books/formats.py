"""Writing a book in the formats that engines keep."""

import csv
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, tzinfo
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

from engine_books.truth import BookedFill, BookedOrder

HUMMINGBOT_TABLES = (
    'CREATE TABLE "Order" (id TEXT PRIMARY KEY, config_file_path TEXT, strategy TEXT, market TEXT, symbol TEXT,'
    " base_asset TEXT, quote_asset TEXT, creation_timestamp BIGINT, order_type TEXT, amount {kind}, leverage INTEGER,"
    " price {kind}, last_status TEXT, last_update_timestamp BIGINT, exchange_order_id TEXT, position TEXT)",
    "CREATE TABLE OrderStatus (id INTEGER PRIMARY KEY, order_id TEXT, timestamp BIGINT, status TEXT)",
    "CREATE TABLE TradeFill (config_file_path TEXT, strategy TEXT, market TEXT, symbol TEXT, base_asset TEXT,"
    " quote_asset TEXT, timestamp BIGINT, order_id TEXT, trade_type TEXT, order_type TEXT, price {kind}, amount {kind},"
    " leverage INTEGER, trade_fee JSON, trade_fee_in_quote BIGINT, exchange_trade_id TEXT, position TEXT,"
    " PRIMARY KEY (market, order_id, exchange_trade_id))",
)
_GENERIC = ("record", "account", "sequence", "tx_hash", "side", "base", "quote", "quantity", "price", "fee", "time", "status")
_MILLION = 1_000_000


def code(asset: str) -> str:
    """Return the code alone."""
    return asset.partition(".")[0]


def price_of(fill: BookedFill) -> Decimal:
    """Return a fill's price, as exact as 28 digits go."""
    return fill.quote / fill.base if fill.base else Decimal(0)


def generic_csv(
    path: Path, orders: Sequence[BookedOrder], *, hashes: bool = True, sequences: bool = True, quote_quantity: bool = False
) -> list[Path]:
    """Write the generic CSV."""
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow([*_GENERIC, *(["quote_quantity"] if quote_quantity else [])])
        rows = []
        for order in orders:
            key = [order.account, order.sequence if sequences else ""]
            pair = [order.base, order.quote]
            row = ["order", *key, order.placed_tx if hashes else "", order.side.lower(), *pair, f"{order.quantity:f}",
                   f"{order.price:f}", "", order.time.isoformat(), order.end]  # fmt: skip
            rows.append(row + ([""] if quote_quantity else []))
            for fill in order.fills:
                row = ["fill", *key, fill.transaction or "", fill.side.lower(), *pair, f"{fill.base:f}",
                       f"{price_of(fill):f}", "0.000012", fill.time.isoformat(), "booked"]  # fmt: skip
                rows.append(row + ([f"{fill.quote:f}"] if quote_quantity else []))
        rows.sort(key=lambda row: row[7])  # in no order that means anything
        out.writerows(rows)
    return [path]


def hummingbot_sqlite(path: Path, orders: Sequence[BookedOrder], *, floats: bool = False) -> list[Path]:
    """Write Hummingbot's database; rejected orders leave no row."""
    with closing(sqlite3.connect(path)) as base:
        for table in HUMMINGBOT_TABLES:
            base.execute(table.format(kind="FLOAT" if floats else "BIGINT"))
        for order in orders:
            if order.end != "rejected":
                _write_hummingbot_order(base, order, floats=floats)
        base.commit()
    return [path]


def _write_hummingbot_order(base: sqlite3.Connection, order: BookedOrder, *, floats: bool) -> None:
    name = f"hbot{order.side[0]}{order.number:08}"
    side = order.side.capitalize()
    status = {"open": f"{side}OrderCreated", "partially_filled": "OrderFilled", "filled": f"{side}OrderCompleted"}
    common = ("conf.yml", "pmm", "xrpl", f"{code(order.base)}-{code(order.quote)}", code(order.base), code(order.quote))
    created, amount = _milliseconds(order.time), _float if floats else _cut
    exchange_id = f"{order.sequence}-{order.sequence + 20}-{order.placed_tx[:6]}"
    base.execute(
        'INSERT INTO "Order" VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)',
        (name, *common, created, "LIMIT", amount(order.quantity), 1, amount(order.price),
         status.get(order.end, "OrderCancelled"), created, exchange_id, "NIL"),
    )  # fmt: skip
    base.execute(
        "INSERT INTO OrderStatus (order_id, timestamp, status) VALUES (?,?,?)",
        (name, created, f"{side}OrderCreated"),
    )
    ids: set[str] = set()
    for number, fill in enumerate(order.fills):
        trade_id = trade_id_of(order, fill, number)
        if trade_id in ids:  # the key keeps one id once: a double booking has two
            trade_id = f"{fill.transaction}_{order.sequence}" if trade_id == fill.transaction else f"{fill.transaction}"
        ids.add(trade_id)
        base.execute(
            "INSERT INTO TradeFill VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            (*common, _milliseconds(fill.time), name, fill.side.value, "LIMIT", amount(price_of(fill)),
             amount(fill.base), 1, "{}", 0, trade_id, "NIL"),
        )  # fmt: skip


def trade_id_of(order: BookedOrder, fill: BookedFill, number: int) -> str:
    """Return the exchange_trade_id of Hummingbot's XRPL connector."""
    if fill.transaction is None:
        return f"inferred-{order.number}-{number}"
    return f"{fill.transaction}_{order.sequence}" if fill.maker else fill.transaction


def nautilus_reports(folder: Path, orders: Sequence[BookedOrder], *, form: str = "address-sequence") -> list[Path]:
    """Write NautilusTrader's two reports; `form`: of the venue_order_id."""
    order_path, fill_path = folder / "orders.csv", folder / "fills.csv"
    status = {"open": "ACCEPTED", "removed": "CANCELED"}
    with order_path.open("w", newline="") as file, fill_path.open("w", newline="") as fills:
        out, fill_out = csv.writer(file), csv.writer(fills)
        out.writerow(["client_order_id", "instrument_id", "venue_order_id", "account_id", "type", "side", "quantity",
                      "price", "filled_qty", "avg_px", "status", "ts_init", "ts_last"])  # fmt: skip
        fill_out.writerow(["client_order_id", "instrument_id", "venue_order_id", "account_id", "trade_id", "order_side",
                           "order_type", "last_qty", "last_px", "currency", "commission", "ts_event", "ts_init"])  # fmt: skip
        for order in orders:
            name = f"O-{order.number:06}"
            venue = {"address-sequence": f"{order.account}-{order.sequence}", "sequence": str(order.sequence),
                     "hash": order.placed_tx}[form]  # fmt: skip
            keys = [f"{code(order.base)}/{code(order.quote)}.XRPL", venue, f"XRPL-{order.account}"]
            made = int(order.time.timestamp() * 1_000_000) * 1000
            out.writerow([name, *keys, "LIMIT", order.side.value, f"{order.quantity:.6f}", f"{order.price:.9f}",
                          f"{sum((fill.base for fill in order.fills), Decimal(0)):.6f}", "",
                          status.get(order.end, order.end.upper()), made, made])  # fmt: skip
            for number, fill in enumerate(order.fills):
                trade = fill.transaction[:36] if fill.transaction else str(uuid5(NAMESPACE_OID, f"{name} {number}"))
                fill_out.writerow([name, *keys, trade, fill.side.value, "LIMIT", f"{fill.base:.6f}",
                                   f"{price_of(fill):.9f}", code(order.quote), "0.00 USD", fill.time.isoformat(" "),
                                   fill.time.isoformat(" ")])  # fmt: skip
    return [order_path, fill_path]


def inhouse_sqlite(path: Path, orders: Sequence[BookedOrder], *, zone: tzinfo | None = UTC) -> list[Path]:
    """Write a book in the manner of in-house bots: one account, one pair; `zone` None: local times, no zone."""
    words = {"open": "ACTIVE", "partially_filled": "PARTIALLY_FILLED", "canceled": "CANCELLED", "removed": "CANCELLED"}
    with closing(sqlite3.connect(path)) as base:
        base.execute(
            "CREATE TABLE orders (order_id TEXT PRIMARY KEY, offer_sequence INTEGER, side TEXT, price_rlusd REAL,"
            " size_xrp REAL, status TEXT, created_at TEXT, tx_hash TEXT, cancel_tx_hash TEXT)"
        )
        base.execute(
            "CREATE TABLE fills (id INTEGER PRIMARY KEY, order_id TEXT, price REAL, size REAL, filled_at TEXT, tx_hash TEXT)"
        )
        for order in orders:
            name = str(uuid5(NAMESPACE_OID, str(order.number)))
            base.execute(
                "INSERT INTO orders VALUES (?,?,?,?,?,?,?,?,NULL)",
                (name, order.sequence, order.side.value, float(order.price), float(order.quantity),
                 words.get(order.end, order.end.upper()), _text(order.time, zone), order.placed_tx),
            )  # fmt: skip
            for fill in order.fills:
                base.execute(
                    "INSERT INTO fills (order_id, price, size, filled_at, tx_hash) VALUES (?,?,?,?,?)",
                    (name, float(price_of(fill)), float(fill.base), _text(fill.time, zone), fill.transaction),
                )
        base.commit()
    return [path]


def freqtrade_sqlite(path: Path, orders: Sequence[BookedOrder]) -> list[Path]:
    """Write freqtrade's database: no row a fill, sums alone."""
    words = {"open": "open", "partially_filled": "open", "filled": "closed", "removed": "canceled"}
    with closing(sqlite3.connect(path)) as base:
        base.execute("CREATE TABLE trades (id INTEGER PRIMARY KEY, pair TEXT, open_rate FLOAT)")
        base.execute(
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, ft_trade_id INTEGER, ft_order_side TEXT, ft_pair TEXT,"
            " order_id TEXT, status TEXT, side TEXT, price FLOAT, average FLOAT, amount FLOAT, filled FLOAT, cost FLOAT,"
            " order_date DATETIME)"
        )
        for order in orders:
            traded = sum((fill.base for fill in order.fills), Decimal(0))
            cost = sum((fill.quote for fill in order.fills), Decimal(0))
            base.execute(
                "INSERT INTO orders VALUES (?,1,?,?,?,?,?,?,?,?,?,?,?)",
                (order.number, order.side.lower(), f"{code(order.base)}/{code(order.quote)}",
                 f"{order.account}-{order.sequence}", words.get(order.end, order.end), order.side.lower(),
                 float(order.price), float(cost / traded) if traded else None, float(order.quantity), float(traded),
                 float(cost), order.time.replace(tzinfo=None).isoformat(" ")),
            )  # fmt: skip
        base.commit()
    return [path]


def hummingbot_trades(path: Path, orders: Sequence[BookedOrder], *, zone: tzinfo) -> list[Path]:
    """Write what `export_trades` writes: fills alone, the machine's local times."""
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["Id", "Timestamp", "Exchange", "Market", "Order_type", "Side", "Price", "Amount", "Leverage",
                      "Position", "Age"])  # fmt: skip
        for order in orders:
            for number, fill in enumerate(order.fills):
                time = fill.time.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
                out.writerow([trade_id_of(order, fill, number), time, "xrpl", f"{code(order.base)}-{code(order.quote)}",
                              "limit", fill.side.lower(), _decimal(price_of(fill)), _decimal(fill.base), 1, "NIL",
                              "00:00:01"])  # fmt: skip
    return [path]


def _milliseconds(time: datetime) -> int:
    return int(time.timestamp() * 1000)


def _cut(value: Decimal) -> int:
    return int((value * _MILLION).to_integral_value(ROUND_DOWN))


def _decimal(value: Decimal) -> str:
    return f"{Decimal(_cut(value)) / _MILLION:f}"


def _float(value: Decimal) -> float:
    return float(value)


def _text(time: datetime, zone: tzinfo | None) -> str:
    return time.isoformat() if zone is UTC else time.astimezone(zone).replace(tzinfo=None).isoformat(" ")
