"""One account followed on servers of which some lie, and what came of the lies, held against the truth."""

from __future__ import annotations

import asyncio
import random
from functools import lru_cache
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
from one_account import announced, run
from streamed_server import StreamedServer
from with_a_hole import Clock, gaps_of

from ledger_client import LedgerServer, Patience, Servers, StreamGroup, WholeLedgerServer
from ledger_proof import CheckedValidations, check_list, read_list_document
from order_events import OrderCorrected, OrderDisappeared, OrderEvent, Permission
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
    from collections.abc import Callable, Mapping
    from uuid import UUID

    from replay_node.session import Session


SECONDS_A_LEDGER = 4.0
LEDGERS_A_SAMPLE = 4
"""Of quiet ledgers, one in so many is read whole, as the reconciler does it."""
LEDGERS_AFTER_THE_END = 4
"""For which the account is followed when the recording has ended, and nothing closes any more."""
TURNS_UNTIL_TOLD = 200
"""Of the event loop; what is told needs no answer of a server."""
READINGS_A_LEDGER = 3
"""Looks at each ledger; on a live network they are 20 ms and more apart."""
Books = dict[int, tuple[object, ...]]
"""By sequence, what is committed of an order that the ledger decides."""


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """What an honest server leaves behind."""

    events: Mapping[UUID, OrderEvent]
    books: Mapping[int, Books]
    """By ledger: what is committed of the orders when that ledger is the cursor."""
    hashes: Mapping[int, str]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one run with a lie."""

    ledgers: int
    """Of the truth that are committed at the end, after the first one."""
    told: int
    """Events that are not so, or not like this."""
    standing: int
    """Of those, the ones that no order.corrected withdraws or amends."""
    missing: int
    """Events of the committed ledgers that were not told, though they are so."""
    committed: int
    """Ledgers after which another state or another hash was committed than the true one."""
    wrong_at_the_end: int
    """Orders that are committed otherwise than they are when the run ends."""
    confirmed: int
    """Of the ledgers committed wrongly, those that were called confirmed."""
    aside: Mapping[str, tuple[str, ...]]
    """The servers that were put aside, with the kinds of what was found."""
    stopped: bool
    """Whether an engine was told to stop."""
    ledgers_to_withdrawal: int | None
    """Ledgers that closed between the first telling of a lie and its correction, at most; None: none was."""


class LyingServer(StreamedServer):
    """A server with the streams `validations` and `manifests` too, which go to a feed."""

    def __init__(self, session: Session, name: str, group: StreamGroup, feed: ValidationFeed) -> None:
        super().__init__(session, name, group)
        self.subscription.validations = self.subscription.manifests = True
        self._feed = feed

    def hear(self, message: dict[str, object]) -> None:
        """Let the streams bring one message."""
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
        """Return what a process makes of the account after a start."""
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


_PUBLISHED = msgspec.json.encode(MadeValidators(5).document)


def books_of(one: Follower) -> Books:
    """Return what is committed of the account's orders."""
    assert one.committed is not None
    return {
        order.sequence: (order.status, order.gave, order.got, order.gets_left, order.missing)
        for order in one.committed.state.orders.values()
    }


@lru_cache
def _truths() -> dict[tuple[str, str, int], Truth]:
    return {}


async def truth_of(session: Session, role: str = "maker") -> Truth:
    """Return what an honest server leaves behind, ledger by ledger."""
    known, key = _truths(), (session.name, role, len(session.ledgers))
    if key not in known:
        world = LyingWorld(session, role=role)
        books: dict[int, Books] = {}
        await world.look()
        books[world.cursor] = books_of(world.one)
        for _ in session.ledgers[1:]:
            await world.until_next_close()
            await world.look()
            books[world.cursor] = books_of(world.one)
        plain = Memory()
        plain.announcements += announced(session)
        await run(plain, session, role=role)
        known[key] = Truth(
            events={event.event_id: event for event in plain.stream if isinstance(event, OrderEvent)},
            books=books,
            hashes={ledger.ledger_index: ledger.header["ledger_hash"] for ledger in session.ledgers},
        )
    return known[key]


async def lied_to(world: LyingWorld, faults: Mapping[str, object], *, after: int) -> Outcome:
    """Follow the session to its end; the liar begins to lie after so many ledgers."""
    truth = await truth_of(world.session, world.role)
    record = _Record(world, truth)
    ledgers = world.session.ledgers

    def begin(closed: int) -> None:
        if closed == after:
            since = {"forge_from": ledgers[closed].ledger_index} if "forge" in faults else {}
            world.liar.node.faults.change({**faults, **since})

    world.on_close = begin
    await world.look()
    while world.closed < len(ledgers) - 1 + LEDGERS_AFTER_THE_END:
        await world.until_next_close()
        for _ in range(READINGS_A_LEDGER):
            await world.look()
            record.look()
    return record.outcome()


