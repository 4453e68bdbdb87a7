"""Books every fill of an account exactly once, with the package `engine_client`.

python first_engine.py nats://127.0.0.1:4222 rYourAccount books.sqlite
"""

import asyncio
import sqlite3
import sys

from engine_client import BookedOnce, BusAccess, EngineBus
from order_events import OrderFilled, OrdersEvent, Provenance

FILLS = "CREATE TABLE IF NOT EXISTS fill (sequence INTEGER, gave TEXT, got TEXT, transaction_hash TEXT)"


def apply(books: sqlite3.Connection, event: OrdersEvent) -> None:
    """Write down a trade: what the ledger moved, drops of XRP or decimal tokens."""
    if isinstance(event, OrderFilled) and event.provenance is not Provenance.PRESUMED:
        row = (event.sequence, str(event.gave.value), str(event.got.value), event.transaction_hash)
        books.execute("INSERT INTO fill VALUES (?, ?, ?, ?)", row)


async def trade(url: str, account: str, path: str) -> None:
    """Follow the account until Ctrl-C."""
    books = sqlite3.connect(path)
    books.execute(FILLS)
    bus = await EngineBus.connected(BusAccess(url=url))
    await bus.follow_orders(account, BookedOnce(books, apply))


if __name__ == "__main__":
    asyncio.run(trade(*sys.argv[1:]))
