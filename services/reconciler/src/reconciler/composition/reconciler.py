"""The whole reconciler, as a process runs it."""

import asyncio
import random
import secrets
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

from faststream.nats import NatsBroker
from faststream.nats.publisher.usecase import LogicPublisher

from ledger_client import (
    BudgetedServer,
    LedgerServer,
    LedgerStream,
    RequestBudget,
    Servers,
    SharedServer,
    StreamGroup,
    StreamListener,
    WholeLedgerServer,
    connect,
)
from ledger_proof import CheckedValidations, read_trust
from offer_lifecycle import Header
from order_events import OrdersEvent
from reconciler.adapters.event_publishers import EventPublishers
from reconciler.adapters.list_sources import list_source
from reconciler.adapters.metered_server import MeteredServer
from reconciler.adapters.orders_bus import JetStreamOrders
from reconciler.adapters.permission_bucket import PermissionBucket
from reconciler.adapters.proofs_bus import JetStreamProofs
from reconciler.backfill.unexplained_removals import UnexplainedRemovals
from reconciler.composition.bus_access import connected_client, leased_client, make_lease
from reconciler.composition.followers import make_followers, make_history_gaps
from reconciler.fleet.permission_writer import Clocks, PermissionWriter
from reconciler.fleet.scheduler import Scheduler
from reconciler.fleet.server_monitor import ServerMonitor
from reconciler.fleet.wakeup import Wakeup
from reconciler.following.confirmation import ConfirmationRule, LedgerConfirmation, Quorum
from reconciler.health import LedgerHealth
from reconciler.metrics import Metrics
from reconciler.proofs.blob_reader import BlobReader
from reconciler.proofs.proof_keeper import ProofKeeper
from reconciler.proofs.trusted_lists import TrustedLists
from reconciler.proofs.validation_feed import ValidationFeed
from reconciler.safety.ledger_invariants import WholeLedgerInvariants
from reconciler.safety.quiet_samples import QuietSamples
from reconciler.settings import ReconcilerSettings


class DeclaredPublishers(NamedTuple):
    """What the application has declared for its two streams."""

    orders: EventPublishers
    proofs: LogicPublisher


class Reconciler:
    """The reconciler: its scheduler, its checks, proofs and permissions beside the accounts, the servers."""

    def __init__(
        self,
        settings: ReconcilerSettings,
        broker: NatsBroker,
        publishers: DeclaredPublishers,
        metrics: Metrics,
        health: LedgerHealth,
    ) -> None:
        self._settings = settings
        wakeup = Wakeup(poll_seconds=settings.poll_seconds)
        trusted = read_trust(publishers=settings.list_publishers)
        validations = CheckedValidations(publishers_needed=settings.list_publishers_needed)
        self.validations = ValidationFeed(validations, metrics)
        self.lists = TrustedLists(map(list_source, settings.validator_lists), trusted, validations, metrics)
        lease = make_lease(settings, broker)
        client = partial(leased_client, broker, lease)
        orders = JetStreamOrders(publishers.orders, client, metrics)
        self.invariants = WholeLedgerInvariants(orders, metrics, network_id=self._network_id)
        self._streams = StreamGroup()
        self._samples = QuietSamples(secrets.token_bytes(16))
        self.servers = Servers(
            [self._shared_server(url, settings, wakeup, metrics) for url in settings.xrpl_urls],
            clock=time.monotonic,
            chance=random.Random(),  # noqa: S311 - spreads retries, no secret
        )
        self.monitor = ServerMonitor(
            self.servers, metrics, on_new_ledger=wakeup.notify, poll_seconds=settings.poll_seconds
        )
        self.proofs = ProofKeeper(
            reader=BlobReader(self.servers.candidates),
            accounts=lambda: [follower.account for follower in self.scheduler.followers],
            feed=self.validations,
            bus=JetStreamProofs(publishers.proofs, partial(connected_client, broker)),
            metrics=metrics,
            clock=time.monotonic,
            anchor_ledgers=settings.proof_anchor_ledgers,
        )
        confirmation = LedgerConfirmation(
            self.servers,
            ConfirmationRule(
                servers=settings.confirm_by_servers,
                seconds=settings.confirm_seconds,
                commit_unconfirmed=settings.commits_unconfirmed,
            ),
            Quorum(
                is_wanted=lambda: bool(settings.validator_lists),
                confirms=validations.confirms,
                confirmed_hash=validations.confirmed_hash,
            ),
            metrics,
            clock=time.monotonic,
            pause=asyncio.sleep,
        )
        on_committed = self.proofs.note_committed if settings.keep_proofs else nothing_kept
        self.scheduler = Scheduler(
            make_follower=partial(
                make_followers(settings, orders, client, metrics, self._other_server),
                confirmation=confirmation,
                network=self._network_id,
                on_committed=on_committed,
            ),
            lease=lease,
            servers=self.servers,
            wakeup=wakeup,
            metrics=metrics,
            on_reading=health.note_reading,
            history_gaps=make_history_gaps(settings, orders, client, metrics),
            unexplained_removals=UnexplainedRemovals(clock=time.monotonic),
        )
        self.permissions = PermissionWriter(
            self.scheduler,
            PermissionBucket(client),
            metrics,
            Clocks(seconds=time.monotonic, now=lambda: datetime.now(UTC)),
            patience=settings.permission_ledger_seconds,
            is_unproven=lambda: confirmation.is_unproven,
        )
        health.watch_lease(lambda: lease.held)
        health.watch_halts(self.scheduler.halts)
        health.watch_set_aside(self.scheduler.set_aside)

    def _other_server(self, name: str) -> LedgerServer | None:
        return next((server for server in self.servers.candidates() if server.name != name), None)

    def _network_id(self) -> int | None:
        if self._settings.network_id is not None:
            return self._settings.network_id
        followed = (one.committed for one in self.scheduler.followers)
        return next((one.stored.record.network_id for one in followed if one is not None), None)

    def _shared_server(
        self, url: str, settings: ReconcilerSettings, wakeup: Wakeup, metrics: Metrics
    ) -> LedgerServer:
        """Let all accounts share what is asked of a server, and from some number on read ledgers whole."""

        def note_closed(ledger_index: int) -> None:
            self.servers.note_shown(server.name, ledger_index)
            wakeup.notify()

        stream, cap = LedgerStream(clock=time.monotonic, group=self._streams), settings.requests_per_minute
        budget = RequestBudget(cap, clock=time.monotonic, pause=asyncio.sleep) if cap else None
        listeners: list[StreamListener] = [stream]
        if budget is not None:
            listeners.append(budget)
        if settings.keep_proofs or settings.validator_lists:
            listeners.append(self.validations)
        server = connect(url, on_ledger_closed=note_closed, listeners=listeners)
        asked: LedgerServer = MeteredServer(server, metrics)
        if budget is not None:
            metrics.watch_budget(server.name, cap, lambda: budget.waiting)
            asked = BudgetedServer(asked, budget)
        shared = SharedServer(
            asked,
            last_close=wakeup.next_close,
            clock=time.monotonic,
            stream=stream,
            poll_seconds=settings.poll_seconds,
        )
        return WholeLedgerServer(
            shared,
            accounts=lambda: len(self.scheduler.followers),
            from_accounts=settings.reads_whole_from,
            clock=time.monotonic,
            on_read=self.invariants.add,
            is_sample=self._samples.include,
            only_whole=settings.reads_only_whole,
        )


def nothing_kept(_network_id: int, _header: Header, _events: Sequence[OrdersEvent]) -> None:
    """Keep no proof of a committed ledger: the settings say so."""