async def told_and_crashed(world: LyingWorld, faults: Mapping[str, object]) -> list[OrderEvent]:
    """Follow up to the first ledger of which a lie is told; the process ends before the ledger is read.

    Returns what was told of that ledger.
    """
    truth = await truth_of(world.session, world.role)
    await world.look()
    while True:
        before, held = len(world.memory.stream), world.session.ledgers[world.closed + 1].ledger_index
        world.liar.node.faults.change({**faults, "forge_from": held})
        world.liar.answers.clear()
        await world.until_next_close()
        advancing = asyncio.create_task(world.look())
        for _ in range(TURNS_UNTIL_TOLD):
            await asyncio.sleep(0)
        told = [event for event in world.memory.stream[before:] if isinstance(event, OrderEvent)]
        if any(not is_true(truth, event) for event in told):
            advancing.cancel()
            await asyncio.wait([advancing])
            return told
        world.liar.answers.set()
        await advancing


class _Record:
    """What is seen while a run goes on."""

    def __init__(self, world: LyingWorld, truth: Truth) -> None:
        self._world, self._truth = world, truth
        self._wrong: set[int] = set()
        self._confirmed: set[int] = set()
        self._stopped = False
        self._seen = 0
        self._told_at: dict[UUID, int] = {}
        self._waited: list[int] = []
        self._aside: dict[str, set[str]] = {}
        failed = world.servers.failed

        def note(server: LedgerServer, error: Exception) -> None:
            self._aside.setdefault(server.name, set()).add(error.kind)
            failed(server, error)

        world.servers.failed = note  # type: ignore[method-assign]

    def look(self) -> None:
        """Look at what is told and committed by now."""
        world, truth = self._world, self._truth
        record = world.one.committed.stored.record if world.one.committed else None
        closed = world.session.ledgers[0].ledger_index
        if record is not None and record.ledger_index > closed:
            index = record.ledger_index
            true = truth.hashes.get(index) == record.ledger_hash and truth.books.get(index) == books_of(
                world.one
            )
            if not true:
                self._wrong.add(index)
                if world.metrics.registry.get_sample_value("reconciler_confirmed_ledger") == index:
                    self._confirmed.add(index)
        self._stopped |= world.permission() is Permission.STOP
        now = max(node.newest for node in world.nodes)
        for event in world.memory.stream[self._seen :]:
            if isinstance(event, OrderCorrected):
                if event.corrects in self._told_at:
                    self._waited.append(now - self._told_at[event.corrects])
            elif isinstance(event, OrderEvent) and not is_true(truth, event):
                self._told_at[event.event_id] = now
        self._seen = len(world.memory.stream)

    def outcome(self) -> Outcome:
        """Return what came of it."""
        world, truth = self._world, self._truth
        events = [one for one in world.memory.stream if isinstance(one, OrderEvent)]
        corrected = {one.corrects for one in events if isinstance(one, OrderCorrected)}
        lies = [one for one in events if not isinstance(one, OrderCorrected) and not is_true(truth, one)]
        told = {one.event_id for one in events}
        missing = [
            one
            for one in truth.events.values()
            if one.event_id not in told and one.ledger_index is not None and one.ledger_index <= world.cursor
        ]
        cursor = min(world.cursor, max(truth.books))
        true, found = truth.books.get(cursor, {}), books_of(world.one)
        return Outcome(
            ledgers=len([one for one in truth.books if one <= world.cursor]) - 1,
            told=len(lies),
            standing=len([one for one in lies if one.event_id not in corrected]),
            missing=len(missing),
            committed=len(self._wrong),
            wrong_at_the_end=sum(true.get(one) != found.get(one) for one in true.keys() | found.keys()),
            confirmed=len(self._confirmed),
            aside={name: tuple(sorted(kinds)) for name, kinds in sorted(self._aside.items())},
            stopped=self._stopped,
            ledgers_to_withdrawal=max(self._waited, default=None),
        )


def is_true(truth: Truth, event: OrderEvent) -> bool:
    """Whether an honest server gives the event too, and like this."""
    true = truth.events.get(event.event_id)
    return true is not None and _compared(true) == _compared(event)


def _compared(event: OrderEvent) -> OrderEvent:
    if isinstance(event, OrderDisappeared):
        return msgspec.structs.replace(event, market_context=None)
    return event
