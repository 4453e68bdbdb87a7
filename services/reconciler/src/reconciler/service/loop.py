"""Turning the wheel: at each wake-up every account goes on by one reading, on the first server that can."""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from reconciler.metrics import Metrics
from reconciler.ports.ledger import LedgerServer, ServerError
from reconciler.service import cancellation
from reconciler.service.doubts import Doubts
from reconciler.service.follower import Follower
from reconciler.service.gaps import Gaps
from reconciler.service.reader import HistoryMissing
from reconciler.service.servers import Servers

_log = structlog.get_logger()

_SHORTEST_PAUSE = 0.02
"""Seconds until the next look after something was found: there may be more already."""
_SECONDS_BETWEEN_REPORTS = 2.0


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
    """Follows all accounts, each in a task of its own."""

    def __init__(  # noqa: PLR0913 - its parts
        self,
        followers: Sequence[Follower],
        servers: Servers,
        wakeup: Wakeup,
        metrics: Metrics,
        on_turn: Callable[[], None],
        *,
        gaps: Gaps,
        doubts: Doubts,
    ) -> None:
        """`on_turn` is called after each look that worked."""
        self._followers = followers
        self._servers = servers
        self._gaps = gaps
        self._doubts = doubts
        self._wakeup = wakeup
        self._metrics = metrics
        self._on_turn = on_turn
        self._validated = 0
        self._lacking: set[tuple[str, str]] = set()

    async def run(self) -> None:
        """Follow until cancelled.

        Raises:
            ExceptionGroup: of NotOwner or StateUnreadable, when an account must not be followed here.

        """
        async with asyncio.TaskGroup() as tasks:
            for follower in self._followers:
                tasks.create_task(self._follow(follower), name=follower.account)

    async def _follow(self, follower: Follower) -> None:
        pause = _SHORTEST_PAUSE
        reported = asyncio.get_running_loop().time()
        while True:
            closed = self._wakeup.next_close()
            before = follower.cursor
            await self.look(follower)
            cancellation.obey()
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
        return {one.account: one.halted.reason for one in self._followers if one.halted is not None}

    async def look(self, follower: Follower) -> bool:
        """Let an account go on by one reading; False if no server could serve it."""
        for server in self._servers.candidates():
            try:
                status = await follower.advance(server)
            except HistoryMissing as lack:
                self._lacks(follower, server, lack)
            except ServerError as error:
                self._servers.failed(server, error)
            else:
                self._servers.served(server)
                self._lacking.discard((follower.account, server.name))
                self._gaps.served(follower.account)
                await self._gaps.heal(follower, self._servers.candidates())
                await self._doubts.ask(follower, self._servers.candidates())
                self._measure(status.validated)
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

    def _measure(self, validated: int) -> None:
        self._validated = max(self._validated, validated)
        self._metrics.validated_ledger.set(self._validated)
        self._metrics.cursor_lag.set(max(map(self._behind, self._followers)))
        self._metrics.open_gaps.set(sum(len(one.gaps) for one in self._followers))
        self._metrics.lost_orders.set(sum(len(one.state.lost) for one in self._followers if one.state))
        self._metrics.disappearances_owed.set(sum(len(one.owed) for one in self._followers))
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
