"""Turning the wheel: at each wake-up every account goes on by one reading, on the first server that can."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import structlog

from ledger_client.server import LedgerServer, ServerError
from ledger_client.server_choice import Servers
from reconciler.backfill.history_gaps import Gaps
from reconciler.backfill.unexplained_removals import UnexplainedRemovals
from reconciler.fleet.account_shares import Lease
from reconciler.following.account_reader import HistoryMissing
from reconciler.following.follower import Follower
from reconciler.metrics import Metrics
from reconciler.ports.bus import NotOwner
from service_kit.cancellation import raise_if_cancelled

_log = structlog.get_logger()

_SHORTEST_PAUSE = 0.02
"""Seconds until the next look after something was found: there may be more already."""
_SECONDS_BETWEEN_REPORTS = 2.0
_SECONDS_UNTIL_MEASURED = 0.1
"""After a look: with thousands of accounts it is measured for many looks at once."""
_LOOKS_AT_ONCE = 64
"""Of all accounts; more would only wait for each other, and run into the servers' and our own time limits."""


class Wakeup:
    """`ledgerClosed` is only a wake-up: it says that it is worth a look."""

    def __init__(self, *, poll_seconds: float) -> None:
        """`poll_seconds`: the longest pause between two looks, for when nothing says that a ledger closed."""
        self.poll_seconds = poll_seconds
        self._next = asyncio.Event()

    def notify(self) -> None:
        """Wake everybody who waits for a ledger to close."""
        closed, self._next = self._next, asyncio.Event()
        closed.set()

    def next_close(self) -> asyncio.Event:
        """Return what is set at the next close; taken before a look, no close is missed after it."""
        return self._next


