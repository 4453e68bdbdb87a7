"""The process: reads the settings, runs the reconciler, and serves its health and metrics."""

import asyncio
from functools import partial

from faststream.nats import NatsBroker

from reconciler.composition import Reconciler
from reconciler.following.stored_account import StateUnreadable
from reconciler.health import LedgerHealth
from reconciler.metrics import Metrics
from reconciler.settings import ReconcilerSettings
from service_kit import Unavailable, load_settings, make_app, make_broker, run, set_up_logs


def main() -> int:
    """Run the reconciler until it is told to stop; returns the exit status."""
    settings = load_settings(ReconcilerSettings)
    set_up_logs("reconciler", settings)
    metrics, health = Metrics(), LedgerHealth()
    broker = make_broker(settings.nats_url)
    app = make_app(broker, checks=health.checks(), notes=health.notes(), registry=metrics.registry)
    return run(app, broker, settings, work=partial(work, settings, broker, metrics, health))


async def work(
    settings: ReconcilerSettings, broker: NatsBroker, metrics: Metrics, health: LedgerHealth
) -> None:
    """Follow the accounts until cancelled.

    Raises:
        Unavailable: if an account's state can't be read.

    """
    reconciler = Reconciler(settings, broker, metrics, health)
    monitoring = asyncio.ensure_future(reconciler.monitor.run())
    try:
        await asyncio.gather(reconciler.scheduler.run(), monitoring)
    except* StateUnreadable as faults:
        raise Unavailable(str(faults.exceptions[0])) from faults
    finally:
        monitoring.cancel()
        await asyncio.wait([monitoring])
        await reconciler.servers.close()
