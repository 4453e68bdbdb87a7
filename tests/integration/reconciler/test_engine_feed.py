"""Stream ENGINE on a real NATS: everything up to now, each account its own, nothing twice."""

import asyncio

import pytest
from nats.js import JetStreamContext

from order_events import CancelRequested, SessionStarted, encode
from order_events.subjects import ENGINE_STREAM, engine_subject
from reconciler.adapters.engine_feed import JetStreamEngineFeed
from reconciler.metrics import Metrics
from reconciler.ports.bus import Announced, Announcement

pytestmark = pytest.mark.stack


def cancel(account: str, sequence: int) -> CancelRequested:
    return CancelRequested(account=account, sequence=sequence)


async def say(jetstream: JetStreamContext, *events: Announcement) -> None:
    for event in events:
        await jetstream.publish(engine_subject(event), encode(event), stream=ENGINE_STREAM)


async def test_all_that_was_announced_up_to_now_is_returned_once(
    feed: JetStreamEngineFeed, jetstream: JetStreamContext
) -> None:
    feed.follow("rOne", 0)
    said: tuple[Announcement, ...] = (
        SessionStarted(account="rOne", session_id="s"),
        *(cancel("rOne", n) for n in range(20)),
    )
    await say(jetstream, *said)
    assert await feed.announced("rOne") == Announced(announcements=said, sequence=21)
    assert await feed.announced("rOne") == Announced(announcements=(), sequence=21)


async def test_accounts_hear_their_own_engine_only(
    feed: JetStreamEngineFeed, jetstream: JetStreamContext
) -> None:
    feed.follow("rOne", 0)
    feed.follow("rTwo", 0)
    await say(jetstream, cancel("rOne", 1), cancel("rTwo", 2), cancel("rStranger", 3), cancel("rOne", 4))
    assert (await feed.announced("rOne")).announcements == (cancel("rOne", 1), cancel("rOne", 4))
    assert (await feed.announced("rTwo")).announcements == (cancel("rTwo", 2),)


async def test_an_account_goes_on_after_what_it_has_applied(
    feed: JetStreamEngineFeed, jetstream: JetStreamContext
) -> None:
    await say(jetstream, cancel("rOne", 1), cancel("rTwo", 2), cancel("rOne", 3))
    feed.follow("rOne", 2)
    assert (await feed.announced("rOne")).announcements == (cancel("rOne", 3),)
    feed.follow("rTwo", 0)  # one that begins later reads what the first one had no use for
    assert (await feed.announced("rTwo")).announcements == (cancel("rTwo", 2),)


async def test_an_account_that_is_taken_up_while_others_are_read_for_misses_nothing(
    feed: JetStreamEngineFeed, jetstream: JetStreamContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    await say(jetstream, cancel("rTwo", 1), cancel("rOne", 2))
    feed.follow("rOne", 1)
    take = feed._sort_in  # noqa: SLF001 - the moment between two messages

    def take_up_another(sequence: int, payload: bytes) -> None:
        monkeypatch.undo()
        take(sequence, payload)
        feed.follow("rTwo", 0)

    monkeypatch.setattr(feed, "_sort_in", take_up_another)
    assert (await feed.announced("rOne")).announcements == (cancel("rOne", 2),)
    assert (await feed.announced("rTwo")).announcements == (cancel("rTwo", 1),)


async def test_accounts_that_ask_at_the_same_time_share_one_reading_and_each_hears_all(
    feed: JetStreamEngineFeed, jetstream: JetStreamContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts = [f"r{number}" for number in range(50)]
    for account in accounts:
        feed.follow(account, 0)
    await say(jetstream, *(cancel(account, 7) for account in accounts))
    read, readings = feed._read, 0  # noqa: SLF001 - counted

    async def counted() -> None:
        nonlocal readings
        readings += 1
        await read()

    monkeypatch.setattr(feed, "_read", counted)
    heard = await asyncio.gather(*map(feed.announced, accounts))
    assert [one.announcements for one in heard] == [(cancel(account, 7),) for account in accounts]
    assert [one.sequence for one in heard] == [50] * 50
    assert readings == 2  # the first one began before the others had asked


@pytest.mark.parametrize(
    "payload",
    [
        b"not json",
        b'{"event_type": "engine.unheard.of", "account": "rOne"}',
        b'{"event_type": "engine.order.cancel_requested", "account": "rOne"}',
        b'{"event_type": "engine.session.started", "account": "rOne", "version": 99}',
        b"",
    ],
)
async def test_a_message_that_is_no_announcement_is_counted_and_blocks_nothing(
    feed: JetStreamEngineFeed, jetstream: JetStreamContext, metrics: Metrics, payload: bytes
) -> None:
    feed.follow("rOne", 0)
    await jetstream.publish("engine.order.submitted", payload, stream=ENGINE_STREAM)
    await say(jetstream, cancel("rOne", 1))
    assert (await feed.announced("rOne")).announcements == (cancel("rOne", 1),)
    assert metrics.registry.get_sample_value("reconciler_malformed_announcements_total") == 1


async def test_messages_that_have_aged_out_are_stepped_over(
    feed: JetStreamEngineFeed, jetstream: JetStreamContext
) -> None:
    feed.follow("rOne", 0)
    await say(jetstream, *(cancel("rOne", n) for n in range(5)))
    await jetstream.purge_stream(ENGINE_STREAM, keep=1)
    assert await feed.announced("rOne") == Announced(announcements=(cancel("rOne", 4),), sequence=5)


async def test_a_stream_that_begins_anew_is_read_from_its_beginning(
    feed: JetStreamEngineFeed, jetstream: JetStreamContext
) -> None:
    feed.follow("rOne", 500)
    await say(jetstream, cancel("rOne", 1))
    assert await feed.announced("rOne") == Announced(announcements=(cancel("rOne", 1),), sequence=1)
