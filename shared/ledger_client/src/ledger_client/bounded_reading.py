"""A bounded reading: one server for the time of one reading, which is given up when it takes too long.

A request has a time limit of its own. That is no limit for what is made of many requests: a server that
answers each one just in time would keep an account for minutes, while another server has the ledger.
"""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self, TypeVar

import msgspec

from ledger_client.history import LedgerTransaction, knows_history, read_account_history
from ledger_client.ledger_stream import LedgerStream
from ledger_client.server import LedgerServer, TooSlow
from ledger_client.status import ServerStatus, server_status
from ledger_client.streamed_server import has_stream, stream_of

LONGEST_READING = 120.0
"""Seconds of one reading, whatever it reads; 256 ledgers of a busy account take a few."""
_SECONDS_BETWEEN_LOOKS = 0.05
_MARKET = frozenset({"book_offers", "amm_info"})
"""The market is described when the reading is done, and within a time of its own."""
_SHORTEST = 0.5
_LONGEST = 16.0
_SECONDS_UNTIL_EASED = 30.0

T = TypeVar("T")


class Patience:
    """How long a reading may take while another server could do it: it adapts to what readings take here."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        """`clock`: seconds, monotonic."""
        self.seconds = _SHORTEST
        self._clock = clock
        self._changed_at = clock()

    def lengthen(self) -> None:
        """Note that no server was fast enough: the next readings may take twice as long."""
        if self._clock() - self._changed_at >= self.seconds or self.seconds == _SHORTEST:
            self._set(min(_LONGEST, self.seconds * 2))

    def ease(self, taken: float) -> None:
        """Note how many seconds a reading has taken: where that is little, patience becomes shorter again."""
        if taken * 4 < self.seconds and self._clock() - self._changed_at >= _SECONDS_UNTIL_EASED:
            self._set(max(_SHORTEST, self.seconds / 2))

    def _set(self, seconds: float) -> None:
        self.seconds = seconds
        self._changed_at = self._clock()


class BoundedReading:
    """Passes requests on to a server until the reading has taken too long."""

    def __init__(self, server: LedgerServer, *, patience: float, elsewhere: Callable[[], bool]) -> None:
        """Bound a reading of `server`, in any case by `LONGEST_READING`.

        `patience`: seconds after which it ends as soon as `elsewhere` says that another server can do it.
        """
        self._server = server
        self._patience = patience
        self._elsewhere = elsewhere
        self._loop = asyncio.get_running_loop()
        self._begun = self._loop.time()
        self._waiting: set[asyncio.Timeout] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._over = False

    @property
    def name(self) -> str:
        """The server's address, without credentials."""
        return self._server.name

    @property
    def seconds(self) -> float:
        """How long the reading has taken so far."""
        return self._loop.time() - self._begun

    def __enter__(self) -> Self:
        """Begin the reading."""
        self._look()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """End the reading; nothing more is asked through it."""
        self._over = True
        if self._timer is not None:
            self._timer.cancel()

    async def request(self, method: str, /, **params: object) -> msgspec.Raw:
        """Ask, and return the `result` (see `LedgerServer`).

        Raises:
            TooSlow: the reading has taken too long.
            ServerError: as every request.

        """
        if method in _MARKET:
            return await self._server.request(method, **params)
        return await self._bounded(method, self._server.request, method, **params)

    @property
    def stream(self) -> LedgerStream | None:
        """The server's stream (see `StreamedServer`)."""
        return stream_of(self._server)

    @property
    def reads_only_whole(self) -> bool:
        """Whether nothing but whole ledgers is believed (see `StreamedServer`)."""
        return has_stream(self._server) and self._server.reads_only_whole

    def reads_whole(self, ledger_index: int) -> bool:
        """Whether the server is read ledger by ledger anyway (see `StreamedServer`)."""
        return has_stream(self._server) and self._server.reads_whole(ledger_index)

    async def status(self) -> ServerStatus:
        """Return what the server has by now (see `StatusServer`)."""
        return await self._bounded("server_info", server_status, self._server)

    async def account_history(self, account: str, first: int, last: int) -> list[LedgerTransaction]:
        """Return the account's transactions in [first, last], in the ledger's order (see `HistoryServer`)."""
        if knows_history(self._server):
            return await self._bounded("history", self._server.account_history, account, first, last)
        return await read_account_history(self, account, first, last)

    async def close(self) -> None:
        """Close the connection."""
        await self._server.close()

    async def _bounded(
        self, what: str, ask: Callable[..., Awaitable[T]], *args: object, **named: object
    ) -> T:
        if self._over:
            raise self._too_slow(what)
        try:
            async with asyncio.timeout(None) as scope:
                self._waiting.add(scope)
                try:
                    return await ask(*args, **named)
                finally:
                    self._waiting.discard(scope)
        except TimeoutError as error:
            raise self._too_slow(what) from error

    def _look(self) -> None:
        taken = self.seconds
        self._over = taken >= LONGEST_READING or (taken >= self._patience and self._elsewhere())
        if self._over:
            for scope in self._waiting:
                scope.reschedule(self._loop.time())
        else:
            self._timer = self._loop.call_later(_SECONDS_BETWEEN_LOOKS, self._look)

    def _too_slow(self, what: str) -> TooSlow:
        return TooSlow(
            self.name,
            f"{what}: expected the reading to end by now, found it unfinished after {self.seconds:.1f} s",
        )
