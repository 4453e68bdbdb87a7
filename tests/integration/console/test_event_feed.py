"""The feed of `run` against a real bus: whatever is published or delivered again is shown once."""

import time
from collections.abc import AsyncIterator, Iterable

import nats
import pytest
from nats.js import JetStreamContext
from on_the_bus import fill
from waiting import limit

from console.live.event_feed import EventFeed
from order_events import OrderFilled, encode
from order_events.subjects import order_subject

pytestmark = pytest.mark.stack


@pytest.fixture
async def jetstream(provisioned_nats_url: str) -> AsyncIterator[JetStreamContext]:
    connection = await nats.connect(provisioned_nats_url)
    yield connection.jetstream()
    await connection.close()


async def publish(jetstream: JetStreamContext, numbers: Iterable[int], *, named: bool = True) -> None:
    for number in numbers:
        event = fill(number)
        headers = {"Nats-Msg-Id": str(event.event_id)} if named else None
        await jetstream.publish(order_subject(event), encode(event), headers=headers)


async def opened(jetstream: JetStreamContext) -> EventFeed:
    return await EventFeed.opened(jetstream, "screen", time.monotonic)


async def shown(feed: EventFeed, upto: int) -> list[int]:
    """Read until the fill of that number has been shown, then end the feed."""
    numbers: list[int] = []
    async for event in feed.read():
        assert isinstance(event, OrderFilled)
        numbers.append(event.event_id.int)
        if numbers[-1] == upto:
            assert await feed.end() == []
            return numbers
    raise AssertionError("a feed ends only when it is told to")


async def test_a_feed_begins_with_what_comes_from_now_on(jetstream: JetStreamContext) -> None:
    await publish(jetstream, [1, 2])
    feed = await opened(jetstream)
    await publish(jetstream, [3])
    assert await shown(feed, upto=3) == [3]


async def test_the_next_feed_of_the_name_goes_on_after_the_last_event_that_was_shown(
    jetstream: JetStreamContext,
) -> None:
    feed = await opened(jetstream)
    await publish(jetstream, [1, 2])
    assert await shown(feed, upto=2) == [1, 2]
    await publish(jetstream, [3])
    assert await shown(await opened(jetstream), upto=3) == [3]


async def test_an_event_that_a_killed_reconciler_publishes_again_much_later_is_shown_once(
    jetstream: JetStreamContext,
) -> None:
    config = (await jetstream.stream_info("ORDERS")).config
    await jetstream.update_stream(config, duplicate_window=0.1)
    feed = await opened(jetstream)
    await publish(jetstream, [1])
    assert await shown(feed, upto=1) == [1]
    stored = 1
    deadline = time.monotonic() + limit()
    while stored == 1 and time.monotonic() < deadline:  # until the bus itself takes it for new
        await publish(jetstream, [1])
        stored = (await jetstream.stream_info("ORDERS")).state.messages
    assert stored == 2
    await publish(jetstream, [2])
    assert await shown(await opened(jetstream), upto=2) == [2]
