"""The only file that knows all parts: reads the settings, puts the reconciler together and runs it."""

import random
import time
from functools import partial

import nats.errors
from faststream.nats import NatsBroker
from nats.aio.client import Client

from offer_lifecycle import Gap
from reconciler.adapters.engine_feed import JetStreamEngineFeed
from reconciler.adapters.json_rpc import JsonRpcServer
from reconciler.adapters.market import LedgerMarket
from reconciler.adapters.metered import MeteredServer
from reconciler.adapters.operator_notices import BucketOperator
from reconciler.adapters.orders_bus import JetStreamOrders
from reconciler.adapters.state_store import BucketStore
from reconciler.adapters.websocket import WebSocketServer
from reconciler.health import LedgerHealth
from reconciler.metrics import Metrics
from reconciler.ports.bus import NotOwner
from reconciler.ports.ledger import LedgerServer
from reconciler.service.doubts import Doubts
from reconciler.service.follower import Follower
from reconciler.service.gaps import Gaps
from reconciler.service.guard import Guards
from reconciler.service.healing import Healing, HistoryPublisher
from reconciler.service.loop import Loop, Wakeup
from reconciler.service.memory import StateUnreadable
from reconciler.service.policy import Policy, Unexplained
from reconciler.service.publisher import Publisher
from reconciler.service.servers import Servers
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
        Unavailable: if an account must not, or cannot, be followed by this replica.

    """
    wakeup = Wakeup(poll_seconds=settings.poll_seconds)
    servers = Servers(
        [MeteredServer(connect(url, wakeup), metrics) for url in settings.xrpl_urls],
        clock=time.monotonic,
        chance=random.Random(),  # noqa: S311 - spreads retries, no secret
    )
    loop = Loop(
        _followers(settings, broker, metrics),
        servers,
        wakeup,
        metrics,
        health.turned,
        gaps=_gaps(settings, broker, metrics),
        doubts=Doubts(clock=time.monotonic),
    )
    health.watch(loop.halts)
    try:
        await loop.run()
    except* (NotOwner, StateUnreadable) as faults:
        raise Unavailable(str(faults.exceptions[0])) from faults
    finally:
        await servers.close()


def connect(url: str, wakeup: Wakeup) -> LedgerServer:
    """Return the adapter for a URL's transport; the connection is made when it is first asked."""
    if url.startswith(("ws://", "wss://")):
        return WebSocketServer(url, on_ledger_closed=wakeup.notify)
    return JsonRpcServer(url)


def _followers(settings: ReconcilerSettings, broker: NatsBroker, metrics: Metrics) -> list[Follower]:
    client = partial(connected, broker)
    feed = JetStreamEngineFeed(client, metrics)
    store = BucketStore(client, metrics)
    publisher = Publisher(
        JetStreamOrders(client, metrics),
        LedgerMarket(),
        disappearance_timeout=settings.disappearance_timeout,
    )
    guards = Guards(
        policy=Policy(
            unexplained=Unexplained(settings.policy),
            halt_after_unresolved=settings.halt_after_unresolved,
            halt_on_drift=settings.halt_on_drift,
        ),
        check_ledgers=settings.balance_check_ledgers,
        operator=BucketOperator(client, metrics),
        metrics=metrics,
    )
    return [
        Follower(
            account,
            start_ledger=settings.start_ledger,
            feed=feed,
            store=store,
            publisher=publisher,
            guards=guards,
        )
        for account in settings.accounts
    ]


def _gaps(settings: ReconcilerSettings, broker: NatsBroker, metrics: Metrics) -> Gaps:
    client = partial(connected, broker)
    store = BucketStore(client, metrics)
    publisher = HistoryPublisher(
        JetStreamOrders(client, metrics),
        LedgerMarket(),
        disappearance_timeout=settings.disappearance_timeout,
    )

    def healing(account: str, gap: Gap, server: LedgerServer) -> Healing:
        feed = JetStreamEngineFeed(client, metrics)
        return Healing(account, gap, server, feed=feed, store=store, publisher=publisher)

    return Gaps(patience=settings.gap_patience, clock=time.monotonic, healings=healing)


def connected(broker: NatsBroker) -> Client:
    """Return the bus connection; what is published while it is away would only pile up in it."""
    client = broker.connection
    if not client.is_connected:
        raise nats.errors.ConnectionReconnectingError
    return client
