"""Stream ENGINE on a real NATS: everything up to now, each account its own, nothing twice."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from announcing import cancel, heard, say
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from waiting import until_found

from order_events import CancelRequested, SessionStarted
from order_events.subjects import (
    ENGINE_STREAM,
)
from reconciler.adapters import engine_feed, engine_history
from reconciler.adapters.dead_letters import DeadLetters
from reconciler.adapters.engine_feed import JetStreamEngineFeed
from reconciler.adapters.engine_history import JetStreamEngineHistory
from reconciler.metrics import Metrics

if TYPE_CHECKING:
    from reconciler.ports.bus import Announcement

pytestmark = pytest.mark.stack


async def heard_of(feed: JetStreamEngineFeed, account: str) -> bool:
    return bool((await feed.announced(account)).announcements)


async def test_all_that_was_announced_up_to_now_is_returned_once(
    feed: JetStreamEngineFeed, jetstream: JetStreamContext
) -> None:
    feed.follow("rOne", 0)
    said: tuple[Announcement, ...] = (
        SessionStarted(account="rOne", session_id="s"),
        *(cancel("rOne", n) for n in range(1, 21)),
    )
    await say(jetstream, *said)
    assert heard(await feed.announced("rOne")) == (said, 21)
    assert heard(await feed.announced("rOne")) == ((), 21)


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

    def take_up_another(message: RawStreamMsg) -> None:
        monkeypatch.undo()
        take(message)
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

    async def counted() -> bool:
        nonlocal readings
        readings += 1
        return await read()

    monkeypatch.setattr(feed, "_read", counted)
    looks = await asyncio.gather(*map(feed.announced, accounts))
    assert [one.announcements for one in looks] == [(cancel(account, 7),) for account in accounts]
    assert [one.sequence for one in looks] == [50] * 50
    assert readings == 2  # the first one began before the others had asked


async def test_a_flood_holds_no_look_up_and_is_heard_in_the_looks_that_follow(
    connected: Callable[[], Client], jetstream: JetStreamContext, metrics: Metrics
) -> None:
    feed = JetStreamEngineFeed(connected, metrics, DeadLetters(connected, metrics), seconds_a_look=0)
    feed.follow("rOne", 0)
    feed.follow("rTwo", 0)
    for number in range(1, 201):
        await say(jetstream, cancel("rOne", number))
    await say(jetstream, cancel("rTwo", 1))
    first = await feed.announced("rTwo")
    assert first.announcements == ()  # what was read in no time has nothing of it
    assert first.sequence < 201
    told: list[Announcement] = []
    while len(told) < 200:
        look = await feed.announced("rOne")
        told += look.announcements
    assert told == [cancel("rOne", number) for number in range(1, 201)]
    await until_found(lambda: heard_of(feed, "rTwo"))


async def test_one_look_takes_a_bounded_number_and_no_announcement_is_left_out(
    feed: JetStreamEngineFeed, jetstream: JetStreamContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_feed, "MOST_A_LOOK", 3)
    feed.follow("rOne", 0)
    await say(jetstream, *(cancel("rOne", number) for number in range(1, 8)))
    looks = [await feed.announced("rOne") for _ in range(3)]
    assert [look.sequence for look in looks] == [3, 6, 7]
    told = [announcement for look in looks for announcement in look.announcements]
    assert told == [cancel("rOne", number) for number in range(1, 8)]


async def test_an_account_whose_engine_floods_reads_it_again_for_itself_and_holds_little(
    feed: JetStreamEngineFeed, jetstream: JetStreamContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_feed, "MOST_WAITING", 50)
    feed.follow("rOne", 0)
    feed.follow("rTwo", 0)
    said = [cancel("rOne", number) for number in range(1, 301)]
    for event in said:
        await say(jetstream, event)
    await say(jetstream, cancel("rTwo", 1))
    assert (await feed.announced("rTwo")).announcements == (cancel("rTwo", 1),)
    assert len(feed._accounts["rOne"].waiting) <= 50  # noqa: SLF001 - what it holds
    told: list[Announcement] = []
    more = True
    while more:
        look = await feed.announced("rOne")
        told, more = [*told, *look.announcements], look.more
    assert told == said


async def test_an_account_that_is_added_reads_its_own_past_and_others_hear_what_is_new_at_once(
    connected: Callable[[], Client],
    jetstream: JetStreamContext,
    metrics: Metrics,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine_feed, "MOST_A_LOOK", 20)
    feed = JetStreamEngineFeed(connected, metrics, DeadLetters(connected, metrics), seconds_a_look=0)
    past = [cancel("rAdded", number) for number in range(1, 101)]
    await say(jetstream, *past, cancel("rOne", 1))
    feed.follow("rAdded", 0)
    feed.follow("rOne", 100)  # as a restart takes it up, with an account more in the settings
    assert heard(await feed.announced("rOne")) == ((cancel("rOne", 1),), 101)
    looks = [await feed.announced("rAdded") for _ in range(6)]
    assert [one for look in looks for one in look.announcements] == past
    assert [len(look.announcements) for look in looks] == [20, 20, 20, 20, 20, 0]
    assert [look.more for look in looks] == [True, True, True, True, False, False]


async def test_the_past_of_an_account_is_heard_in_full_and_a_part_at_a_time(
    connected: Callable[[], Client],
    jetstream: JetStreamContext,
    metrics: Metrics,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine_history, "MOST_AT_ONCE", 40)
    said = [
        CancelRequested(account="rOne", sequence=number, validated_ledger_index=number)
        for number in range(1, 101)
    ]
    for event in said:
        await say(jetstream, event, cancel("rTwo", 1))
    await jetstream.publish("engine.order.submitted.rOne", b"no announcement", stream=ENGINE_STREAM)
    history = JetStreamEngineHistory(connected, metrics, last_ledger=91, subject_without_account=False)
    history.follow("rOne", 20)
    looks = [await history.announced("rOne")]
    while looks[-1].more:
        looks.append(await history.announced("rOne"))
    assert [one for look in looks for one in look.announcements] == said[10:90]
    assert max(len(look.announcements) for look in looks) == 40
    assert looks[-1].sequence == 201
