"""The audit writer's handler as FastStream calls it: what is injected, what is decoded, what is stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from faststream.nats import NatsBroker, TestNatsBroker
from sample_events import event

from audit_writer.main import create_app
from audit_writer.settings import AuditWriterSettings
from order_events import encode
from order_events.subjects import ORDERS_STREAM, ORIGIN_SUBJECT, REDELIVERY_STREAM

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from audit_writer.ports import Delivery, Rows

SETTINGS = AuditWriterSettings.model_validate({"database_url": "postgresql://nobody@127.0.0.1:1/none"})
REPLY = "$JS.ACK.{stream}.audit-writer.1.17.3.1795376387055319000.4"
"""Where JetStream wants its answer: the stream, how often, the sequence."""


@dataclass
class Ports:
    """A store and dead letters in memory."""

    stored: list[str] = field(default_factory=list)
    letters: list[tuple[bytes, str, Mapping[str, str]]] = field(default_factory=list)

    async def write(self, rows: Rows) -> int:
        self.stored.extend(rows.events)
        return len(rows.events)

    async def publish(self, delivery: Delivery, reason: str) -> None:
        self.letters.append((delivery.payload, reason, delivery.origin))


@dataclass
class Running:
    """The application, started on a broker in memory."""

    broker: NatsBroker
    ports: Ports

    async def deliver(self, payload: object, subject: str, stream: str) -> None:
        await self.broker.publish(payload, subject, stream=stream, reply_to=REPLY.format(stream=stream))


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    app = create_app(SETTINGS)
    ports = Ports()
    app.context.set_global("store", ports)
    app.context.set_global("dead_letters", ports)
    assert isinstance(app.broker, NatsBroker)
    async with TestNatsBroker(app.broker) as broker:
        yield Running(broker, ports)


async def test_an_event_that_a_publisher_sends_is_stored_as_it_was_published(running: Running) -> None:
    accepted = event("order.accepted", 1)
    await running.deliver(accepted, f"order.accepted.{accepted.account}", ORDERS_STREAM)
    assert running.ports.stored == [encode(accepted).decode()]


async def test_what_is_delivered_again_is_stored_by_the_same_handler(running: Running) -> None:
    filled = event("order.filled", 2)
    await running.deliver(filled, f"audit.redeliver.order.filled.{filled.account}", REDELIVERY_STREAM)
    assert running.ports.stored == [encode(filled).decode()]


async def test_bytes_that_are_no_event_become_a_dead_letter_and_raise_nothing(running: Running) -> None:
    await running.deliver(b"\xff\xfe", "order.filled.rX", ORDERS_STREAM)
    assert running.ports.stored == []
    [(payload, reason, origin)] = running.ports.letters
    assert (payload, origin[ORIGIN_SUBJECT]) == (b"\xff\xfe", "order.filled.rX")
    assert "JSON is malformed" in reason


async def test_a_stream_that_nobody_subscribed_to_reaches_no_handler(running: Running) -> None:
    await running.deliver(event("order.accepted", 3), "order.accepted.rX", "ENGINE")
    assert running.ports.stored == []
