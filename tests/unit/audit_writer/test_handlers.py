"""The audit writer's handler as FastStream calls it: what is injected, what is decoded, what is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from audit_in_memory import running_writer
from sample_events import event

from order_events import encode
from order_events.subjects import ORDERS_STREAM, ORIGIN_SUBJECT, REDELIVERY_STREAM

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from audit_in_memory import RunningWriter


@pytest.fixture
async def running() -> AsyncIterator[RunningWriter]:
    async with running_writer() as writer:
        yield writer


async def test_an_event_that_a_publisher_sends_is_stored_as_it_was_published(running: RunningWriter) -> None:
    accepted = event("order.accepted", 1)
    await running.deliver(accepted, f"order.accepted.{accepted.account}", ORDERS_STREAM)
    assert running.ports.stored == [encode(accepted).decode()]


async def test_what_is_delivered_again_is_stored_by_the_same_handler(running: RunningWriter) -> None:
    filled = event("order.filled", 2)
    await running.deliver(filled, f"audit.redeliver.order.filled.{filled.account}", REDELIVERY_STREAM)
    assert running.ports.stored == [encode(filled).decode()]


async def test_bytes_that_are_no_event_become_a_dead_letter_and_raise_nothing(running: RunningWriter) -> None:
    await running.deliver(b"\xff\xfe", "order.filled.rX", ORDERS_STREAM)
    assert running.ports.stored == []
    [(payload, reason, origin)] = running.ports.letters
    assert (payload, origin[ORIGIN_SUBJECT]) == (b"\xff\xfe", "order.filled.rX")
    assert "JSON is malformed" in reason


async def test_a_type_that_is_no_utf_8_becomes_a_dead_letter_and_raises_nothing(
    running: RunningWriter,
) -> None:
    payload = encode(event("order.accepted", 1)).replace(b'"order.accepted"', b'"\xff\xfe"')
    await running.deliver(payload, "order.accepted.rX", ORDERS_STREAM)
    assert [letter[0] for letter in running.ports.letters] == [payload]


async def test_a_stream_that_nobody_subscribed_to_reaches_no_handler(running: RunningWriter) -> None:
    await running.deliver(event("order.accepted", 3), "order.accepted.rX", "ENGINE")
    assert running.ports.stored == []
