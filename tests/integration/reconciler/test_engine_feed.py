"""Stream ENGINE on a real NATS: everything up to now, each account its own, nothing twice."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from waiting import until_found

from order_events import CancelRequested, SessionStarted, encode
from order_events.subjects import (
    DEAD_LETTER_STREAM,
    ENGINE_STREAM,
    ORIGIN_SEQUENCE,
    ORIGIN_SUBJECT,
    REASON,
    engine_subject,
)
from reconciler.adapters import engine_feed, engine_history
from reconciler.adapters.dead_letters import DeadLetters
from reconciler.adapters.engine_feed import JetStreamEngineFeed
from reconciler.adapters.engine_history import JetStreamEngineHistory
from reconciler.metrics import Metrics
from reconciler.ports.bus import Announced, Announcement
from service_kit import StreamSettings, provision

pytestmark = pytest.mark.stack

ACCOUNT = "rPCLzUmkstqY8GTYhVW4LUVxr1ic25J3GX"
SUBJECT = f"engine.order.submitted.{ACCOUNT}"
SUBMITTED: dict[str, Any] = {
    "event_type": "engine.order.submitted",
    "account": ACCOUNT,
    "session_id": "s",
    "validated_ledger_index": 23,
    "sequence": 999,
    "taker_gets": {"asset": "XRP", "value": "100000000"},
    "taker_pays": {"asset": "USD.rrhyM3FTkZAu7RQBwnZ1zS79GEssxSmEd3", "value": "50"},
    "last_ledger_sequence": 26,
}
HOSTILE: list[dict[str, Any]] = [
    SUBMITTED | {"taker_gets": {"asset": "XRP", "value": "0." + "1" * 450}},
    SUBMITTED | {"taker_gets": {"asset": "XRP", "value": "9" * 500}},
    SUBMITTED | {"taker_gets": {"asset": "XRP", "value": "1e131090"}},
    SUBMITTED | {"client_order_id": "a\u0000b"},
]
"""Announcements that once ended the process, the views, or the audit of an order."""


def cancel(account: str, sequence: int) -> CancelRequested:
    return CancelRequested(account=account, sequence=sequence)


def encode_raw(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode()


async def letters(jetstream: JetStreamContext, expected: int) -> list[RawStreamMsg]:
    """Return the dead letters, once there are as many as expected."""

    async def written() -> bool:
        return (await jetstream.stream_info(DEAD_LETTER_STREAM)).state.messages >= expected

    await until_found(written)
    last = (await jetstream.stream_info(DEAD_LETTER_STREAM)).state.last_seq
    return [await jetstream.get_msg(DEAD_LETTER_STREAM, number) for number in range(1, last + 1)]


def heard(found: Announced) -> tuple[tuple[Announcement, ...], int]:
    return found.announcements, found.sequence


async def heard_of(feed: JetStreamEngineFeed, account: str) -> bool:
    return bool((await feed.announced(account)).announcements)


async def say(jetstream: JetStreamContext, *events: Announcement) -> None:
    for event in events:
        await jetstream.publish(engine_subject(event), encode(event), stream=ENGINE_STREAM)


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


@pytest.mark.parametrize(
    "payload",
    [
        b"not json",
        b'{"event_type": "engine.unheard.of", "account": "rOne"}',
        b'{"event_type": "engine.order.cancel_requested", "account": "rOne"}',
        b'{"event_type": "engine.session.started", "account": "rOne", "version": 99}',
        b"",
        *(encode_raw(message) for message in HOSTILE),
    ],
)
async def test_a_message_that_is_no_announcement_is_counted_and_blocks_nothing(
    feed: JetStreamEngineFeed, jetstream: JetStreamContext, metrics: Metrics, payload: bytes
) -> None:
    feed.follow("rOne", 0)
    await jetstream.publish(SUBJECT, payload, stream=ENGINE_STREAM)
    await say(jetstream, cancel("rOne", 1))
    assert (await feed.announced("rOne")).announcements == (cancel("rOne", 1),)
    assert metrics.registry.get_sample_value("reconciler_malformed_announcements_total") == 1
    [letter] = await letters(jetstream, 1)
    assert (letter.data or b"") == payload
    assert (letter.headers or {})[ORIGIN_SEQUENCE] == "1"
    assert (letter.headers or {})[ORIGIN_SUBJECT] == SUBJECT
    assert (letter.headers or {})[REASON]


async def test_a_cancel_that_is_forged_on_another_engines_subject_is_set_aside(
    feed: JetStreamEngineFeed, jetstream: JetStreamContext
) -> None:
    feed.follow("rOne", 0)
    forged = cancel("rOne", 7)
    await jetstream.publish("engine.order.cancel_requested.rForger", encode(forged), stream=ENGINE_STREAM)
    await say(jetstream, cancel("rOne", 8))
    assert (await feed.announced("rOne")).announcements == (cancel("rOne", 8),)
    [letter] = await letters(jetstream, 1)
    assert "expected subject engine.order.cancel_requested.rOne" in (letter.headers or {})[REASON]


async def test_a_message_that_is_read_again_or_by_another_replica_is_one_dead_letter(
    feed: JetStreamEngineFeed,
    jetstream: JetStreamContext,
    connected: Callable[[], Client],
    metrics: Metrics,
) -> None:
    feed.follow("rOne", 0)
    await jetstream.publish(SUBJECT, b"{", stream=ENGINE_STREAM)
    await feed.announced("rOne")
    feed.follow("rTwo", 0)
    await feed.announced("rTwo")
    assert metrics.registry.get_sample_value("reconciler_malformed_announcements_total") == 1
    replica = JetStreamEngineFeed(connected, metrics, DeadLetters(connected, metrics))
    replica.follow("rOne", 0)
    await replica.announced("rOne")
    await jetstream.publish(SUBJECT, b"{2", stream=ENGINE_STREAM)
    await replica.announced("rOne")
    assert [letter.data for letter in await letters(jetstream, 2)] == [b"{", b"{2"]


async def test_an_announcement_nearly_as_large_as_the_bus_allows_is_set_aside_in_part(
    feed: JetStreamEngineFeed, jetstream: JetStreamContext, client: Client
) -> None:
    feed.follow("rOne", 0)
    await jetstream.publish(SUBJECT, b"x" * (client.max_payload - 1000), stream=ENGINE_STREAM)
    assert (await feed.announced("rOne")).sequence == 1
    [letter] = await letters(jetstream, 1)
    assert set(letter.data or b"") == {ord("x")}


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
    await jetstream.publish(SUBJECT.replace(ACCOUNT, "rOne"), b"no announcement", stream=ENGINE_STREAM)
    history = JetStreamEngineHistory(connected, metrics, last_ledger=91, subject_without_account=False)
    history.follow("rOne", 20)
    looks = [await history.announced("rOne")]
    while looks[-1].more:
        looks.append(await history.announced("rOne"))
    assert [one for look in looks for one in look.announcements] == said[10:90]
    assert max(len(look.announcements) for look in looks) == 40
    assert looks[-1].sequence == 201


@pytest.mark.parametrize("believed", [False, True])
async def test_a_subject_that_names_no_account_is_believed_only_where_a_setting_says_so(
    connected: Callable[[], Client], jetstream: JetStreamContext, metrics: Metrics, *, believed: bool
) -> None:
    feed = JetStreamEngineFeed(
        connected, metrics, DeadLetters(connected, metrics), subject_without_account=believed
    )
    await jetstream.publish("engine.order.cancel_requested", encode(cancel("rOne", 1)), stream=ENGINE_STREAM)
    feed.follow("rOne", 0)
    assert (await feed.announced("rOne")).announcements == ((cancel("rOne", 1),) if believed else ())
    assert metrics.registry.get_sample_value("reconciler_malformed_announcements_total") == (not believed)
    feed.follow("rTwo", 0)
    feed.follow("rOne", 0)  # taken up again: it is behind, and reads for itself
    assert (await feed.announced("rOne")).announcements == ((cancel("rOne", 1),) if believed else ())


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
