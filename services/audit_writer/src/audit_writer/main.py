"""The audit writer as a FastStream application: NATS -> service -> PostgreSQL."""

import asyncio
import contextlib
import gc
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from typing import Annotated, NoReturn

from faststream import Context, ContextRepo
from faststream.asgi import AsgiFastStream

from audit_log import read_signing_key, read_verifier_key
from audit_writer.adapters.bus import NatsDeadLetters
from audit_writer.adapters.checkpoints import CheckpointDirectory, CheckpointStream, CheckpointWebhook
from audit_writer.adapters.database import PostgresStore
from audit_writer.adapters.handlers import (
    HOLD_SECONDS,
    PROOFS_AT_ONCE,
    SOURCES,
    subscribe,
    subscribe_to_proofs,
)
from audit_writer.adapters.pull import Pull
from audit_writer.checkpoints import CheckpointSigner
from audit_writer.health import ConsumerWatch
from audit_writer.metrics import Metrics
from audit_writer.ports import CheckpointCopy, StoreUnavailable
from audit_writer.sequences import SequenceWatch
from audit_writer.settings import AuditWriterSettings
from order_events.codec import ORDERS_TYPES, PROOFS_TYPES
from order_events.subjects import ORDERS_STREAM, PROOFS_STREAM
from service_kit import Contract, load_settings, make_app, make_broker, make_tracing, run, set_up_logs
from service_kit.database_access import DatabaseAccess

READERS_SECONDS = 30.0
"""So often readers are looked at that hold others up."""

Watches = Annotated[Sequence[ConsumerWatch], Context()]


def create_app(settings: AuditWriterSettings | None = None) -> AsgiFastStream:
    """Return the audit writer's application; without settings it can only be asked for its contract."""
    settings = settings or AuditWriterSettings.model_construct()
    metrics = Metrics()
    tracing = make_tracing("audit_writer", settings.otlp_endpoint)
    broker = make_broker(settings.nats_url, tracing)
    metrics.bus_connected.set_function(lambda: broker.connection.is_connected)
    watches = [ConsumerWatch(broker, metrics, stream) for stream in SOURCES]
    orders = watch_of(ORDERS_STREAM, watches)
    proofs_watch = ConsumerWatch(broker, metrics, PROOFS_STREAM)  # not checked: events need no proofs

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
    app.context.set_global("access", load_settings(DatabaseAccess))
    app.context.set_global("tracing", tracing)
    app.context.set_global("metrics", metrics)
    app.context.set_global("watches", [*watches, proofs_watch])
    app.context.set_global("dead_letters", NatsDeadLetters(broker))
    app.context.set_global("published", CheckpointStream(broker))
    app.context.set_global("stopping", stopping := asyncio.Event())

    app.on_shutdown(stopping.set)
    for watch in (*watches, proofs_watch):
        is_proofs = watch is proofs_watch
        declare = (
            subscribe_to_proofs
            if is_proofs
            else partial(subscribe, stream=watch.stream, identity=orders.identity)
        )
        pull = Pull(
            broker,
            declare(broker, settings=settings, batch_done=watch.batch_done),
            stream=watch.stream,
            batch_size=PROOFS_AT_ONCE if is_proofs else settings.batch_size,
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
        "becomes a dead letter. Keeps the proofs of stream PROOFS beside them.",
        events=(*ORDERS_TYPES, *PROOFS_TYPES),
    )


@asynccontextmanager
async def lifespan(
    context: ContextRepo,
    settings: Annotated[AuditWriterSettings, Context()],
    access: Annotated[DatabaseAccess, Context()],
    watches: Watches,
    metrics: Annotated[Metrics, Context()],
) -> AsyncIterator[None]:
    """Require the consumers, and keep the store open while the broker runs."""
    for watch in watches:
        if watch.stream in SOURCES:
            await watch.require()
    async with PostgresStore(
        settings.database_url.get_secret_value(), pooled=settings.database_pooled, access=access
    ) as store:
        context.set_global("store", store)
        metrics.database_damaged.set_function(lambda: store.damaged)
        yield


async def work_beside(
    watches: Watches,
    settings: Annotated[AuditWriterSettings, Context()],
    store: Annotated[PostgresStore, Context()],
    published: Annotated[CheckpointStream, Context()],
    metrics: Annotated[Metrics, Context()],
) -> None:
    """Look at the consumers' lag, sign checkpoints and end readers that hold others up, until cancelled."""
    works = [
        *(watch.run() for watch in watches),
        SequenceWatch(watch_of(ORDERS_STREAM, watches).stream_state, store, metrics).run(),
        end_reader_sessions(store, metrics),
    ]
    if signer := checkpoint_signer(settings, store, published, metrics):
        works.append(signer.run(settings.checkpoint_seconds))
    await asyncio.gather(*works)


def watch_of(stream: str, watches: Sequence[ConsumerWatch]) -> ConsumerWatch:
    """Return what watches the consumer of that stream."""
    return next(watch for watch in watches if watch.stream == stream)


def checkpoint_signer(
    settings: AuditWriterSettings, store: PostgresStore, published: CheckpointStream, metrics: Metrics
) -> CheckpointSigner | None:
    """Return what signs checkpoints; None: no key is set."""
    if settings.checkpoint_signing_key is None:
        return None
    copies: list[CheckpointCopy] = []
    if settings.checkpoint_directory is not None:
        copies.append(CheckpointDirectory(settings.checkpoint_directory))
    if settings.checkpoint_webhook is not None:
        copies.append(CheckpointWebhook(settings.checkpoint_webhook.get_secret_value()))
    return CheckpointSigner(
        store=store,
        published=published,
        copies=copies,
        key=read_signing_key(settings.checkpoint_signing_key.get_secret_value()),
        trusted=[read_verifier_key(written) for written in settings.verifier_keys.split()],
        metrics=metrics,
        now=lambda: datetime.now(UTC).replace(microsecond=0),
    )


async def end_reader_sessions(store: PostgresStore, metrics: Metrics) -> NoReturn:
    """End readers' sessions that hold others up, for ever."""
    while True:
        with contextlib.suppress(StoreUnavailable):  # which the batches and readiness say
            metrics.reader_sessions_ended.inc(await store.end_reader_sessions())
        await asyncio.sleep(READERS_SECONDS)


def main() -> int:
    """Run until TERM or INT; returns the exit status."""
    settings = load_settings(AuditWriterSettings)
    set_up_logs("audit_writer", settings)
    app = create_app(settings)
    # what was imported lives as long as the process; looking through it took a fifth of each batch's time
    gc.freeze()
    return run(app, settings, work=work_beside)


if __name__ == "__main__":
    sys.exit(main())
