"""How fast the reconciler publishes events, beside nats-py without FastStream: `make bench`.

Both publish the same kinds of events to one stream that writes each commit to disk, in turns: batches of a
thousand, and one by one.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from itertools import count
from typing import TYPE_CHECKING

import nats
from bench.backlog import made_events
from rich.console import Console
from rich.table import Table

from local_stack import LocalStack
from order_events import encode
from order_events.subjects import ORDERS_STREAM, order_subject
from reconciler.adapters.atomic_batch import Message, publish_batch
from reconciler.adapters.event_publishers import EventPublishers, orders_publishers
from service_kit import StreamSettings, make_broker, provision

if TYPE_CHECKING:
    from nats.aio.client import Client

    from order_events import OrderEvent

ROUNDS = 9
BATCH, BATCHES = 1_000, 4
SINGLE = 200


class Contenders:
    """Four ways to publish the same events."""

    def __init__(self, client: Client, publishers: EventPublishers) -> None:
        self._client = client
        self._publishers = publishers

    async def batches(self, events: list[OrderEvent]) -> None:
        for start in range(0, len(events), BATCH):
            await self._publishers.publish_batch(events[start : start + BATCH])

    async def bare_batches(self, events: list[OrderEvent]) -> None:
        for start in range(0, len(events), BATCH):
            messages = [
                Message(subject=order_subject(one), payload=encode(one), headers=_headers(one))
                for one in events[start : start + BATCH]
            ]
            await publish_batch(self._client, messages)

    async def single(self, events: list[OrderEvent]) -> None:
        for event in events:
            await self._publishers.publish(event)

    async def bare_single(self, events: list[OrderEvent]) -> None:
        jetstream = self._client.jetstream()
        for event in events:
            await jetstream.publish(
                order_subject(event), encode(event), stream=ORDERS_STREAM, headers=_headers(event)
            )


def _headers(event: OrderEvent) -> dict[str, str]:
    return {"Nats-Msg-Id": str(event.event_id)}


async def compare(url: str) -> Table:
    """Measure all ways in turns."""
    client = await nats.connect(url)
    await provision(client.jetstream(), StreamSettings())
    broker = make_broker(url)
    contenders = Contenders(client, orders_publishers(broker))
    await broker.connect()
    ways = {
        "batches, nats-py": (contenders.bare_batches, BATCHES * BATCH),
        "batches, declared publishers": (contenders.batches, BATCHES * BATCH),
        "one by one, nats-py": (contenders.bare_single, SINGLE),
        "one by one, declared publishers": (contenders.single, SINGLE),
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    numbers = count(step=BATCHES * BATCH)
    for _ in range(ROUNDS):
        for name, (publish, size) in ways.items():
            events = list(made_events(next(numbers), size))
            began = time.perf_counter()
            await publish(events)
            rates[name].append(size / (time.perf_counter() - began))
    await broker.stop()
    await client.close()
    table = Table("", "events/s", "x nats-py", title="Events published and stored", title_justify="left")
    for name, found in rates.items():
        bare = rates[f"{name.partition(',')[0]}, nats-py"]
        against = statistics.median(one / other for one, other in zip(found, bare, strict=True))
        table.add_row(name, f"{statistics.median(found):,.0f}", f"{against:.2f}")
    table.caption = "medians; ratios are taken in each turn\nto reach: batches 0.75"
    return table


def main() -> None:
    """Measure and print."""
    with LocalStack.start() as stack:
        Console().print(asyncio.run(compare(stack.nats_url)))


if __name__ == "__main__":
    main()
