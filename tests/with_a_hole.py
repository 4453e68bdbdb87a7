"""One account followed over ledgers that its server lacks, and healed by a server that has them."""

from collections.abc import Iterable
from uuid import UUID

from in_memory_bus import Memory, MemoryFeed, MemoryOrders, MemoryStore, NoMarket
from in_process_node import InProcessServer
from one_account import announced, committed_by, committed_in, follower, run

from ledger_client import LedgerServer
from offer_lifecycle import AccountRecord, Gap, Order
from order_events import (
    OrdersEvent,
)
from reconciler.backfill.gap_backfill import BackfillPublisher, GapBackfill
from reconciler.backfill.history_gaps import SECONDS_BETWEEN_SEARCHES, HistoryGaps
from reconciler.following.stored_account import cursor_of
from replay_node.session import Session

PATIENCE = 300.0


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def gaps_of(memory: Memory, clock: Clock) -> HistoryGaps:
    """Return what a process would use, on the in-memory bus."""

    def backfill(account: str, gap: Gap, server: LedgerServer) -> GapBackfill:
        publisher = BackfillPublisher(MemoryOrders(memory), NoMarket(), disappearance_timeout=1)
        store, feed = MemoryStore(memory), MemoryFeed(memory)
        return GapBackfill(account, gap, server, feed=feed, store=store, publisher=publisher)

    return HistoryGaps(patience=PATIENCE, clock=clock, make_backfill=backfill)


class Holed:
    """A session whose server lost the ledgers `first` to `last` of it before they were read."""

    def __init__(self, session: Session, *, silent: bool = False) -> None:
        """`silent`: the engine announces nothing."""
        self.session = session
        self.memory = Memory()
        self.memory.announcements += [] if silent else announced(session)
        self.clock = Clock()
        self.server = InProcessServer(session, "node://holed")
        self.whole = InProcessServer(session, "node://whole")
        self.follower = follower(self.memory, session)
        self.gaps = gaps_of(self.memory, self.clock)

    def restart(self) -> None:
        """Go on as another process would."""
        self.follower = follower(self.memory, self.session)
        self.gaps = gaps_of(self.memory, self.clock)

    async def follow_up_to(self, ledger_index: int) -> None:
        """Follow the server, whose ledgers close up to that one."""
        self._close(self.server, ledger_index)
        while cursor_of(self.follower.committed) < ledger_index:
            await self.follower.advance(self.server)

    async def lose(self, first: int, last: int) -> None:
        """Follow up to `first`, and go on right after `last`."""
        await self.follow_up_to(first - 1)
        self.server.node.faults.change({"hole": [first, last]})
        self._close(self.server, last + 1)
        assert not await self.go_on()
        self.clock.now += PATIENCE
        assert await self.go_on()

    async def go_on(self, *more: InProcessServer) -> bool:
        return await self.gaps.cross_if_patience_ended(self.follower, [self.server, *more])

    async def finish(self) -> None:
        """Follow to the session's end."""
        await self.follow_up_to(self.server.node.chain.last_index)

    async def heal(self, servers: Iterable[LedgerServer] | None = None) -> None:
        """Let a server with all ledgers appear, and look until nothing is left to heal."""
        self._close(self.whole, self.server.node.chain.validated.ledger_index)
        self.clock.now += SECONDS_BETWEEN_SEARCHES
        open_gaps = len(committed_by(self.follower).history_gaps) + 1
        while len(committed_by(self.follower).history_gaps) < open_gaps:
            open_gaps = len(committed_by(self.follower).history_gaps)
            for _ in range(3):
                await self.gaps.backfill(self.follower, servers or [self.server, self.whole])
            self.clock.now += SECONDS_BETWEEN_SEARCHES

    @staticmethod
    def _close(server: InProcessServer, ledger_index: int) -> None:
        while server.node.chain.validated.ledger_index < ledger_index:
            server.close_ledgers(1)


async def untroubled(session: Session, *, silent: bool = False) -> Memory:
    """Return what a run without a hole leaves."""
    memory = Memory()
    memory.announcements += [] if silent else announced(session)
    await run(memory, session)
    return memory


def by_id(memory: Memory) -> dict[UUID, OrdersEvent]:
    return {event.event_id: event for event in memory.stream}


def end_state(memory: Memory) -> tuple[AccountRecord, dict[int, Order]]:
    state = committed_in(memory).state
    return state.record, state.orders
