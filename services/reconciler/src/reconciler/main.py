"""The process: reads the settings, runs the reconciler, and serves its health, metrics and contract."""

import asyncio
import gc
from importlib.metadata import version
from typing import Annotated

from faststream import Context
from faststream.asgi import AsgiFastStream
from faststream.nats import NatsBroker

from order_events.codec import ENGINE_TYPES, ORDERS_TYPES, PROOFS_TYPES
from reconciler.adapters.event_publishers import orders_publishers
from reconciler.adapters.proofs_bus import proofs_publisher
from reconciler.composition import DeclaredPublishers, Reconciler
from reconciler.health import LedgerHealth
from reconciler.metrics import Metrics
from reconciler.settings import ReconcilerSettings
from service_kit import (
    Contract,
    load_settings,
    make_app,
    make_broker,
    make_tracing,
    run,
    set_up_logs,
)


def create_app(settings: ReconcilerSettings | None = None) -> AsgiFastStream:
    """Return the reconciler's application; without settings it can only be asked for its contract."""
    settings = settings or ReconcilerSettings.model_construct()
    metrics, health = Metrics(), LedgerHealth()
    tracing = make_tracing("reconciler", settings.otlp_endpoint)
    broker = make_broker(settings.nats_url, tracing)
    publishers = DeclaredPublishers(
        orders=orders_publishers(broker, tracing), proofs=proofs_publisher(broker)
    )
    app = make_app(
        broker,
        contract=contract(),
        checks=health.checks(),
        notes=health.notes(),
        registry=metrics.registry,
    )
    app.after_shutdown(tracing.close)
    app.context.set_global("broker", broker)
    app.context.set_global("settings", settings)
    app.context.set_global("metrics", metrics)
    app.context.set_global("health", health)
    app.context.set_global("publishers", publishers)
    return app


def contract() -> Contract:
    """Return what the AsyncAPI document says beside the publishers; the engine feed is read with nats-py."""
    return Contract(
        title="fillproof reconciler",
        version=version("fillproof-reconciler"),
        description="Follows an engine's accounts through validated ledgers and says what became of every "
        "order. What engines announce is optional.",
        events=(*ORDERS_TYPES, *PROOFS_TYPES),
        received=ENGINE_TYPES,
    )


def main() -> int:
    """Run the reconciler until it is told to stop; returns the exit status."""
    settings = load_settings(ReconcilerSettings)
    set_up_logs("reconciler", settings)
    app = create_app(settings)
    # What was imported lives as long as the process: the collector's walk through it held up fills
    gc.freeze()
    return run(app, settings, work=work)


async def work(
    settings: Annotated[ReconcilerSettings, Context()],
    broker: Annotated[NatsBroker, Context()],
    metrics: Annotated[Metrics, Context()],
    health: Annotated[LedgerHealth, Context()],
    publishers: Annotated[DeclaredPublishers, Context()],
) -> None:
    """Follow the accounts until cancelled."""
    reconciler = Reconciler(settings, broker, publishers, metrics, health)
    beside = [
        asyncio.ensure_future(part.run())
        for part in (
            reconciler.monitor,
            reconciler.permissions,
            reconciler.validations,
            reconciler.lists,
            reconciler.proofs,
        )
    ]
    try:
        await asyncio.gather(reconciler.scheduler.run(), reconciler.invariants.run(), *beside)
    finally:
        for task in beside:
            task.cancel()
        await asyncio.wait(beside)
        await reconciler.servers.close()
