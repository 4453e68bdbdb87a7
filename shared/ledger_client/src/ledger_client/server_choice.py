"""Which server to ask: the one that served last, the next one while that is aside."""

import random
from collections.abc import Callable, Iterator, Sequence

import structlog

from ledger_client.server import Lagging, LedgerServer, Overloaded, ServerError, WrongChain
from retries import Backoff

_log = structlog.get_logger()

_BACKOFF = Backoff(shortest=0.25, longest=30.0)
_BACKOFF_OF: dict[type[ServerError], Backoff] = {
    Overloaded: Backoff(shortest=1.0, longest=30.0),
    WrongChain: Backoff(shortest=30.0, longest=30.0),
    Lagging: Backoff(shortest=0.25, longest=5.0),
}
"""A server that lags catches up soon, and says so itself; one on another chain stays there."""


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
        self._aside_until: dict[str, float] = {}
        self._failures: dict[str, int] = {}
        self._told: dict[str, str] = {}

    def candidates(self) -> Iterator[LedgerServer]:
        """Yield the servers that are not aside, the one that served last first."""
        now = self._clock()
        for server in list(self._servers):
            if self._aside_until.get(server.name, now) <= now:
                yield server

    def every(self) -> list[LedgerServer]:
        """Return all servers, the one that served last first."""
        return list(self._servers)

    def served(self, server: LedgerServer) -> None:
        """Note that it answered well: it is asked first from now on."""
        if self._failures.pop(server.name, 0):
            _log.info("server answers again", server=server.name)
        self._told.pop(server.name, None)
        self._servers.remove(server)
        self._servers.insert(0, server)

    def failed(self, server: LedgerServer, error: ServerError) -> None:
        """Put it aside for a while that grows with each failure; one warning for each kind of trouble."""
        now = self._clock()
        if self._aside_until.get(server.name, now) > now:
            return  # another account's task has met the same trouble
        failures = self._failures[server.name] = self._failures.get(server.name, 0) + 1
        pause = _BACKOFF_OF.get(type(error), _BACKOFF).seconds(failures, self._chance.random())
        self._aside_until[server.name] = now + pause
        if self._told.get(server.name) != error.kind:
            self._told[server.name] = error.kind
            tell = _log.error if isinstance(error, WrongChain) else _log.warning
            tell("server put aside, asked again later", problem=str(error), kind=error.kind)

    async def close(self) -> None:
        """Close all connections."""
        for server in self._servers:
            await server.close()
