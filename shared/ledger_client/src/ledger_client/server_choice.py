"""Choice of server: a server that has shown the next ledger is asked, the one that served last first.

What a server names as its newest ledger, in an answer or by its stream, it has *shown*. A server that has
shown nothing new answers well and serves nobody: it is asked after those that have. A server that fails is
put aside for a while that grows with each failure.
"""

import random
from collections.abc import Callable, Iterator, Sequence

import msgspec
import structlog

from ledger_client.server import (
    Lagging,
    LedgerServer,
    Overloaded,
    ProtocolViolation,
    ServerError,
    Unreachable,
    WrongChain,
)
from retries import Backoff

_log = structlog.get_logger()

_BACKOFF = Backoff(shortest=0.25, longest=30.0)
_BACKOFF_OF: dict[type[ServerError], Backoff] = {
    Overloaded: Backoff(shortest=1.0, longest=30.0),
    WrongChain: Backoff(shortest=30.0, longest=30.0),
    Lagging: Backoff(shortest=0.25, longest=5.0),
}
"""A server that lags catches up soon, and says so itself; one on another chain stays there."""
_SECONDS_ASIDE_AFTER_A_NEW_LEDGER = 1.0
"""At most: a server that was unreachable and shows a new ledger is alive."""


class _Aside(msgspec.Struct, frozen=True):
    """Why a server is put aside, and until when."""

    error: ServerError
    until: float


class Servers:
    """All servers, shared by all accounts. One that fails stands aside, twice as long each time."""

    def __init__(
        self,
        servers: Sequence[LedgerServer],
        *,
        clock: Callable[[], float],
        chance: random.Random,
    ) -> None:
        """`clock`: seconds, monotonic; `chance`: spreads the retries of many replicas."""
        self._servers = list(servers)
        self._clock = clock
        self._chance = chance
        self._aside: dict[str, _Aside] = {}
        self._failures: dict[str, int] = {}
        self._told: dict[str, str] = {}
        self._shown: dict[str, int] = {}
        self._doubted: set[str] = set()

    @property
    def newest_shown(self) -> int:
        """The newest ledger that any server has shown; 0: none yet.

        While another one is left, it does not count what a server shows that was put aside for a wrong
        answer and has not served since.
        """
        believed = [shown for name, shown in self._shown.items() if name not in self._doubted]
        return max(believed or self._shown.values(), default=0)

    def note_shown(self, name: str, ledger_index: int) -> bool:
        """Note that a server has this validated ledger; True if no server has shown it before."""
        before = max(self._shown.values(), default=0)
        if ledger_index <= self._shown.get(name, 0):
            return False
        self._shown[name] = ledger_index
        aside = self._aside.get(name)
        if aside is not None and isinstance(aside.error, Unreachable):
            soon = self._clock() + _SECONDS_ASIDE_AFTER_A_NEW_LEDGER
            self._aside[name] = _Aside(aside.error, min(aside.until, soon))
        return ledger_index > before

    def has_shown_after(self, ledger_index: int, *, besides: str | None = None) -> bool:
        """Whether a server, not aside and another one than `besides`, has shown a newer ledger."""
        return any(
            self._shown.get(server.name, 0) > ledger_index and self._is_usable(server, ledger_index)
            for server in self._servers
            if server.name != besides
        )

    def candidates(self, after: int | None = None) -> Iterator[LedgerServer]:
        """Yield the servers that are not aside, the one that served last first.

        `after`: those that have shown a ledger after this one come before the others.
        """
        usable = [server for server in self._servers if self._is_usable(server, after)]
        if after is not None:
            usable.sort(key=lambda server: self._shown.get(server.name, 0) <= after)
        yield from usable

    def every(self) -> list[LedgerServer]:
        """Return all servers, the one that served last first."""
        return list(self._servers)

    def served(self, server: LedgerServer) -> None:
        """Note that an account was read on it: it is asked first from now on."""
        if self._failures.pop(server.name, 0):
            _log.info("server answers again", server=server.name)
        self._told.pop(server.name, None)
        self._doubted.discard(server.name)
        self._servers.sort(key=lambda one: one.name != server.name)

    def failed(self, server: LedgerServer, error: ServerError) -> None:
        """Put it aside for a while that grows with each failure; one warning for each kind of trouble."""
        if isinstance(error, ProtocolViolation):
            self._doubted.add(server.name)
        now = self._clock()
        aside = self._aside.get(server.name)
        if aside is not None and aside.until > now:
            return  # another account's task has met the same trouble
        failures = self._failures[server.name] = self._failures.get(server.name, 0) + 1
        pause = _BACKOFF_OF.get(type(error), _BACKOFF).seconds(failures, self._chance.random())
        if isinstance(error, Overloaded):
            pause = max(pause, error.seconds_away or 0.0)
        self._aside[server.name] = _Aside(error, now + pause)
        if self._told.get(server.name) != error.kind:
            self._told[server.name] = error.kind
            tell = _log.error if isinstance(error, WrongChain) else _log.warning
            tell("server put aside, asked again later", problem=str(error), kind=error.kind)

    async def close(self) -> None:
        """Close all connections."""
        for server in self._servers:
            await server.close()

    def _is_usable(self, server: LedgerServer, after: int | None) -> bool:
        """Whether it is not aside; one that only lags may still have what comes after a ledger."""
        aside = self._aside.get(server.name)
        if aside is None or aside.until <= self._clock():
            return True
        has_more = after is not None and self._shown.get(server.name, 0) > after
        return isinstance(aside.error, Lagging) and has_more
