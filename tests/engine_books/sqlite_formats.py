"""Writing a book as the SQLite databases that engines keep."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

from engine_books.csv_formats import code, cut, price_of, trade_id_of
from engine_books.truth import BookedOrder

_HUMMINGBOT = Path(__file__).with_name("hummingbot.sql").read_text()
_INHOUSE = """
CREATE TABLE orders (
    order_id TEXT PRIMARY KEY, offer_sequence INTEGER, side TEXT, price_rlusd REAL, size_xrp REAL,
    status TEXT, created_at TEXT, tx_hash TEXT, cancel_tx_hash TEXT
);
CREATE TABLE fills (
    id INTEGER PRIMARY KEY, order_id TEXT, price REAL, size REAL, filled_at TEXT, tx_hash TEXT
);
"""
_FREQTRADE = """
CREATE TABLE trades (id INTEGER PRIMARY KEY, pair TEXT, open_rate FLOAT);
CREATE TABLE orders (
    id INTEGER PRIMARY KEY, ft_trade_id INTEGER, ft_order_side TEXT, ft_pair TEXT, order_id TEXT, status TEXT,
    side TEXT, price FLOAT, average FLOAT, amount FLOAT, filled FLOAT, cost FLOAT, order_date DATETIME
);
"""


def hummingbot_sqlite(path: Path, orders: Sequence[BookedOrder], *, floats: bool = False) -> list[Path]:
    """Write Hummingbot's database; rejected orders leave no row."""
    with closing(sqlite3.connect(path)) as base:
        base.executescript(_HUMMINGBOT.replace("KIND", "FLOAT" if floats else "BIGINT"))
        for order in orders:
            if order.end != "rejected":
                _write_hummingbot_order(base, order, floats=floats)
        base.commit()
    return [path]


def _write_hummingbot_order(base: sqlite3.Connection, order: BookedOrder, *, floats: bool) -> None:
    name = f"hbot{order.side[0]}{order.number:08}"
    side = order.side.capitalize()
    status = {
        "open": f"{side}OrderCreated",
        "partially_filled": "OrderFilled",
        "filled": f"{side}OrderCompleted",
    }
    common = (
        "conf.yml",
        "pmm",
        "xrpl",
        f"{code(order.base)}-{code(order.quote)}",
        code(order.base),
        code(order.quote),
    )
    created, amount = _milliseconds(order.time), _float if floats else cut
    exchange_id = f"{order.sequence}-{order.sequence + 20}-{order.placed_tx[:6]}"
    base.execute(
        'INSERT INTO "Order" VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)',
        (
            name,
            *common,
            created,
            "LIMIT",
            amount(order.quantity),
            1,
            amount(order.price),
            status.get(order.end, "OrderCancelled"),
            created,
            exchange_id,
            "NIL",
        ),
    )
    base.execute(
        "INSERT INTO OrderStatus (order_id, timestamp, status) VALUES (?,?,?)",
        (name, created, f"{side}OrderCreated"),
    )
    ids: set[str] = set()
    for number, fill in enumerate(order.fills):
        trade_id = trade_id_of(order, fill, number)
        if trade_id in ids:  # the key keeps one id once: a double booking has two
            trade_id = (
                f"{fill.transaction}_{order.sequence}"
                if trade_id == fill.transaction
                else f"{fill.transaction}"
            )
        ids.add(trade_id)
        base.execute(
            "INSERT INTO TradeFill VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            (
                *common,
                _milliseconds(fill.time),
                name,
                fill.side.value,
                "LIMIT",
                amount(price_of(fill)),
                amount(fill.base),
                1,
                "{}",
                0,
                trade_id,
                "NIL",
            ),
        )


def inhouse_sqlite(path: Path, orders: Sequence[BookedOrder], *, zone: tzinfo | None = UTC) -> list[Path]:
    """Write a book as in-house bots keep them: one account, one pair; times without a zone but in UTC."""
    words = {
        "open": "ACTIVE",
        "partially_filled": "PARTIALLY_FILLED",
        "canceled": "CANCELLED",
        "removed": "CANCELLED",
    }
    with closing(sqlite3.connect(path)) as base:
        base.executescript(_INHOUSE)
        for order in orders:
            name = str(uuid5(NAMESPACE_OID, str(order.number)))
            base.execute(
                "INSERT INTO orders VALUES (?,?,?,?,?,?,?,?,NULL)",
                (
                    name,
                    order.sequence,
                    order.side.value,
                    float(order.price),
                    float(order.quantity),
                    words.get(order.end, order.end.upper()),
                    _text(order.time, zone),
                    order.placed_tx,
                ),
            )
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
        base.executescript(_FREQTRADE)
        for order in orders:
            traded = sum((fill.base for fill in order.fills), Decimal(0))
            cost = sum((fill.quote for fill in order.fills), Decimal(0))
            base.execute(
                "INSERT INTO orders VALUES (?,1,?,?,?,?,?,?,?,?,?,?,?)",
                (
                    order.number,
                    order.side.lower(),
                    f"{code(order.base)}/{code(order.quote)}",
                    f"{order.account}-{order.sequence}",
                    words.get(order.end, order.end),
                    order.side.lower(),
                    float(order.price),
                    float(cost / traded) if traded else None,
                    float(order.quantity),
                    float(traded),
                    float(cost),
                    order.time.replace(tzinfo=None).isoformat(" "),
                ),
            )
        base.commit()
    return [path]


def _milliseconds(time: datetime) -> int:
    return int(time.timestamp() * 1000)


def _float(value: Decimal) -> float:
    return float(value)


def _text(time: datetime, zone: tzinfo | None) -> str:
    return time.isoformat() if zone is UTC else time.astimezone(zone).replace(tzinfo=None).isoformat(" ")
