"""The audit writer's application on a broker in memory: messages go to its own handler."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from faststream.nats import NatsBroker, TestNatsBroker

from audit_writer.main import create_app
from audit_writer.settings import AuditWriterSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from audit_writer.metrics import Metrics
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


class Writes(Protocol):
    """What the handler needs of a store."""

    async def write(self, rows: Rows) -> int:
        """Write all or nothing, and return how many events were new."""
        ...


@dataclass
class RunningWriter:
    """The application, started on a broker in memory."""

    broker: NatsBroker
    ports: Ports
    metrics: Metrics

    def counted(self) -> int:
        """Return how many messages were counted, by whatever came of them."""
        events = self.metrics.events.collect()
        return int(sum(one.value for found in events for one in found.samples if one.name.endswith("_total")))

    async def deliver(self, payload: object, subject: str, stream: str) -> None:
        await self.broker.publish(payload, subject, stream=stream, reply_to=REPLY.format(stream=stream))


@contextlib.asynccontextmanager
async def running_writer(store: Writes | None = None) -> AsyncIterator[RunningWriter]:
    """Start the application; `store`: by default one in memory."""
    app = create_app(SETTINGS)
    ports = Ports()
    app.context.set_global("store", store or ports)
    app.context.set_global("dead_letters", ports)
    assert isinstance(app.broker, NatsBroker)
    async with TestNatsBroker(app.broker) as broker:
        yield RunningWriter(broker, ports, app.context.get("metrics"))
