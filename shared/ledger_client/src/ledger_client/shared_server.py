"""Any ledger server, asked once where many followers want to know the same."""

from collections.abc import Callable, Hashable

import msgspec

from ledger_client.server import LedgerServer
from ledger_client.single_flight import SingleFlight

_SECONDS_OF_STATUS = 0.1
"""Where no stream says that a ledger closed: the look of one account serves the others meanwhile."""
_SECONDS_OF_LEDGER = 5.0
"""A validated ledger does not change, but what answers under a server's name may: never for long."""
_KEPT = 256
_PINNED = frozenset({"ledger", "ledger_entry"})


class SharedServer:
    """Answers what was just asked from memory: the server's state, a ledger's header, one entry of it."""

    def __init__(
        self, server: LedgerServer, *, last_close: Callable[[], Hashable], clock: Callable[[], float]
    ) -> None:
        """`last_close`: changes with every ledger that a stream says is closed; `clock`: seconds."""
        self._server = server
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
