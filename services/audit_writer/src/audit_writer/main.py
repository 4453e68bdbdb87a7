"""The audit writer as a FastStream application: NATS -> service -> PostgreSQL."""

import asyncio
import gc
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Annotated

from faststream import Context, ContextRepo
from faststream.asgi import AsgiFastStream

from audit_writer.adapters.bus import NatsDeadLetters
from audit_writer.adapters.database import PostgresStore
from audit_writer.adapters.handlers import HOLD_SECONDS, SOURCES, subscribe
from audit_writer.adapters.pull import Pull
from audit_writer.health import ConsumerWatch
from audit_writer.metrics import Metrics
from audit_writer.settings import AuditWriterSettings
from order_events.codec import ORDERS_TYPES
from service_kit import Contract, load_settings, make_app, make_broker, make_tracing, run, set_up_logs

Watches = Annotated[Sequence[ConsumerWatch], Context()]


def create_app(settings: AuditWriterSettings | None = None) -> AsgiFastStream:
    """Return the audit writer's application; without settings it can only be asked for its contract."""
    settings = settings or AuditWriterSettings.model_construct()
    metrics = Metrics()
    tracing = make_tracing("audit_writer", settings.otlp_endpoint)
    broker = make_broker(settings.nats_url, tracing)
    metrics.bus_connected.set_function(lambda: broker.connection.is_connected)
    watches = [ConsumerWatch(broker, metrics, stream) for stream in SOURCES]

    async def database() -> str | None:
        store: PostgresStore = app.context.get("store")
        return await store.check()

    app = make_app(
        broker,
        contract=contract(),
        checks={"database": database, **{watch.stream: watch.check for watch in watches}},
        lifespan=lifespan,
        registry=metrics.registry,
    )
    app.context.set_global("settings", settings)
    app.context.set_global("tracing", tracing)
    app.context.set_global("metrics", metrics)
    app.context.set_global("watches", watches)
    app.context.set_global("dead_letters", NatsDeadLetters(broker))
    app.context.set_global("stopping", stopping := asyncio.Event())

    app.on_shutdown(stopping.set)
    for watch in watches:
        pull = Pull(
            broker,
            subscribe(broker, watch.stream, settings, batch_done=watch.batch_done),
            stream=watch.stream,
            batch_size=settings.batch_size,
            batch_seconds=settings.batch_seconds,
            hold_every=HOLD_SECONDS,
        )
        app.after_startup(pull.start)
        app.on_shutdown(pull.drain)
    app.after_shutdown(tracing.close)
    return app


def contract() -> Contract:
    """Return what the AsyncAPI document says beside the subscriptions and the publisher."""
    return Contract(
        title="fillproof audit writer",
        version=version("fillproof-audit-writer"),
        description="Stores every event of stream ORDERS in PostgreSQL, once; a message that can't be stored "
        "becomes a dead letter.",
        events=ORDERS_TYPES,
    )


@asynccontextmanager
async def lifespan(
    context: ContextRepo, settings: Annotated[AuditWriterSettings, Context()], watches: Watches
) -> AsyncIterator[None]:
    """Require the consumers, and keep the store open while the broker runs."""
    for watch in watches:
        await watch.require()
    async with PostgresStore(settings.database_url.get_secret_value()) as store:
        context.set_global("store", store)
        yield


async def watch_consumers(watches: Watches) -> None:
    """Look at the consumers' lag until cancelled."""
    await asyncio.gather(*(watch.run() for watch in watches))


def main() -> int:
    """Run until TERM or INT; returns the exit status."""
    settings = load_settings(AuditWriterSettings)
    set_up_logs("audit_writer", settings)
    app = create_app(settings)
    # what was imported lives as long as the process; looking through it took a fifth of each batch's time
    gc.freeze()
    return run(app, settings, work=watch_consumers)


if __name__ == "__main__":
    sys.exit(main())
