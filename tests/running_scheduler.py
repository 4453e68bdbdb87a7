"""A scheduler over servers in this process: every account has an in-memory bus of its own."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Sequence

from in_memory_bus import Memory, MemoryFeed, MemoryLeases, MemoryOrders, MemoryStore, NoMarket
from in_process_node import InProcessServer
from replaying import recorded
from with_a_hole import Clock, gaps_of

from ledger_client import Servers
from reconciler.backfill.unexplained_removals import UnexplainedRemovals
from reconciler.fleet.account_shares import Lease
from reconciler.fleet.scheduler import Scheduler
from reconciler.fleet.server_monitor import ServerMonitor
from reconciler.fleet.wakeup import Wakeup
from reconciler.following.follower import Follower
from reconciler.following.publisher import Publisher
from reconciler.following.stored_account import cursor_of
from reconciler.metrics import Metrics
from reconciler.ports.bus import EngineFeed

SESSION = recorded("random_crowd_4")
ROLES = ("maker", "maker2", "maker3")
LAST = SESSION.ledgers[-1].ledger_index


class Running:
    """A scheduler over in-process servers; every account has a memory of its own."""

    def __init__(
        self, *servers: InProcessServer, poll_seconds: float = 5, roles: tuple[str, ...] = ROLES
    ) -> None:
        self.memories = {role: Memory() for role in roles}
        self.leases = MemoryLeases()
        self.wakeup = Wakeup(poll_seconds=poll_seconds)
        self.metrics = Metrics()
        self.readings = 0
        self.made: list[Follower] = []
        clock = asyncio.get_running_loop().time
        self.servers = Servers(servers, clock=clock, chance=random.Random(1))  # noqa: S311 - no secret
        accounts = [SESSION.accounts[role] for role in roles]
        self.lease = Lease(self.leases, accounts, replica="one", seconds=5, clock=clock)
        self.gaps_clock = Clock()
        self.scheduler = Scheduler(
            make_follower=self._follower,
            lease=self.lease,
            servers=self.servers,
            wakeup=self.wakeup,
            metrics=self.metrics,
            on_reading=self._note_reading,
            history_gaps=gaps_of(next(iter(self.memories.values()), Memory()), self.gaps_clock),
            unexplained_removals=UnexplainedRemovals(clock=Clock()),
        )

    def _note_reading(self) -> None:
        self.readings += 1

    def store(self, memory: Memory) -> MemoryStore:
        return MemoryStore(memory)

    def feed(self, memory: Memory) -> EngineFeed:
        return MemoryFeed(memory)

    def _follower(self, account: str) -> Follower:
        memory = next(one for role, one in self.memories.items() if SESSION.accounts[role] == account)
        follower = Follower(
            account,
            start_ledger=SESSION.ledgers[0].ledger_index,
            feed=self.feed(memory),
            store=self.store(memory),
            publisher=Publisher(MemoryOrders(memory), NoMarket(), disappearance_timeout=1),
        )
        self.made.append(follower)
        return follower

    def monitor(self) -> ServerMonitor:
        return ServerMonitor(self.servers, self.metrics, on_new_ledger=self.wakeup.notify)

    @property
    def followers(self) -> Sequence[Follower]:
        return self.scheduler.followers

    def pause_between_renewals(self, seconds: float) -> None:
        self.lease.pause = seconds

    def all_at(self, ledger_index: int) -> Callable[[], bool]:
        return lambda: (
            len(self.followers) == len(self.memories)
            and all(cursor_of(one.committed) == ledger_index for one in self.followers)
        )

    def metric(self, name: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"reconciler_{name}")


@contextlib.asynccontextmanager
async def scheduling(running: Running) -> AsyncIterator[Running]:
    task = asyncio.create_task(running.scheduler.run())
    try:
        yield running
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
