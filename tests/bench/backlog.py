"""Order events on the bus as the reconciler puts them there, and watching a consumer work them off."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import nats.js.errors
from sample_events import KINDS, event

from order_events import encode
from order_events.subjects import ORDERS_STREAM, order_subject
from reconciler.adapters.atomic_batch import Message, publish_batch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nats.aio.client import Client

    from local_stack import Child
    from order_events import OrderEvent

BATCH = 1_000
POLL_SECONDS = 0.02
GIVE_UP_SECONDS = 600.0


def made_events(first: int, count: int) -> Iterator[OrderEvent]:
    """Yield so many events about as many orders, the kinds in turn."""
    for number in range(first, first + count):
        yield event(KINDS[number % len(KINDS)], number)


async def publish(client: Client, first: int, count: int) -> None:
    """Publish events in atomic batches."""
    for start in range(first, first + count, BATCH):
        size = min(BATCH, first + count - start)
        messages = [
            Message(
                subject=order_subject(one),
                payload=encode(one),
                headers={"Nats-Msg-Id": str(one.event_id)},
            )
            for one in made_events(start, size)
        ]
        await publish_batch(client, messages)


async def acknowledged(client: Client, consumer: str) -> int:
    """Return how many events of the stream, from the first, are done with; 0 before the consumer is made."""
    try:
        info = await client.jetstream().consumer_info(ORDERS_STREAM, consumer)
    except nats.js.errors.NotFoundError:
        return 0
    return info.ack_floor.stream_seq if info.ack_floor else 0


async def rate(client: Client, consumer: str, count: int, worker: Child) -> float:
    """Return how many events a second are acknowledged, from the first ones seen on until `count` are."""
    started, before = await reach(client, consumer, 1, worker)
    ended, after = await reach(client, consumer, count, worker)
    return (after - before) / (ended - started)


async def reach(client: Client, consumer: str, count: int, worker: Child) -> tuple[float, int]:
    """Wait until so many are acknowledged; returns the time (seconds) and how many were then."""
    deadline = time.perf_counter() + GIVE_UP_SECONDS
    while True:
        done, now = await acknowledged(client, consumer), time.perf_counter()
        if done >= count:
            return now, done
        worker.check()
        if now > deadline:
            raise TimeoutError(f"expected {count} events acknowledged by {consumer}, found {done}")
        await asyncio.sleep(POLL_SECONDS)
