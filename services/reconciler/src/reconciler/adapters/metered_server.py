"""A ledger server whose answers are timed and whose errors are counted."""

import time

import msgspec

from ledger_client import LedgerServer, ServerError
from reconciler.metrics import Metrics


class MeteredServer:
    """Passes every request on to another server, and measures it."""

    def __init__(self, server: LedgerServer, metrics: Metrics) -> None:
        """Measure `server`."""
        self._server = server
        self._metrics = metrics

    @property
    def name(self) -> str:
        """The server's address, without credentials."""
        return self._server.name

    async def request(self, method: str, /, **params: object) -> msgspec.Raw:
        """Ask, and return the `result` (see `LedgerServer`)."""
        asked = time.perf_counter()
        self._metrics.requests.labels(server=self.name).inc()
        try:
            return await self._server.request(method, **params)
        except ServerError as error:
            self._metrics.request_errors.labels(server=self.name, kind=error.kind).inc()
            raise
        finally:
            elapsed = time.perf_counter() - asked
            self._metrics.request_seconds.labels(server=self.name, method=method).observe(elapsed)

    async def close(self) -> None:
        """Close the connection."""
        await self._server.close()
