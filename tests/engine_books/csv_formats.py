"""Writing a book as the CSV files that engines keep."""

import csv
from collections.abc import Sequence
from datetime import tzinfo
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

from engine_books.truth import BookedFill, BookedOrder

_GENERIC = (
    "record", "account", "sequence", "tx_hash", "side", "base", "quote", "quantity", "price", "fee", "time",
    "status",
)  # fmt: skip
_MILLION = 1_000_000


def code(asset: str) -> str:
    """Return the code alone."""
    return asset.partition(".")[0]


def price_of(fill: BookedFill) -> Decimal:
    """Return a fill's price, as exact as 28 digits go."""
    return fill.quote / fill.base if fill.base else Decimal(0)


def generic_csv(
    path: Path,
    orders: Sequence[BookedOrder],
    *,
    hashes: bool = True,
    sequences: bool = True,
    quote_quantity: bool = False,
) -> list[Path]:
    """Write the generic CSV."""
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow([*_GENERIC, *(["quote_quantity"] if quote_quantity else [])])
        rows = []
        for order in orders:
            key = [order.account, order.sequence if sequences else ""]
            pair = [order.base, order.quote]
            row = [
                "order",
                *key,
                order.placed_tx if hashes else "",
                order.side.lower(),
                *pair,
                f"{order.quantity:f}",
                f"{order.price:f}",
                "",
                order.time.isoformat(),
                order.end,
            ]
            rows.append(row + ([""] if quote_quantity else []))
            for fill in order.fills:
                row = [
                    "fill",
                    *key,
                    fill.transaction or "",
                    fill.side.lower(),
                    *pair,
                    f"{fill.base:f}",
                    f"{price_of(fill):f}",
                    "0.000012",
                    fill.time.isoformat(),
                    "booked",
                ]
                rows.append(row + ([f"{fill.quote:f}"] if quote_quantity else []))
        rows.sort(key=lambda row: row[7])  # in no order that means anything
        out.writerows(rows)
    return [path]


def trade_id_of(order: BookedOrder, fill: BookedFill, number: int) -> str:
    """Return the exchange_trade_id of Hummingbot's XRPL connector."""
    if fill.transaction is None:
        return f"inferred-{order.number}-{number}"
    return f"{fill.transaction}_{order.sequence}" if fill.maker else fill.transaction


def nautilus_reports(
    folder: Path, orders: Sequence[BookedOrder], *, form: str = "address-sequence"
) -> list[Path]:
    """Write NautilusTrader's two reports; `form`: of the venue_order_id."""
    order_path, fill_path = folder / "orders.csv", folder / "fills.csv"
    status = {"open": "ACCEPTED", "removed": "CANCELED"}
    with order_path.open("w", newline="") as file, fill_path.open("w", newline="") as fills:
        out, fill_out = csv.writer(file), csv.writer(fills)
        out.writerow(
            [
                "client_order_id",
                "instrument_id",
                "venue_order_id",
                "account_id",
                "type",
                "side",
                "quantity",
                "price",
                "filled_qty",
                "avg_px",
                "status",
                "ts_init",
                "ts_last",
            ]
        )
        fill_out.writerow(
            [
                "client_order_id",
                "instrument_id",
                "venue_order_id",
                "account_id",
                "trade_id",
                "order_side",
                "order_type",
                "last_qty",
                "last_px",
                "currency",
                "commission",
                "ts_event",
                "ts_init",
            ]
        )
        for order in orders:
            name = f"O-{order.number:06}"
            venue = {
                "address-sequence": f"{order.account}-{order.sequence}",
                "sequence": str(order.sequence),
                "hash": order.placed_tx,
            }[form]
            keys = [f"{code(order.base)}/{code(order.quote)}.XRPL", venue, f"XRPL-{order.account}"]
            made = int(order.time.timestamp() * 1_000_000) * 1000
            out.writerow(
                [
                    name,
                    *keys,
                    "LIMIT",
                    order.side.value,
                    f"{order.quantity:.6f}",
                    f"{order.price:.9f}",
                    f"{sum((fill.base for fill in order.fills), Decimal(0)):.6f}",
                    "",
                    status.get(order.end, order.end.upper()),
                    made,
                    made,
                ]
            )
            for number, fill in enumerate(order.fills):
                trade = (
                    fill.transaction[:36]
                    if fill.transaction
                    else str(uuid5(NAMESPACE_OID, f"{name} {number}"))
                )
                fill_out.writerow(
                    [
                        name,
                        *keys,
                        trade,
                        fill.side.value,
                        "LIMIT",
                        f"{fill.base:.6f}",
                        f"{price_of(fill):.9f}",
                        code(order.quote),
                        "0.00 USD",
                        fill.time.isoformat(" "),
                        fill.time.isoformat(" "),
                    ]
                )
    return [order_path, fill_path]


def hummingbot_trades(path: Path, orders: Sequence[BookedOrder], *, zone: tzinfo) -> list[Path]:
    """Write what `export_trades` writes: fills alone, the machine's local times."""
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(
            [
                "Id",
                "Timestamp",
                "Exchange",
                "Market",
                "Order_type",
                "Side",
                "Price",
                "Amount",
                "Leverage",
                "Position",
                "Age",
            ]
        )
        for order in orders:
            for number, fill in enumerate(order.fills):
                time = fill.time.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
                out.writerow(
                    [
                        trade_id_of(order, fill, number),
                        time,
                        "xrpl",
                        f"{code(order.base)}-{code(order.quote)}",
                        "limit",
                        fill.side.lower(),
                        _decimal(price_of(fill)),
                        _decimal(fill.base),
                        1,
                        "NIL",
                        "00:00:01",
                    ]
                )
    return [path]


def cut(value: Decimal) -> int:
    """Return a number of 10^-6, cut towards zero."""
    return int((value * _MILLION).to_integral_value(ROUND_DOWN))


def _decimal(value: Decimal) -> str:
    return f"{Decimal(cut(value)) / _MILLION:f}"
