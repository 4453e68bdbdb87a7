"""Stream ENGINE on a real NATS: what is no announcement of the account becomes a dead letter."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from announcing import cancel, say
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from waiting import until_found

from order_events import encode
from order_events.subjects import (
    DEAD_LETTER_STREAM,
    ENGINE_STREAM,
    ORIGIN_SEQUENCE,
    ORIGIN_SUBJECT,
    REASON,
)
from reconciler.adapters.dead_letters import DeadLetters
from reconciler.adapters.engine_feed import JetStreamEngineFeed
from reconciler.metrics import Metrics

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


def encode_raw(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode()


async def letters(jetstream: JetStreamContext, expected: int) -> list[RawStreamMsg]:
    """Return the dead letters, once there are as many as expected."""

    async def written() -> bool:
        return (await jetstream.stream_info(DEAD_LETTER_STREAM)).state.messages >= expected

    await until_found(written)
    last = (await jetstream.stream_info(DEAD_LETTER_STREAM)).state.last_seq
    return [await jetstream.get_msg(DEAD_LETTER_STREAM, number) for number in range(1, last + 1)]


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