class Loop:
    """Follows this replica's accounts, each in a task of its own."""

    def __init__(  # noqa: PLR0913, PLR0917 - what it turns
        self,
        followers: Callable[[str], Follower],
        lease: Lease,
        servers: Servers,
        wakeup: Wakeup,
        metrics: Metrics,
        on_turn: Callable[[], None],
        *,
        gaps: Gaps,
        unexplained_removals: UnexplainedRemovals,
    ) -> None:
        """`followers` makes an account's follower; `on_turn` is called after each look that worked."""
        self._make = followers
        self._lease = lease
        self._servers = servers
        self._gaps = gaps
        self._unexplained_removals = unexplained_removals
        self._wakeup = wakeup
        self._metrics = metrics
        self._on_turn = on_turn
        self._followed: dict[str, Follower] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._renewed = asyncio.Event()
        self._validated = 0
        self._lacking: set[tuple[str, str]] = set()
        self._looks = asyncio.Semaphore(_LOOKS_AT_ONCE)
        self._measuring: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Follow until cancelled.

        Raises:
            ExceptionGroup: of StateUnreadable, when an account can't be followed.

        """
        async with asyncio.TaskGroup() as tasks:
            try:
                while True:
                    await self._lease.renew(partial(self._rearrange, tasks))
                    self._tell_share()
                    await asyncio.sleep(self._lease.pause)
            finally:
                await self._leave(self._tasks)
                await self._lease.release()

    @property
    def followers(self) -> Sequence[Follower]:
        """Those of the accounts that are followed now."""
        return list(self._followed.values())

    async def _rearrange(self, tasks: asyncio.TaskGroup, mine: frozenset[str]) -> None:
        """Follow these accounts, and no other from now on."""
        await self._leave(self._tasks.keys() - mine)
        for account in sorted(mine - self._tasks.keys()):
            self._tasks[account] = tasks.create_task(self._follow(account), name=account)
        renewed, self._renewed = self._renewed, asyncio.Event()
        renewed.set()

    async def _leave(self, accounts: Iterable[str]) -> None:
        ending = [self._tasks.pop(account) for account in list(accounts)]
        for task in ending:
            task.cancel()
        if ending:
            await asyncio.wait(ending)

    async def _follow(self, account: str) -> None:
        while True:
            follower = self._followed[account] = self._make(account)
            try:
                await self._turn(follower)
            except NotOwner as loss:
                self._metrics.lease_losses.inc()
                _log.warning("taking the account up again", account=account, problem=str(loss))
            finally:
                del self._followed[account]
                follower.leave()
            # Whoever has gone on with it is seen at the next renewal at the latest
            await self._renewed.wait()

    async def _turn(self, follower: Follower) -> None:
        pause = _SHORTEST_PAUSE
        reported = asyncio.get_running_loop().time()
        while True:
            closed = self._wakeup.next_close()
            before = follower.cursor
            async with self._looks:
                await self.look(follower)
            raise_if_cancelled()
            advanced = follower.cursor != before
            now = asyncio.get_running_loop().time()
            if now - reported >= _SECONDS_BETWEEN_REPORTS:
                reported = now
                self._report(follower)
            pause = _SHORTEST_PAUSE if advanced else min(pause * 2, self._wakeup.poll_seconds)
            if not (advanced and self._behind(follower)):
                await _first_of(closed, pause)

    def halts(self) -> dict[str, str]:
        """Return why accounts wait for an operator, by account."""
        return {one.account: one.halted.reason for one in self.followers if one.halted is not None}

    def _tell_share(self) -> None:
        self._metrics.accounts.set(len(self._tasks))
        self._metrics.replicas.set(self._lease.replicas)
        self._metrics.bus_connected.set(self._lease.held)
        if self._lease.held and not self._tasks:
            self._on_turn()  # a replica with nothing to follow is well

    async def look(self, follower: Follower) -> bool:
        """Let an account go on by one reading; False if no server could serve it."""
        for server in self._servers.candidates():
            try:
                status = await follower.advance(server)
            except HistoryMissing as lack:
                self._lacks(follower, server, lack)
            except ServerError as error:
                self._metrics.readings_failed.labels(server=server.name, kind=error.kind).inc()
                self._servers.failed(server, error)
            else:
                self._servers.served(server)
                self._lacking.discard((follower.account, server.name))
                self._gaps.served(follower.account)
                await self._gaps.heal(follower, self._servers.candidates())
                await self._unexplained_removals.ask(follower, self._servers.candidates())
                self._measure_soon(status.validated)
                self._on_turn()
                return True
        return await self._gaps.go_on(follower, self._servers.candidates())

    def _lacks(self, follower: Follower, server: LedgerServer, lack: HistoryMissing) -> None:
        key = (follower.account, server.name)
        if key not in self._lacking:
            self._lacking.add(key)
            _log.warning(
                "held until the ledgers are there, or for as long as is set",
                account=follower.account,
                problem=str(lack),
            )

    def _measure_soon(self, validated: int) -> None:
        self._validated = max(self._validated, validated)
        self._metrics.validated_ledger.set(self._validated)
        if self._measuring is None:
            loop = asyncio.get_running_loop()
            self._measuring = loop.call_later(_SECONDS_UNTIL_MEASURED, self._measure)

    def _measure(self) -> None:
        self._measuring = None
        self._metrics.cursor_lag.set(max(map(self._behind, self.followers), default=0))
        self._metrics.open_gaps.set(sum(len(one.gaps) for one in self.followers))
        states = [one.state for one in self.followers if one.state is not None]
        self._metrics.open_orders.set(sum(len(state.open) for state in states))
        self._metrics.lost_orders.set(sum(len(state.lost) for state in states))
        self._metrics.disappearances_owed.set(sum(len(one.owed) for one in self.followers))
        self._metrics.halted.set(bool(self.halts()))

    def _behind(self, follower: Follower) -> int:
        """Return by how many ledgers; an account that is not adopted yet is behind by all of them."""
        return max(self._validated - (follower.cursor or 0), 0)

    def _report(self, follower: Follower) -> None:
        behind = self._behind(follower)
        if behind and follower.cursor:
            _log.info("catching up", account=follower.account, cursor=follower.cursor, ledgers_behind=behind)


async def _first_of(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
