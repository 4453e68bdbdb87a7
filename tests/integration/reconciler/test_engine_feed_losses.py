"""Stream ENGINE on a real NATS: announcements that were lost there are told."""

from collections.abc import Awaitable, Callable

import msgspec
import pytest
from announcing import cancel, heard, say
from nats.aio.client import Client
from nats.js import JetStreamContext

from order_events.subjects import (
    ENGINE_STREAM,
)
from reconciler.adapters.dead_letters import DeadLetters
from reconciler.adapters.engine_feed import JetStreamEngineFeed
from reconciler.metrics import Metrics
from service_kit import StreamSettings, provision

pytestmark = pytest.mark.stack


async def test_messages_that_aged_out_before_an_account_was_followed_are_stepped_over(
    feed: JetStreamEngineFeed, jetstream: JetStreamContext
) -> None:
    feed.follow("rOne", 0)
    await say(jetstream, *(cancel("rOne", n) for n in range(5)))
    await jetstream.purge_stream(ENGINE_STREAM, keep=1)
    found = await feed.announced("rOne")
    assert heard(found) == ((cancel("rOne", 4),), 5)
    assert found.lost is None


async def made_anew(jetstream: JetStreamContext) -> None:
    await jetstream.delete_stream(ENGINE_STREAM)
    await provision(jetstream, StreamSettings())


async def purged(jetstream: JetStreamContext) -> None:
    await say(jetstream, cancel("rOne", 7), cancel("rOne", 8))
    await jetstream.purge_stream(ENGINE_STREAM)


async def with_a_hole(jetstream: JetStreamContext) -> None:
    await say(jetstream, cancel("rOne", 7), cancel("rOne", 8))
    await jetstream.delete_msg(ENGINE_STREAM, 4)


async def with_a_hole_where_it_was_read(jetstream: JetStreamContext) -> None:
    await jetstream.delete_msg(ENGINE_STREAM, 3)


Damage = Callable[[JetStreamContext], Awaitable[None]]
DAMAGES: list[tuple[Damage, str]] = [
    (made_anew, "found one of"),
    (purged, "found 6 as the oldest"),
    (with_a_hole, "message 4 of stream ENGINE, found a hole"),
    (with_a_hole_where_it_was_read, "message 3 of stream ENGINE as it was read, found a hole"),
]


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize(("damage", "told"), DAMAGES, ids=lambda one: getattr(one, "__name__", None))
async def test_announcements_that_are_lost_are_told_once_and_what_is_there_is_heard(  # noqa: PLR0913, PLR0917
    feed: JetStreamEngineFeed,
    connected: Callable[[], Client],
    jetstream: JetStreamContext,
    metrics: Metrics,
    damage: Damage,
    told: str,
    *,
    restarted: bool,
) -> None:
    await say(jetstream, *(cancel("rOne", number) for number in range(1, 4)))
    feed.follow("rOne", 0)
    before = await feed.announced("rOne")
    assert (before.sequence, before.lost) == (3, None)
    await damage(jetstream)
    if restarted:
        feed = JetStreamEngineFeed(connected, metrics, DeadLetters(connected, metrics))
        feed.follow("rOne", before.sequence, before.mark)
    await say(jetstream, cancel("rOne", 9))
    looks = [await feed.announced("rOne") for _ in range(3)]
    assert told in (looks[0].lost or "")
    assert [look.lost for look in looks[1:]] == [None, None]
    assert [one for look in looks for one in look.announcements][-1] == cancel("rOne", 9)


async def test_a_stream_that_went_back_and_grew_again_is_known_from_the_one_that_was_read(
    connected: Callable[[], Client], jetstream: JetStreamContext, metrics: Metrics
) -> None:
    await say(jetstream, cancel("rOne", 1), cancel("rOne", 2))
    feed = JetStreamEngineFeed(connected, metrics, DeadLetters(connected, metrics))
    feed.follow("rOne", 0)
    before = await feed.announced("rOne")
    assert before.mark is not None
    other = msgspec.structs.replace(before.mark, digest="0" * 16)  # message 2 was another one then
    feed = JetStreamEngineFeed(connected, metrics, DeadLetters(connected, metrics))
    feed.follow("rOne", before.sequence, other)
    feed.follow("rTwo", 2, before.mark)
    found = await feed.announced("rOne")
    assert "message 2 of stream ENGINE as it was read, found another one" in (found.lost or "")
    assert heard(found) == ((cancel("rOne", 1), cancel("rOne", 2)), 2)
    assert (await feed.announced("rTwo")).lost is None


async def test_an_account_of_an_earlier_version_is_told_of_a_stream_that_is_shorter_than_it_was(
    feed: JetStreamEngineFeed, jetstream: JetStreamContext
) -> None:
    feed.follow("rOne", 500)
    await say(jetstream, cancel("rOne", 1))
    found = await feed.announced("rOne")
    assert heard(found) == ((cancel("rOne", 1),), 1)
    assert "expected 500 or more messages" in (found.lost or "")
