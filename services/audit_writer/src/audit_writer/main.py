"""Wire the audit writer: NATS -> service -> PostgreSQL."""

import gc
import random
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, PullSub
from faststream.nats.message import NatsBatchMessage
from faststream.params import NoCast
from nats.aio.msg import Msg

from audit_writer.adapters.bus import NatsDeadLetters, NatsDelivery
from audit_writer.adapters.database import PostgresStore
from audit_writer.adapters.pull import Pull
from audit_writer.health import ConsumerWatch
from audit_writer.metrics import Metrics
from audit_writer.service import AuditWriter
from audit_writer.settings import AuditWriterSettings
from order_events.subjects import AUDIT_CONSUMER, ORDERS_STREAM, REDELIVERY_STREAM
from service_kit import load_settings, make_app, make_broker, run, set_up_logs
from service_kit.streams import ACK_WAIT_S, AUDIT_FILTER, REDELIVERY_FILTER


async def as_delivered(message: NatsBatchMessage) -> list[Msg]:
    """Be a decoder that can't fail: one bad message must not cost the others of its batch."""
    return message.raw_message


def subscribe(
    broker: NatsBroker,
    settings: AuditWriterSettings,
    writer: AuditWriter,
    source: tuple[str, str],
    batch_done: Callable[[], None],
) -> Pull:
    """Have `writer` handle the batches of `source` (stream, filter)."""
    stream, subjects = source
    subscriber = broker.subscriber(
        subjects,
        stream=JStream(stream, declare=False),
        durable=AUDIT_CONSUMER,
        pull_sub=PullSub(batch_size=settings.batch_size, timeout=settings.batch_seconds, batch=True),
        ack_policy=AckPolicy.MANUAL,
        decoder=as_delivered,
    )

    @subscriber
    async def take(messages: NoCast[list[Msg]]) -> None:
        await writer.handle([NatsDelivery(message) for message in messages])
        batch_done()

    return Pull(broker, subscriber, stream=stream, durable=AUDIT_CONSUMER, hold_every=ACK_WAIT_S / 3)


def main() -> int:
    """Run until TERM or INT; returns the exit status."""
    settings = load_settings(AuditWriterSettings)
    set_up_logs("audit_writer", settings)
    broker = make_broker(settings.nats_url)
    metrics = Metrics()
    watch = ConsumerWatch(broker, metrics)
    store = PostgresStore(settings.database_url.get_secret_value())
    writer = AuditWriter(
        store=store,
        dead_letters=NatsDeadLetters(broker),
        metrics=metrics,
        hold_every=ACK_WAIT_S / 3,
        chance=random.random,
    )

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        await watch.look()
        async with store:
            yield

    # what is given again has a loop of its own: it neither waits for what is new nor holds it up
    pulls = [
        subscribe(broker, settings, writer, (ORDERS_STREAM, AUDIT_FILTER), watch.batch_done),
        subscribe(broker, settings, writer, (REDELIVERY_STREAM, REDELIVERY_FILTER), lambda: None),
    ]
    checks = {"database": store.check, "batches": watch.check}
    app = make_app(broker, checks=checks, lifespan=lifespan, registry=metrics.registry)
    app.on_shutdown(writer.stop)
    for pull in pulls:
        app.after_startup(pull.start)
        app.on_shutdown(pull.drain)
    gc.collect()
    gc.freeze()
    return run(app, broker, settings, work=watch.run)


if __name__ == "__main__":
    sys.exit(main())
