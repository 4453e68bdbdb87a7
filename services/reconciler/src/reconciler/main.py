"""The only file that knows all parts: reads the settings, puts the reconciler together and runs it."""

import asyncio
import random
import socket
import time
from collections.abc import Callable
from functools import partial
from uuid import uuid4

import nats.errors
from faststream.nats import NatsBroker
from nats.aio.client import Client

from ledger_client.json_rpc import JsonRpcServer
from ledger_client.server import LedgerServer
from ledger_client.server_choice import Servers
from ledger_client.shared_server import SharedServer
from ledger_client.websocket import WebSocketServer
from ledger_client.whole_ledgers import WholeLedgerServer
from offer_lifecycle import Gap
from reconciler.adapters.engine_feed import JetStreamEngineFeed
from reconciler.adapters.leases import BucketLeases
from reconciler.adapters.ledger_market import LedgerMarket
from reconciler.adapters.metered_server import MeteredServer
from reconciler.adapters.operator_notices import BucketOperator
from reconciler.adapters.orders_bus import JetStreamOrders
from reconciler.adapters.state_store import BucketStore
from reconciler.backfill.gap_backfill import Healing, HistoryPublisher
from reconciler.backfill.history_gaps import Gaps
from reconciler.backfill.unexplained_removals import UnexplainedRemovals
from reconciler.fleet.account_shares import Lease
from reconciler.fleet.scheduler import Loop, Wakeup
from reconciler.fleet.server_monitor import Watch
from reconciler.following.follower import Follower
from reconciler.following.publisher import Publisher
from reconciler.following.stored_account import StateUnreadable
from reconciler.health import LedgerHealth
from reconciler.metrics import Metrics
from reconciler.safety.account_safety import Guards
from reconciler.safety.policy import Policy, Unexplained
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
    wakeup = Wakeup(poll_seconds=settings.poll_seconds)
    servers = Servers(
        [
            shared(
                MeteredServer(connect(url, wakeup), metrics),
                wakeup,
                accounts=lambda: len(loop.followers),
                from_accounts=settings.whole_ledgers_from,
            )
            for url in settings.xrpl_urls
        ],
        clock=time.monotonic,
        chance=random.Random(),  # noqa: S311 - spreads retries, no secret
    )
    lease = Lease(
        BucketLeases(partial(connected, broker)),
        settings.accounts,
        replica=settings.replica_id or f"{_host()}-{uuid4().hex[:8]}",
        seconds=settings.lease_seconds,
        clock=time.monotonic,
    )
    health.leased(lambda: lease.held)
    client = partial(entitled, broker, lease)
    loop = Loop(
        _followers(settings, client, metrics),
        lease,
        servers,
        wakeup,
        metrics,
        health.turned,
        gaps=_gaps(settings, client, metrics),
        unexplained_removals=UnexplainedRemovals(clock=time.monotonic),
    )
    health.watch(loop.halts)
    watch = asyncio.ensure_future(Watch(servers, metrics).run())
    try:
        await asyncio.gather(loop.run(), watch)
    except* StateUnreadable as faults:
        raise Unavailable(str(faults.exceptions[0])) from faults
    finally:
        watch.cancel()
        await asyncio.wait([watch])
        await servers.close()


def connect(url: str, wakeup: Wakeup) -> LedgerServer:
    """Return the adapter for a URL's transport; the connection is made when it is first asked."""
    if url.startswith(("ws://", "wss://")):
        return WebSocketServer(url, on_ledger_closed=wakeup.notify)
    return JsonRpcServer(url)


def shared(
    server: LedgerServer, wakeup: Wakeup, *, accounts: Callable[[], int], from_accounts: int
) -> LedgerServer:
    """Let many accounts share what is asked of a server: its state, headers, from some number on ledgers."""
    whole = WholeLedgerServer(server, accounts=accounts, from_accounts=from_accounts, clock=time.monotonic)
    return SharedServer(whole, last_close=wakeup.next_close, clock=time.monotonic)


def _followers(
    settings: ReconcilerSettings, client: Callable[[], Client], metrics: Metrics
) -> Callable[[str], Follower]:
    return partial(
        Follower,
        start_ledger=settings.start_ledger,
        feed=JetStreamEngineFeed(client, metrics),
        store=BucketStore(client, metrics),
        publisher=Publisher(
            JetStreamOrders(client, metrics),
            LedgerMarket(),
            disappearance_timeout=settings.disappearance_timeout,
        ),
        guards=_guards(settings, client, metrics),
    )


def _guards(settings: ReconcilerSettings, client: Callable[[], Client], metrics: Metrics) -> Guards:
    return Guards(
        policy=Policy(
            unexplained=Unexplained(settings.policy),
            halt_after_unresolved=settings.halt_after_unresolved,
            halt_on_drift=settings.halt_on_drift,
        ),
        check_ledgers=settings.balance_check_ledgers,
        operator=BucketOperator(client, metrics),
        metrics=metrics,
    )


def _gaps(settings: ReconcilerSettings, client: Callable[[], Client], metrics: Metrics) -> Gaps:
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


def _host() -> str:
    """Return the host's name as it may stand in a key."""
    return "".join(letter if letter.isalnum() else "-" for letter in socket.gethostname())


def entitled(broker: NatsBroker, lease: Lease) -> Client:
    """Return the bus connection as long as the lease is held: without it nothing is said or written."""
    if not lease.held:
        raise LeaseLapsed
    return connected(broker)


class LeaseLapsed(nats.errors.Error):
    """The bus may have given this replica's accounts to others: it waits until it is among them again."""


def connected(broker: NatsBroker) -> Client:
    """Return the bus connection; what is published while it is away would only pile up in it."""
    client = broker.connection
    if not client.is_connected:
        raise nats.errors.ConnectionReconnectingError
    return client
