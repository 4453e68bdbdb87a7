"""Wire the audit writer: NATS -> service -> PostgreSQL."""

import asyncio
import gc
import random
import sys
from collections.abc import AsyncIterator
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

HOLD_SECONDS = ACK_WAIT_S / 3
SOURCES = {ORDERS_STREAM: AUDIT_FILTER, REDELIVERY_STREAM: REDELIVERY_FILTER}
"""What is given again is taken for itself: it neither waits for what is new nor holds it up."""


async def as_delivered(message: NatsBatchMessage) -> list[Msg]:
    """Be a decoder that can't fail: one bad message must not cost the others of its batch."""
    return message.raw_message


def pull(
    broker: NatsBroker, settings: AuditWriterSettings, writer: AuditWriter, watch: ConsumerWatch
) -> Pull:
    """Have `writer` handle the batches of the stream that `watch` looks at."""
    subscriber = broker.subscriber(
        SOURCES[watch.stream],
        stream=JStream(watch.stream, declare=False),
        durable=AUDIT_CONSUMER,
        pull_sub=PullSub(batch_size=settings.batch_size, timeout=settings.batch_seconds, batch=True),
        ack_policy=AckPolicy.MANUAL,
        decoder=as_delivered,
    )

    @subscriber
    async def take(messages: NoCast[list[Msg]]) -> None:
        await writer.handle([NatsDelivery(message) for message in messages])
        watch.batch_done()

    return Pull(broker, subscriber, stream=watch.stream, durable=AUDIT_CONSUMER, hold_every=HOLD_SECONDS)


def main() -> int:
    """Run until TERM or INT; returns the exit status."""
    settings = load_settings(AuditWriterSettings)
    set_up_logs("audit_writer", settings)
    broker = make_broker(settings.nats_url)
    metrics = Metrics()
    metrics.bus_connected.set_function(lambda: broker.connection.is_connected)
    watches = [ConsumerWatch(broker, metrics, stream) for stream in SOURCES]
    store = PostgresStore(settings.database_url.get_secret_value())
    writer = AuditWriter(
        store=store,
        dead_letters=NatsDeadLetters(broker),
        metrics=metrics,
        hold_every=HOLD_SECONDS,
        chance=random.random,
    )

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        for watch in watches:
            await watch.require()
        async with store:
            yield

    async def watch_all() -> None:
        await asyncio.gather(*(watch.run() for watch in watches))

    checks = {"database": store.check, **{watch.stream: watch.check for watch in watches}}
    app = make_app(broker, checks=checks, lifespan=lifespan, registry=metrics.registry)
    app.on_shutdown(writer.stop)
    for watch in watches:
        source = pull(broker, settings, writer, watch)
        app.after_startup(source.start)
        app.on_shutdown(source.drain)
    # what was imported lives as long as the process; looking through it took a fifth of each batch's time
    gc.freeze()
    return run(app, broker, settings, work=watch_all)


if __name__ == "__main__":
    sys.exit(main())
