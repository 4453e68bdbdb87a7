"""What follows one account, and what reads its history gaps, with their adapters."""

import time
from collections.abc import Callable
from functools import partial

from ledger_client import LedgerServer
from offer_lifecycle import Gap
from reconciler.adapters.dead_letters import DeadLetters
from reconciler.adapters.engine_feed import JetStreamEngineFeed
from reconciler.adapters.engine_history import JetStreamEngineHistory
from reconciler.adapters.ledger_market import LedgerMarket
from reconciler.adapters.operator_notices import BucketOperator
from reconciler.adapters.orders_bus import JetStreamOrders
from reconciler.adapters.state_store import BucketStore
from reconciler.adapters.told_events import JetStreamToldEvents
from reconciler.adapters.watermarks import BucketWatermarks
from reconciler.adapters.witness import FileWitness
from reconciler.backfill.gap_backfill import BackfillPublisher, GapBackfill
from reconciler.backfill.history_gaps import HistoryGaps
from reconciler.composition.bus_access import BusClient
from reconciler.following.follower import Follower
from reconciler.following.publisher import Publisher
from reconciler.metrics import Metrics
from reconciler.safety.account_safety import SharedSafety
from reconciler.safety.opening_balances import OtherServer
from reconciler.safety.policy import Policy, Unexplained
from reconciler.settings import ReconcilerSettings


def make_followers(
    settings: ReconcilerSettings,
    orders: JetStreamOrders,
    client: BusClient,
    metrics: Metrics,
    other_server: OtherServer,
) -> Callable[..., Follower]:
    """Return what makes an account's follower."""
    return partial(
        Follower,
        start_ledger=settings.start_ledger,
        feed=JetStreamEngineFeed(
            client,
            metrics,
            DeadLetters(client, metrics),
            subject_without_account=settings.subjects_without_account,
        ),
        store=BucketStore(client, metrics),
        watermarks=BucketWatermarks(client, metrics),
        told_events=JetStreamToldEvents(client, metrics),
        witness=FileWitness(settings.witness_directory),
        publisher=Publisher(
            orders,
            LedgerMarket(),
            disappearance_timeout=settings.disappearance_timeout,
            market_of_fills=settings.market_of_fills,
        ),
        safety=SharedSafety(
            policy=Policy(
                unexplained=Unexplained(settings.policy),
                halt_after_unresolved=settings.halt_after_unresolved,
                halt_on_drift=settings.halt_on_drift,
            ),
            check_ledgers=settings.balance_check_ledgers,
            operator=BucketOperator(client, metrics),
            metrics=metrics,
            other_server=other_server,
        ),
    )


def make_history_gaps(
    settings: ReconcilerSettings, orders: JetStreamOrders, client: BusClient, metrics: Metrics
) -> HistoryGaps:
    """Return the history gaps of all accounts; each backfill reads stream ENGINE with a feed of its own."""
    store = BucketStore(client, metrics)
    publisher = BackfillPublisher(
        orders,
        LedgerMarket(),
        disappearance_timeout=settings.disappearance_timeout,
        market_of_fills=settings.market_of_fills,
    )

    def make_backfill(account: str, gap: Gap, server: LedgerServer) -> GapBackfill:
        feed = JetStreamEngineHistory(
            client,
            metrics,
            last_ledger=gap.last,
            subject_without_account=settings.subjects_without_account,
        )
        return GapBackfill(account, gap, server, feed=feed, store=store, publisher=publisher)

    return HistoryGaps(patience=settings.gap_patience, clock=time.monotonic, make_backfill=make_backfill)
