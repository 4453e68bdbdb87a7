"""The parts of a reconciler that follow one account, on servers in this process of which one may lie."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import msgspec
from in_memory_bus import (
    Memory,
    MemoryFeed,
    MemoryLeases,
    MemoryOrders,
    MemoryStore,
    MemoryToldEvents,
    NoMarket,
)
from one_account import announced
from streamed_server import StreamedServer
from with_a_hole import Clock, gaps_of

from ledger_client import LedgerServer, Patience, Servers, StreamGroup, WholeLedgerServer
from ledger_proof import CheckedValidations, check_list, read_list_document
from reconciler.backfill.unexplained_removals import UnexplainedRemovals
from reconciler.fleet.account_shares import Lease
from reconciler.fleet.scheduler import Scheduler
from reconciler.fleet.wakeup import Wakeup
from reconciler.following.confirmation import ConfirmationRule, LedgerConfirmation, Quorum
from reconciler.following.follower import Follower
from reconciler.following.publisher import Publisher
from reconciler.following.stored_account import cursor_of
from reconciler.metrics import Metrics
from reconciler.proofs.validation_feed import ValidationFeed
from reconciler.safety.trading_permission import AccountStanding, decide_permission
from replay_node.validators import MadeValidators

if TYPE_CHECKING:
    from collections.abc import Callable

    from order_events import Permission
    from replay_node.session import Session

SECONDS_A_LEDGER = 4.0
LEDGERS_A_SAMPLE = 4
"""Of quiet ledgers, one in so many is read whole, as the reconciler does it."""
_PUBLISHED = msgspec.json.encode(MadeValidators(5).document)
"""The list of validators that a world with validators trusts."""


class LyingServer(StreamedServer):
    """A server with the streams `validations` and `manifests` too, which go to a feed."""

    def __init__(self, session: Session, name: str, group: StreamGroup, feed: ValidationFeed) -> None:
        super().__init__(session, name, group)
        self.subscription.validations = self.subscription.manifests = True
        self._feed = feed

    def hear(self, message: dict[str, object]) -> None:
        """Deliver one message of the streams to the server and the feed."""
        written = msgspec.json.encode(message)
        self.stream.heard(str(message["type"]), written)
        self._feed.heard(str(message["type"]), written)

    @property
    def newest(self) -> int:
        """The newest ledger that it has shown."""
        return self.node.chain.validated.ledger_index


class LyingWorld:
    """The parts of a reconciler that read, tell, confirm and commit, on servers in this process."""

    def __init__(  # noqa: PLR0913 - what is tried, by keyword
        self,
        session: Session,
        *,
        servers: int = 1,
        liar: int = 0,
        validators: bool = False,
        whole: bool = False,
        role: str = "maker",
        memory: Memory | None = None,
        rule: ConfirmationRule | None = None,
    ) -> None:
        """`liar`: its place among the servers; `whole`: every ledger is read whole.

        `memory`: what an earlier process left; None: there was none.
        """
        self.session = session
        self.now, self._next_close = 0.0, SECONDS_A_LEDGER
        self.closed = 0
        """Ledgers after the first one that have closed."""
        self.on_close: Callable[[int], None] = lambda _closed: None
        self.memory = memory or Memory()
        if memory is None:
            self.memory.announcements += announced(session)
        self.metrics = Metrics()
        lists = [check_list(one) for one in read_list_document(_PUBLISHED)] if validators else []
        self.validations = CheckedValidations(lists)
        self.feed = ValidationFeed(self.validations, self.metrics)
        group = StreamGroup()
        self.nodes = [
            LyingServer(session, f"node://{'liar' if n == liar else f'honest-{n}'}", group, self.feed)
            for n in range(servers)
        ]
        self.liar = self.nodes[liar]
        self.read: list[LedgerServer] = [
            WholeLedgerServer(
                node.shared,
                only_whole=validators,
                is_sample=lambda ledger_index: ledger_index % LEDGERS_A_SAMPLE == 0,
                accounts=lambda: 1,
                from_accounts=1 if whole or validators else 2,
                clock=lambda: self.now,
            )
            for node in self.nodes
        ]
        self.servers = Servers(self.read, clock=lambda: self.now, chance=random.Random(1))  # noqa: S311
        self.confirmation = LedgerConfirmation(
            self.servers,
            rule or ConfirmationRule(commit_unconfirmed=not validators),
            Quorum(
                is_wanted=lambda: validators,
                confirms=self.validations.confirms,
                confirmed_hash=self.validations.confirmed_hash,
            ),
            self.metrics,
            clock=lambda: self.now,
            pause=self.pass_time,
        )
        self.role = role
        self.one = self.follower()
        account = session.accounts[role]
        clock = asyncio.get_running_loop().time
        self.scheduler = Scheduler(
            make_follower=lambda _account: self.one,
            lease=Lease(MemoryLeases(), [account], replica="one", seconds=5, clock=clock),
            servers=self.servers,
            wakeup=Wakeup(poll_seconds=1),
            metrics=self.metrics,
            on_reading=lambda: None,
            history_gaps=gaps_of(self.memory, Clock()),
            unexplained_removals=UnexplainedRemovals(clock=Clock()),
        )
        # A busy machine is no slow server
        self.scheduler._patience = Patience(clock=lambda: self.now)  # noqa: SLF001

    def follower(self) -> Follower:
        """Return the follower that a process makes after a start."""
        return Follower(
            self.session.accounts[self.role],
            start_ledger=self.session.ledgers[0].ledger_index,
            feed=MemoryFeed(self.memory),
            store=MemoryStore(self.memory),
            publisher=Publisher(MemoryOrders(self.memory), NoMarket(), disappearance_timeout=1),
            confirmation=self.confirmation,
            told_events=MemoryToldEvents(self.memory),
        )

    @property
    def cursor(self) -> int:
        """The newest committed ledger."""
        return cursor_of(self.one.committed)

    async def pass_time(self, seconds: float) -> None:
        """Let time pass; the next ledger closes on every server each `SECONDS_A_LEDGER`."""
        self.now += seconds
        if self.now >= self._next_close:
            self._next_close += SECONDS_A_LEDGER
            self._close_ledger()
            await self.feed.check_what_waits()
        await asyncio.sleep(0)

    async def until_next_close(self) -> None:
        """Let time pass until the next ledger has closed."""
        await self.pass_time(max(self._next_close - self.now, 0))

    def _close_ledger(self) -> None:
        self.closed += 1
        self.on_close(self.closed)
        for node in self.nodes:
            node.now = self.now
            node.close_ledgers(1)
            self.servers.note_shown(node.name, node.newest)

    async def look(self) -> None:
        """Let the account go on as far as the servers lead."""
        await self.scheduler.read_once(self.one)

    def permission(self) -> Permission:
        """Return what the account's engine may do now."""
        behind = max(self.servers.newest_shown - self.cursor, 0)
        return decide_permission(
            AccountStanding(followed=self.one.committed is not None, ledgers_behind=behind),
            seconds_without_ledger=0,
            patience=20,
            is_unproven=self.confirmation.is_unproven,
        ).permission
