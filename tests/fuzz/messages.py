"""Fuzzed messages of stream ORDERS: the audit writer's handler stores each, or makes a dead letter of it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from random import Random

import asyncpg
import msgspec
from audit_in_memory import running_writer
from fuzz.parts import WITHIN, Found, Longest, unless
from hostile_answers import changed
from sample_events import KINDS, event
from waiting import limit

from audit_writer.adapters.database import PostgresStore
from audit_writer.ports import Rows
from order_events import encode
from order_events.subjects import ORDERS_STREAM

EVERY = 10
"""After so many changed messages comes an honest one."""
HONEST = 1_000_000
"""The first sequence of the honest events."""
LONGEST = 900_000
"""Bytes: the bus takes no longer message."""


class WithoutPlaces:
    """The store, without the places that messages have in a stream: here they come from none."""

    def __init__(self, store: PostgresStore) -> None:
        self._store = store

    async def write(self, rows: Rows) -> int:
        return await self._store.write(replace(rows, taken=()))


async def fuzz_messages(dsn: Callable[[str], str], chance: Random, count: int) -> Found:
    """Deliver so many changed events, with honest ones between them, to a writer with a real PostgreSQL."""
    neighbour, honest = Longest(), 0
    problems: list[str] = []
    async with PostgresStore(dsn("audit_writer")) as store, running_writer(WithoutPlaces(store)) as writer:
        for number in range(count):
            fields = msgspec.to_builtins(event(chance.choice(KINDS), number + 1))
            payload = changed(fields, chance, changes=chance.randint(1, 3))[:LONGEST]
            problems += await _delivered(writer.deliver(payload, "order.filled.rX", ORDERS_STREAM))
            if number % EVERY == 0:
                honest += 1
                one = event("order.accepted", HONEST + number)
                with neighbour:
                    problems += await _delivered(
                        writer.deliver(encode(one), "order.accepted.rX", ORDERS_STREAM)
                    )
        letters, counted = len(writer.ports.letters), writer.counted()
    stored = await _honest_rows(dsn("owner"))
    problems += [
        *unless(stored == honest, f"expected {honest} honest events stored, found {stored}"),
        *unless(counted == count + honest, f"expected {count + honest} messages counted, found {counted}"),
        *unless(neighbour.seconds < WITHIN, f"an honest event waited {neighbour.seconds:.1f} s"),
    ]
    return Found(part="messages", tried=count, refused=letters, slowest=neighbour.seconds, problems=problems)


async def _delivered(delivery: Awaitable[None]) -> list[str]:
    try:
        await asyncio.wait_for(delivery, limit())
    except TimeoutError:
        return ["a message held the writer up"]
    except Exception as unforeseen:  # noqa: BLE001 - this is what is looked for
        return [f"unforeseen {unforeseen!r:.200}"]
    return []


async def _honest_rows(database: str) -> int:
    connection = await asyncpg.connect(database)
    try:
        rows = "SELECT count(*) FROM order_event WHERE (payload->>'sequence')::numeric >= $1"
        return int(await connection.fetchval(rows, HONEST))
    finally:
        await connection.close()
