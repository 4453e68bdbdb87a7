"""A cap on the requests that a server is asked in a minute, shared fairly among the accounts that ask.

A token bucket: each request takes a token, and a request without one waits. The tokens go round the waiting
accounts in turn, so that one that asks much delays no other's next question.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from contextvars import ContextVar

import msgspec

from ledger_client.server import LedgerServer

LEAST_A_MINUTE = 10
"""The smallest cap: below it there is no tenth for a burst."""
_SECONDS = 60
_SUBSCRIPTIONS = 2
"""Of each connection: to the ledgers, and to their transactions."""
_ASKING_FOR: ContextVar[str] = ContextVar("asking_for", default="")


def ask_for(account: str) -> None:
    """Let the requests of the running task, and of those that it starts, count as this account's."""
    _ASKING_FOR.set(account)


class RequestBudget:
    """The tokens of one server."""

    streams: tuple[str, ...] = ()
    optional = True

    def __init__(
        self,
        requests_per_minute: int,
        *,
        clock: Callable[[], float],
        pause: Callable[[float], Awaitable[object]],
    ) -> None:
        """Let at most so many requests through in any minute; a tenth of them may come at once.

        `clock`: seconds, monotonic; `pause`: waits so many seconds.

        Raises:
            ValueError: for a cap below `LEAST_A_MINUTE`.

        """
        if requests_per_minute < LEAST_A_MINUTE:
            raise ValueError(
                f"expected at least {LEAST_A_MINUTE} requests a minute, found {requests_per_minute}"
            )
        self._burst = requests_per_minute // 10
        # One tenth may come at once at the beginning of the minute, another one is left to subscriptions
        self._rate = (requests_per_minute - 2 * self._burst) / _SECONDS
        self._clock = clock
        self._pause = pause
        self._tokens = float(self._burst)
        self._filled_at = clock()
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        """By account, oldest first; the account whose turn it is stands first."""
        self._serving: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many requests wait for a token."""
        return sum(map(len, self._waiting.values()))

    async def take_token(self) -> None:
        """Wait until the running task's account may ask once."""
        self._fill()
        if not self._waiting and self._tokens >= 1:
            self._tokens -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(_ASKING_FOR.get(), deque()).append(turn)
        if self._serving is None or self._serving.done():
            self._serving = asyncio.create_task(self._serve())
        await turn

    def opened(self, _answer: msgspec.Raw) -> None:
        """Nothing: no stream is subscribed to for it (see `StreamListener`)."""

    def heard(self, _kind: str, _message: bytes) -> None:
        """Nothing: what a stream brings is not asked for."""

    def lost(self) -> None:
        """Count the subscriptions of the connection to come: requests that it makes by itself."""
        self._fill()
        self._tokens -= _SUBSCRIPTIONS

    async def close(self) -> None:
        """Give up the requests that wait."""
        if self._serving is not None:
            self._serving.cancel()
            await asyncio.wait([self._serving])
        for turn in (turn for turns in self._waiting.values() for turn in turns):
            turn.cancel()
        self._waiting.clear()

    def _fill(self) -> None:
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now

    async def _serve(self) -> None:
        while self._waiting:
            self._fill()
            if self._tokens < 1:
                await self._pause((1 - self._tokens) / self._rate)
                continue
            account, turns = next(iter(self._waiting.items()))
            turn = turns.popleft()
            self._waiting.move_to_end(account)
            if not turns:
                del self._waiting[account]
            if not turn.done():  # the one who asked may have been cancelled
                self._tokens -= 1
                turn.set_result(None)


class BudgetedServer:
    """Passes every request on to a server as soon as its budget has a token."""

    def __init__(self, server: LedgerServer, budget: RequestBudget) -> None:
        """Ask `server` within `budget`."""
        self._server = server
        self._budget = budget

    @property
    def name(self) -> str:
        """The server's address, without credentials."""
        return self._server.name

    async def request(self, method: str, /, **params: object) -> msgspec.Raw:
        """Ask, and return the `result` (see `LedgerServer`)."""
        await self._budget.take_token()
        return await self._server.request(method, **params)

    async def close(self) -> None:
        """Give up what waits, and close the connection."""
        await self._budget.close()
        await self._server.close()
