"""The handler of stream ORDERS and of what is delivered again, and its subscriptions."""

import asyncio
import random
from collections.abc import Callable
from typing import Annotated

from faststream import AckPolicy, Context, Depends, NoCast
from faststream.nats import JStream, NatsBroker, PullSub
from faststream.nats.message import NatsBatchMessage
from faststream.nats.subscriber.usecases import LogicSubscriber
from nats.aio.msg import Msg
from nats.js.api import ConsumerConfig

from audit_writer.adapters.bus import NatsDelivery
from audit_writer.metrics import Metrics
from audit_writer.ports import DeadLetters, ProofStore, Store
from audit_writer.proofs import ProofWriter
from audit_writer.service import AuditWriter
from audit_writer.settings import AuditWriterSettings
from order_events.subjects import (
    AUDIT_CONSUMER,
    ORDERS_STREAM,
    ORDERS_SUBJECTS,
    PROOFS_STREAM,
    PROOFS_SUBJECTS,
    REDELIVERY_STREAM,
    REDELIVERY_SUBJECTS,
)
from service_kit import Tracing
from service_kit.streams import ACK_WAIT_S

SOURCES = {ORDERS_STREAM: ORDERS_SUBJECTS, REDELIVERY_STREAM: REDELIVERY_SUBJECTS}
"""The subjects by stream. Neither stream waits for the other: each has a consumer of its own."""
HOLD_SECONDS = ACK_WAIT_S / 3
PROOFS_AT_ONCE = 8
"""Proofs in a batch; each may have half a megabyte."""


async def as_delivered(message: NatsBatchMessage) -> list[Msg]:
    """Be a decoder that can't fail: one bad message must not cost the others of its batch."""
    return message.raw_message


def audit_writer(
    store: Annotated[Store, Context()],
    dead_letters: Annotated[DeadLetters, Context()],
    metrics: Annotated[Metrics, Context()],
    stopping: Annotated[asyncio.Event, Context()],
) -> AuditWriter:
    """Return the service with the ports of this application."""
    return AuditWriter(
        store=store,
        dead_letters=dead_letters,
        metrics=metrics,
        stopping=stopping,
        hold_every=HOLD_SECONDS,
        chance=random.random,
    )


def subscribe(
    broker: NatsBroker,
    *,
    stream: str,
    settings: AuditWriterSettings,
    identity: Callable[[], str],
    batch_done: Callable[[], None],
) -> LogicSubscriber[list[Msg]]:
    """Declare the durable consumer of a stream and its handler.

    Args:
        broker: may be connected later.
        stream: ORDERS or REDELIVER.
        settings: the size of a batch.
        identity: returns when stream ORDERS was created.
        batch_done: called after each batch.

    """
    subscriber = broker.subscriber(
        stream=JStream(stream, declare=False),
        durable=AUDIT_CONSUMER,
        config=ConsumerConfig(filter_subjects=list(SOURCES[stream])),
        pull_sub=PullSub(batch_size=settings.batch_size, timeout=settings.batch_seconds, batch=True),
        ack_policy=AckPolicy.MANUAL,
        decoder=as_delivered,
    )

    @subscriber
    async def store_events(
        messages: NoCast[list[Msg]],
        writer: Annotated[AuditWriter, Depends(audit_writer)],
        tracing: Annotated[Tracing, Context()],
    ) -> None:
        """Store a batch of events and acknowledge each message."""
        with tracing.continued("store", (message.headers for message in messages)):
            await writer.handle([NatsDelivery(message, identity()) for message in messages])
        batch_done()

    return subscriber


def proof_writer(
    store: Annotated[ProofStore, Context()],
    metrics: Annotated[Metrics, Context()],
    stopping: Annotated[asyncio.Event, Context()],
) -> ProofWriter:
    """Return the service of stream PROOFS with the ports of this application."""
    return ProofWriter(store=store, metrics=metrics, stopping=stopping)


def subscribe_to_proofs(
    broker: NatsBroker, *, settings: AuditWriterSettings, batch_done: Callable[[], None]
) -> LogicSubscriber[list[Msg]]:
    """Declare the durable consumer of stream PROOFS and its handler."""
    subscriber = broker.subscriber(
        stream=JStream(PROOFS_STREAM, declare=False),
        durable=AUDIT_CONSUMER,
        config=ConsumerConfig(filter_subjects=list(PROOFS_SUBJECTS)),
        pull_sub=PullSub(batch_size=PROOFS_AT_ONCE, timeout=settings.batch_seconds, batch=True),
        ack_policy=AckPolicy.MANUAL,
        decoder=as_delivered,
    )

    @subscriber
    async def store_proofs(
        messages: NoCast[list[Msg]], writer: Annotated[ProofWriter, Depends(proof_writer)]
    ) -> None:
        """Store a batch of proofs and acknowledge each message."""
        await writer.handle([NatsDelivery(message) for message in messages])
        batch_done()

    return subscriber
