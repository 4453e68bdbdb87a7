"""The scheduler: one task per account; each follows its account ledger by ledger."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum, auto
from functools import partial

import structlog

from ledger_client import BoundedReading, LedgerServer, Patience, ServerError, Servers, TooSlow, ask_for
from reconciler.backfill.history_gaps import HistoryGaps
from reconciler.backfill.unexplained_removals import UnexplainedRemovals
from reconciler.fleet.account_shares import Lease
from reconciler.fleet.set_aside import SetAside
from reconciler.fleet.wakeup import Wakeup
from reconciler.following.account_reader import LEDGERS_A_READING, HistoryMissing
from reconciler.following.follower import Follower
from reconciler.following.stored_account import cursor_of
from reconciler.metrics import Metrics
from reconciler.ports.bus import NotOwner
from service_kit.cancellation import raise_if_cancelled

_log = structlog.get_logger()

_SHORTEST_PAUSE = 0.02
"""Seconds until the next reading after one that advanced: the server may have more ledgers already."""
_SECONDS_BETWEEN_REPORTS = 2.0
_SECONDS_UNTIL_MEASURED = 0.1
"""After a reading: with thousands of accounts, many readings are measured at once."""
_READINGS_AT_ONCE = 64
"""Over all accounts; more would only wait for each other, and exceed the time limits of servers and ours."""


_LEDGERS_A_STEP = 16
"""A reading of more ledgers may take as much longer."""
_STEPS_OF_AN_ADOPTION = 4.0


class _Outcome(Enum):
    """What came of reading an account on one server."""

    SERVED = auto()
    NOTHING_NEW = auto()
    LACKING = auto()
    TOO_SLOW = auto()
    FAILED = auto()


class Scheduler:
    """Follows this replica's accounts, each in a task of its own."""

    def __init__(  # noqa: PLR0913 - the parts that it schedules
        self,
        *,
        make_follower: Callable[[str], Follower],
        lease: Lease,
        servers: Servers,
        wakeup: Wakeup,
        metrics: Metrics,
        on_reading: Callable[[], None],
        history_gaps: HistoryGaps,
        unexplained_removals: UnexplainedRemovals,
    ) -> None:
        """`make_follower` makes an account's follower; `on_reading` is called after each good reading."""
        self._make_follower = make_follower
        self._lease = lease
        self._servers = servers
        self._history_gaps = history_gaps
        self._unexplained_removals = unexplained_removals
        self._wakeup = wakeup
        self._metrics = metrics
        self._on_reading = on_reading
        self._followed: dict[str, Follower] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._renewed = asyncio.Event()
        self._patience = Patience(clock=time.monotonic)
        self._set_aside = SetAside(metrics)
        self._lacking: set[tuple[str, str]] = set()
        self._readings = asyncio.Semaphore(_READINGS_AT_ONCE)
        self._measuring: asyncio.TimerHandle | None = None
        # Measured when they are asked for: they must be true also while no reading comes to an end
        metrics.validated_ledger.set_function(lambda: servers.newest_shown)
        metrics.cursor_lag.set_function(self._furthest_behind)

    async def run(self) -> None:
        """Follow this replica's share of the accounts until cancelled.

        An account that can't be followed is set aside and tried again; the others go on.
        """
        async with asyncio.TaskGroup() as tasks:
            try:
                while True:
                    await self._lease.renew(partial(self._reassign, tasks))
                    self._report_share()
                    await asyncio.sleep(self._lease.pause)
            finally:
                await self._stop(self._tasks)
                await self._lease.release()

    @property
    def followers(self) -> Sequence[Follower]:
        """The followers of the accounts that are followed now."""
        return list(self._followed.values())

    @property
    def newest_ledger(self) -> int:
        """The newest validated ledger that a server has shown; 0: none has so far."""
        return self._servers.newest_shown

    def ledgers_behind(self, follower: Follower) -> int:
        """Return by how many ledgers; an account that is not adopted yet is behind by all of them."""
        return max(self._servers.newest_shown - cursor_of(follower.committed), 0)

    def halts(self) -> dict[str, str]:
        """Return, by account, the reason why it waits for an operator."""
        return {
            one.account: one.committed.stored.policy_state.halted.reason
            for one in self.followers
            if one.committed is not None and one.committed.stored.policy_state.halted is not None
        }

    def set_aside(self) -> Mapping[str, str]:
        """Return, by account, the unexpected exception for which it is set aside."""
        return self._set_aside.reasons

    async def _reassign(self, tasks: asyncio.TaskGroup, mine: frozenset[str]) -> None:
        """Follow these accounts, and no other, from now on."""
        await self._stop(self._tasks.keys() - mine)
        for account in sorted(mine - self._tasks.keys()):
            self._tasks[account] = tasks.create_task(self._follow(account), name=account)
        renewed, self._renewed = self._renewed, asyncio.Event()
        renewed.set()

    async def _stop(self, accounts: Iterable[str]) -> None:
        ending = [self._tasks.pop(account) for account in list(accounts)]
        for task in ending:
            task.cancel()
        if ending:
            await asyncio.wait(ending)
        for task in ending:
            self._set_aside.discard(task.get_name())

    async def _follow(self, account: str) -> None:
        """Follow an account until cancelled.

        It begins at the stored state again whenever another replica had it, or an unexpected exception has
        set it aside.
        """
        ask_for(account)
        while True:
            pause: float | None = None
            follower = self._followed[account] = self._make_follower(account)
            try:
                await self._follow_ledgers(follower)
            except NotOwner as loss:
                self._metrics.lease_losses.inc()
                _log.warning("taking the account up again", account=account, problem=str(loss))
            except Exception as fault:  # noqa: BLE001 - whatever it is, the neighbours go on
                pause = self._set_aside.add(account, fault)
            finally:
                del self._followed[account]
                follower.close()
            if pause is not None:
                await asyncio.sleep(pause)
                continue
            # The replica that has gone on with the account is seen at the next renewal at the latest
            await self._renewed.wait()

    async def _follow_ledgers(self, follower: Follower) -> None:
        pause = _SHORTEST_PAUSE
        reported = asyncio.get_running_loop().time()
        while True:
            closed = self._wakeup.next_close()
            before = cursor_of(follower.committed)
            async with self._readings:
                was_read = await self.read_once(follower)
            raise_if_cancelled()
            if was_read:
                self._set_aside.discard(follower.account)
            advanced = cursor_of(follower.committed) != before
            now = asyncio.get_running_loop().time()
            if now - reported >= _SECONDS_BETWEEN_REPORTS:
                reported = now
                self._report_progress(follower)
            pause = _SHORTEST_PAUSE if advanced else min(pause * 2, self._wakeup.poll_seconds)
            if not (advanced and self.ledgers_behind(follower)):
                await _first_of(closed, pause)

    async def read_once(self, follower: Follower) -> bool:
        """Let an account advance on the first server that has more of it; False if none could serve.

        A server that answers and has nothing new has not served, while any other has shown a newer ledger.
        If all servers lack the next ledgers, the account may go on after them (see `HistoryGaps`).
        """
        before = cursor_of(follower.committed)
        outcomes = set()
        for server in self._servers.candidates(before):
            outcome = await self._read(follower, server, before)
            if outcome is _Outcome.SERVED:
                await self._look_back(follower)
                self._measure_soon()
                self._on_reading()
                return True
            outcomes.add(outcome)
        if _Outcome.TOO_SLOW in outcomes:
            self._patience.lengthen()
        if _Outcome.LACKING in outcomes:
            return await self._history_gaps.cross_if_patience_ended(follower, self._servers.candidates())
        self._history_gaps.note_served(follower.account)
        return False

    async def _read(self, follower: Follower, server: LedgerServer, before: int) -> "_Outcome":
        """Let an account advance on a server, for as long as no other server could do it sooner."""
        elsewhere = partial(self._servers.has_shown_after, before, besides=server.name)
        reading = BoundedReading(server, patience=self._seconds_for(before), elsewhere=elsewhere)
        try:
            with reading:
                status = await follower.advance(reading)
        except HistoryMissing as lack:
            self._report_lack(follower, server, lack)
            return _Outcome.LACKING
        except ServerError as error:
            self._metrics.readings_failed.labels(server=server.name, kind=error.kind).inc()
            self._servers.failed(server, error)
            return _Outcome.TOO_SLOW if isinstance(error, TooSlow) else _Outcome.FAILED
        self._servers.note_shown(server.name, status.validated)
        if cursor_of(follower.committed) == before < self._servers.newest_shown:
            return _Outcome.NOTHING_NEW
        self._patience.ease(reading.seconds)
        self._servers.served(server)
        self._lacking.discard((follower.account, server.name))
        self._history_gaps.note_served(follower.account)
        return _Outcome.SERVED

    def _seconds_for(self, cursor: int) -> float:
        """Return how long a reading from a cursor on may take while another server could do it."""
        behind = self._servers.newest_shown - cursor
        steps = _STEPS_OF_AN_ADOPTION if cursor == 0 else min(behind, LEDGERS_A_READING) / _LEDGERS_A_STEP
        return self._patience.seconds * max(1.0, steps)

    async def _look_back(self, follower: Follower) -> None:
        """Read on in the account's history gaps, and ask again about its unexplained removals."""
        await self._history_gaps.backfill(follower, self._servers.candidates())
        await self._unexplained_removals.ask_again(follower, self._readings_in_turn(follower))

    def _readings_in_turn(self, follower: Follower) -> Iterator[LedgerServer]:
        """Yield each server for something that ends as soon as there is a new ledger to read."""
        cursor = cursor_of(follower.committed)
        is_over = partial(self._servers.has_shown_after, cursor)
        for server in self._servers.candidates():
            with BoundedReading(server, patience=self._patience.seconds, elsewhere=is_over) as reading:
                yield reading

    def _report_lack(self, follower: Follower, server: LedgerServer, lack: HistoryMissing) -> None:
        key = (follower.account, server.name)
        if key not in self._lacking:
            self._lacking.add(key)
            _log.warning(
                "held until a server has the ledgers, or for as long as gap_patience says",
                account=follower.account,
                problem=str(lack),
            )

    def _report_share(self) -> None:
        self._metrics.accounts.set(len(self._tasks))
        self._metrics.replicas.set(self._lease.replicas)
        self._metrics.bus_connected.set(self._lease.held)
        if self._lease.held and not self._tasks:
            self._on_reading()  # a replica without accounts is ready as well

    def _report_progress(self, follower: Follower) -> None:
        behind, cursor = self.ledgers_behind(follower), cursor_of(follower.committed)
        if behind and cursor:
            _log.info("catching up", account=follower.account, cursor=cursor, ledgers_behind=behind)

    def _furthest_behind(self) -> int:
        return max(map(self.ledgers_behind, self.followers), default=0)

    def _measure_soon(self) -> None:
        if self._measuring is None:
            loop = asyncio.get_running_loop()
            self._measuring = loop.call_later(_SECONDS_UNTIL_MEASURED, self._measure)

    def _measure(self) -> None:
        self._measuring = None
        accounts = [one.committed for one in self.followers if one.committed is not None]
        self._metrics.open_gaps.set(sum(len(one.stored.history_gaps) for one in accounts))
        self._metrics.open_orders.set(sum(len(one.state.open) for one in accounts))
        self._metrics.lost_orders.set(sum(len(one.state.lost) for one in accounts))
        self._metrics.disappearances_owed.set(sum(len(one.stored.unacknowledged) for one in accounts))
        self._metrics.halted.set(bool(self.halts()))


async def _first_of(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
