"""The audit writer as a process of its own, on a real NATS and a real PostgreSQL."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

import asyncpg
import nats
import pytest
from waiting import limit

from order_events.subjects import AUDIT_CONSUMER, ORDERS_STREAM

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from pathlib import Path

    from conftest import Dsn
    from nats.aio.client import Client

    from local_stack import Child, LocalStack

POLL_SECONDS = 0.02


async def eventually(holds: Callable[[], Awaitable[bool]], what: str) -> None:
    """Wait until the condition holds."""
    seconds = limit()
    deadline = time.monotonic() + seconds
    while not await holds():
        assert time.monotonic() < deadline, f"expected within {seconds:g} s: {what}"
        await asyncio.sleep(POLL_SECONDS)


class Bus:
    """The reconciler's side of the bus."""

    def __init__(self, connection: Client) -> None:
        self._connection = connection
        self._published = 0
        self.jetstream = connection.jetstream()

    async def publish(self, *payloads: bytes, subject: str = "order.filled.rX") -> None:
        """Publish, without the id that would let the stream drop doubles, until the stream has them."""
        for payload in payloads:
            await self._connection.publish(subject, payload)
        self._published += len(payloads)
        await eventually(self._all_arrived, "all are in the stream")

    async def acknowledged(self) -> int:
        """Return how many messages, counted from the first, are done with."""
        info = await self.jetstream.consumer_info(ORDERS_STREAM, AUDIT_CONSUMER)
        return info.ack_floor.stream_seq if info.ack_floor else 0

    async def redelivered(self) -> int:
        info = await self.jetstream.consumer_info(ORDERS_STREAM, AUDIT_CONSUMER)
        return info.num_redelivered or 0

    async def all_acknowledged(self) -> None:
        """Wait until everything published is done with."""

        async def done() -> bool:
            return await self.acknowledged() == self._published

        await eventually(done, f"{self._published} are acknowledged")

    async def _all_arrived(self) -> bool:
        info = await self.jetstream.stream_info(ORDERS_STREAM)
        return info.state.messages == self._published


class Tables:
    """The owner's view of the database."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection

    async def count(self, table: str) -> int:
        found: int = await self.connection.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608 - ours
        return found

    @contextlib.asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        """Have every write of an event wait."""
        async with self.connection.transaction():
            await self.connection.execute("LOCK TABLE order_event IN ACCESS EXCLUSIVE MODE")
            yield

    async def somebody_waits(self) -> bool:
        waiting = "SELECT count(*) FROM pg_locks WHERE relation = 'order_event'::regclass AND NOT granted"
        return bool(await self.connection.fetchval(waiting))

    async def ids(self, table: str = "order_event") -> list[str]:
        rows = await self.connection.fetch(f"SELECT event_id FROM {table} ORDER BY 1")  # noqa: S608 - ours
        return [str(row["event_id"]) for row in rows]


@pytest.fixture
async def bus(provisioned_nats_url: str) -> AsyncIterator[Bus]:
    connection = await nats.connect(provisioned_nats_url)
    yield Bus(connection)
    await connection.close()


@pytest.fixture
def start(
    stack: LocalStack, postgres_dsn: Dsn, provisioned_nats_url: str, tmp_path: Path
) -> Iterator[Callable[..., Child]]:
    """Start an audit writer with more environment; all are killed at the end."""
    started: list[Child] = []

    def start_writer(**environment: str) -> Child:
        env = {
            "FILLPROOF_NATS_URL": provisioned_nats_url,
            "FILLPROOF_DATABASE_URL": postgres_dsn("audit_writer"),
            **environment,
        }
        writer = stack.spawn("audit_writer", env=env, log_path=tmp_path / f"writer{len(started)}.log")
        started.append(writer)
        return writer

    yield start_writer
    for writer in started:
        writer.kill()


@pytest.fixture
async def tables(postgres_dsn: Dsn) -> AsyncIterator[Tables]:
    connection = await asyncpg.connect(postgres_dsn())
    yield Tables(connection)
    await connection.close()
