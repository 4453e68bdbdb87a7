"""A book of many orders held against the audit database: seconds and memory of the whole command.

The orders are those of a recorded session over and over, each time with later sequences, ledgers and times.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec
from audit_tables import rows
from engine_books.csv_formats import generic_csv
from engine_books.faults import faulty_book
from engine_books.truth import BookedOrder
from rich.console import Console

from audit_writer.adapters.database import PostgresStore
from console.replay import steps
from console.sessions import find_session
from local_stack import LocalStack
from order_events import OrderEvent

SESSION = "random_crowd_5"
ORDERS = 100_000
STEP = 10_000
"""Between the sequences of two rounds; more than a session uses."""
LEDGERS = 400
BATCH = 20_000


def main() -> None:
    """Fill a database, write a book with faults, and compare."""
    events = [event for step in steps(find_session(SESSION).session) for event in step.events]
    book = faulty_book(SESSION, seed=1, each=3, without={"wrong_account", "unknown_order"})
    rounds = -(-ORDERS // len(book.orders))
    with LocalStack.start() as stack, tempfile.TemporaryDirectory() as folder:
        stack.create_database("bench")
        stack.migrate("bench")
        asyncio.run(_fill(stack.postgres_dsn("audit_writer", "bench"), events, rounds))
        path = Path(folder) / "book.csv"
        orders = [later(order, number) for number in range(rounds) for order in book.orders]
        generic_csv(path, orders)
        command = [sys.executable, "-m", "console", "compare", path, "--complete", "--database"]
        began = time.monotonic()
        with subprocess.Popen([*command, stack.postgres_dsn("grafana_reader", "bench")]) as running:
            _, _, used = os.wait4(running.pid, 0)
        seconds = time.monotonic() - began
    wanted = sum(one.kind is not None for one in book.injected) * rounds
    Console().print(
        f"{len(orders)} orders, {wanted} faults put in: {seconds:.1f} s, {used.ru_utime:.1f} s of CPU, "
        f"{used.ru_maxrss / 1024:.0f} MB"
    )


async def _fill(dsn: str, events: Sequence[OrderEvent], rounds: int) -> None:
    async with PostgresStore(dsn) as tables:
        batch: list[OrderEvent] = []
        for event in _later_events(events, rounds):
            batch.append(event)
            if len(batch) == BATCH:
                await tables.write(rows(batch))
                batch = []
        await tables.write(rows(batch))


def _later_events(events: Sequence[OrderEvent], rounds: int) -> Iterator[OrderEvent]:
    for number in range(rounds):
        for event in events:
            index = event.ledger_index
            yield msgspec.structs.replace(
                event,
                event_id=uuid.uuid5(event.event_id, str(number)),
                sequence=event.sequence + number * STEP,
                ledger_index=None if index is None else index + number * LEDGERS,
                transaction_hash=_later_hash(event.transaction_hash, number),
                removed_by=_later_hash(event.removed_by, number),
                occurred_at=event.occurred_at + timedelta(seconds=number * LEDGERS),
            )


def later(order: BookedOrder, number: int) -> BookedOrder:
    """Return an order as round `number` has it."""
    after = timedelta(seconds=number * LEDGERS)
    fills = [
        replace(fill, transaction=_later_hash(fill.transaction, number), time=fill.time + after)
        for fill in order.fills
    ]
    return replace(
        order,
        sequence=order.sequence + number * STEP,
        placed_tx=_later_hash(order.placed_tx, number),
        time=order.time + after,
        fills=fills,
    )


def _later_hash(name: str | None, number: int) -> str | None:
    return None if name is None else f"{name[:-8]}{number:08X}"


if __name__ == "__main__":
    main()
