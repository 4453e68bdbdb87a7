"""A server that is asked again while it is overloaded, for callers that have no other server to turn to."""

from collections.abc import Awaitable, Callable
from functools import partial

import msgspec

from ledger_client.server import LedgerServer, Overloaded
from retries import Backoff, retry

_BACKOFF = Backoff(shortest=0.5, longest=8.0)
_ATTEMPTS = 6


class PatientServer:
    """Passes everything on; an overloaded server is asked again, a few times at most."""

    def __init__(
        self,
        server: LedgerServer,
        *,
        chance: Callable[[], float],
        pause: Callable[[float], Awaitable[None]],
    ) -> None:
        """`chance`: a number from 0 to 1; `pause`: waits so many seconds."""
        self._server = server
        self._chance = chance
        self._pause = pause

    @property
    def name(self) -> str:
        """The server's address, without credentials."""
        return self._server.name

    async def request(self, method: str, /, **params: object) -> msgspec.Raw:
        """Ask, and return the `result` (see `LedgerServer`)."""
        return await retry(
            partial(self._server.request, method, **params),
            on=(Overloaded,),
            backoff=_BACKOFF,
            attempts=_ATTEMPTS,
            chance=self._chance,
            pause=self._pause,
            at_least=_seconds_away,
        )

    async def close(self) -> None:
        """Close the connection."""
        await self._server.close()


def _seconds_away(error: Exception) -> float:
    return error.seconds_away or 0.0 if isinstance(error, Overloaded) else 0.0
