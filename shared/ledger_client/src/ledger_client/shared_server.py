"""Any ledger server, asked once where many followers want to know the same."""

from collections.abc import Callable, Hashable

import msgspec

from ledger_client.ledger_stream import LedgerStream
from ledger_client.server import LedgerServer
from ledger_client.single_flight import SingleFlight
from ledger_client.status import ServerStatus, ask_status

_SECONDS_OF_STATUS = 0.1
"""Where no stream says that a ledger closed: the look of one account serves the others meanwhile."""
_SECONDS_OF_SILENCE = 1.0
"""At most between two questions for its state while a stream is silent, however many accounts follow it."""
_SECONDS_OF_LEDGER = 5.0
"""A validated ledger does not change, but what answers under a server's name may: never for long."""
_KEPT = 256
_PINNED = frozenset({"ledger", "ledger_entry"})


class SharedServer:
    """Answers what was just asked from memory: the server's state, a ledger's header, one entry of it."""

    def __init__(
        self,
        server: LedgerServer,
        *,
        last_close: Callable[[], Hashable],
        clock: Callable[[], float],
        stream: LedgerStream | None = None,
        poll_seconds: float = _SECONDS_OF_SILENCE,
    ) -> None:
        """`last_close`: changes with every ledger that a stream says is closed; `clock`: seconds.

        `stream`: this server's; None: it has none. `poll_seconds`: between two looks of one account.
        """
        self.stream = stream
        self._server = server
        self._silence = min(poll_seconds, _SECONDS_OF_SILENCE)
        self._status_known: ServerStatus | None = None
        self._clock = clock
        self._status_asked_at = float("-inf")
        self._known_since = 0
        """The stream's losses when it became known."""
        self._last_close = last_close
        self._status: SingleFlight[Hashable, msgspec.Raw] = SingleFlight(
            keep=1, seconds=_SECONDS_OF_STATUS, clock=clock
        )
        self._pinned: SingleFlight[bytes, msgspec.Raw] = SingleFlight(
            keep=_KEPT, seconds=_SECONDS_OF_LEDGER, clock=clock
        )

    @property
    def name(self) -> str:
        """The server's address, without credentials."""
        return self._server.name

    @property
    def reads_only_whole(self) -> bool:
        """False: what it shows otherwise is believed, too (see `StreamedServer`)."""
        return False

    def reads_whole(self, ledger_index: int) -> bool:  # noqa: ARG002 - see `StreamedServer`
        """Return False: what a stream shows is not asked for again (see `StreamedServer`)."""
        return False

    async def status(self) -> ServerStatus:
        """Return what the server has by now (see `StatusServer`): by its stream, while that is not silent."""
        stream, known = self.stream, self._status_known
        if stream is None:
            return await ask_status(self)
        if known is not None and self._known_since == stream.losses:
            now = stream.status(known)
            if now is not None:
                return now
            if self._clock() < self._status_asked_at + self._silence:
                return known
        known = await ask_status(self)
        self._status_known, self._known_since = known, stream.losses
        self._status_asked_at = self._clock()
        return known

    async def request(self, method: str, /, **params: object) -> msgspec.Raw:
        """Ask, and return the `result` (see `LedgerServer`)."""
        if method == "server_info":
            return await self._status.get(self._last_close(), lambda: self._server.request(method))
        if method in _PINNED and "transactions" not in params and isinstance(params.get("ledger_index"), int):
            key = msgspec.json.encode((method, params), order="deterministic")
            return await self._pinned.get(key, lambda: self._server.request(method, **params))
        return await self._server.request(method, **params)

    async def close(self) -> None:
        """Close the connection, and end the questions that nobody waits for any more."""
        await self._status.close()
        await self._pinned.close()
        await self._server.close()
