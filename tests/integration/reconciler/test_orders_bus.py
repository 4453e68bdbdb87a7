"""Stream ORDERS on a real NATS: what is stored, how often, in which order, and what is given up when."""

import asyncio
import time

import msgspec
import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext
from on_the_bus import disappearance, fill, stored, stored_events
from waiting import limit, moment, until

from order_events import Provenance, encode
from order_events.subjects import ORDERS_STREAM
from reconciler.adapters.event_publishers import EventPublishers
from reconciler.adapters.orders_bus import JetStreamOrders
from reconciler.metrics import Metrics

pytestmark = pytest.mark.stack


async def set_subjects(jetstream: JetStreamContext, *subjects: str) -> None:
    config = (await jetstream.stream_info(ORDERS_STREAM)).config
    await jetstream.update_stream(config, subjects=list(subjects))


@pytest.mark.parametrize("count", [1, 2, 1000, 1001, 2500])
async def test_all_events_of_a_ledger_are_stored_in_their_order(
    orders: JetStreamOrders, jetstream: JetStreamContext, count: int
) -> None:
    events = [fill(number) for number in range(count)]
    await orders.publish(events)
    assert await stored(jetstream) == [encode(event) for event in events]


async def test_what_is_published_again_is_stored_once(
    orders: JetStreamOrders, jetstream: JetStreamContext
) -> None:
    events = [fill(number) for number in range(6)]
    await orders.publish(events[:4])
    await orders.publish(events[2:])  # a batch with known ids in it is refused: they go one by one
    await orders.publish(events)
    assert await stored(jetstream) == [encode(event) for event in events]


async def test_published_events_are_counted_by_type(orders: JetStreamOrders, metrics: Metrics) -> None:
    await orders.publish([fill(1), fill(2), fill(3)])
    await orders.offer([disappearance(1)], 5)
    count = metrics.registry.get_sample_value
    assert count("reconciler_events_total", {"event_type": "order.filled"}) == 3
    assert count("reconciler_events_total", {"event_type": "order.disappeared"}) == 1


async def test_the_time_from_a_ledgers_close_to_its_event_on_the_bus_is_measured(
    client: Client, publishers: EventPublishers, metrics: Metrics
) -> None:
    live, old = fill(1), msgspec.structs.replace(fill(2), provenance=Provenance.BACKFILL)
    now = live.occurred_at.timestamp() + 4
    orders = JetStreamOrders(publishers, lambda: client, metrics, clock=lambda: now)
    await orders.publish([live, old])
    value = metrics.registry.get_sample_value
    assert value("reconciler_event_delay_seconds_count") == 1
    assert value("reconciler_event_delay_seconds_sum") == 4


async def test_offered_disappearances_are_stored_in_their_order(
    orders: JetStreamOrders, jetstream: JetStreamContext
) -> None:
    offered = [disappearance(number) for number in range(200)]
    assert await orders.offer(offered, limit()) == []
    assert await stored(jetstream) == [encode(event) for event in offered]


async def test_disappearances_that_no_stream_takes_are_owed_at_once(
    orders: JetStreamOrders, jetstream: JetStreamContext
) -> None:
    await set_subjects(jetstream, "order.filled.>", "order.accepted.>")
    offered = [disappearance(1), disappearance(2)]
    began = time.monotonic()
    assert await orders.offer(offered, limit()) == offered
    assert time.monotonic() - began < moment()


async def test_disappearances_that_get_no_answer_cost_no_more_than_the_time_given(
    orders: JetStreamOrders, jetstream: JetStreamContext, client: Client
) -> None:
    await set_subjects(jetstream, "order.filled.>", "order.accepted.>")
    stalled = await client.subscribe("order.disappeared.>")  # takes them, and never answers
    offered = [disappearance(1), disappearance(2)]
    began = time.monotonic()
    assert await orders.offer(offered, 0.2) == offered
    assert time.monotonic() - began < moment()
    await orders.publish([fill(1)])
    assert await stored_events(jetstream) == [fill(1)]
    await stalled.unsubscribe()


async def test_a_full_stream_holds_publication_until_there_is_room(
    orders: JetStreamOrders, jetstream: JetStreamContext, metrics: Metrics
) -> None:
    config = (await jetstream.stream_info(ORDERS_STREAM)).config
    await jetstream.update_stream(config, max_msgs=1)
    events = [fill(1), fill(2), fill(3)]
    publishing = asyncio.create_task(orders.publish(events))
    await until(lambda: bool(metrics.registry.get_sample_value("reconciler_bus_retries_total")))
    assert not publishing.done()
    await jetstream.update_stream(config, max_msgs=-1)
    await publishing
    assert await stored_events(jetstream) == events
