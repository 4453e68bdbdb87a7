"""The monitor of all servers: it puts those aside that lag, or that are on another chain.

The accounts read one server as long as it answers. A server whose newest ledger is old, or which follows
another chain, answers well: only the comparison with other servers shows it.
"""

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from ledger_client import (
    Lagging,
    LedgerServer,
    ProtocolViolation,
    ServerError,
    Servers,
    ServerStatus,
    WrongChain,
    ledger_header,
    server_status,
    stream_of,
)
from reconciler.metrics import Metrics
from service_kit.cancellation import raise_if_cancelled

_log = structlog.get_logger()

SECONDS_BETWEEN_CHECKS = 2.0
LEDGERS_BEHIND = 5
"""Behind the newest ledger that any server has: about 20 seconds. Some servers are always a little late."""

Statuses = Mapping[str, ServerStatus]


class ServerMonitor:
    """Puts servers aside that the others contradict, and sets the metrics of all."""

    def __init__(self, servers: Servers, metrics: Metrics) -> None:
        """Monitor all of `servers` that are not put aside."""
        self._servers = servers
        self._metrics = metrics

    async def run(self) -> None:
        """Check the servers again and again, until cancelled."""
        while True:
            try:
                await self.check_servers()
            except Exception:  # noqa: BLE001 - the accounts read on, whatever the comparison has met
                self._metrics.monitor_faults.inc()
                _log.exception("the servers could not be compared; they are again at the next check")
            raise_if_cancelled()
            await asyncio.sleep(SECONDS_BETWEEN_CHECKS)

    async def check_servers(self) -> None:
        """Ask each server for its newest ledger; put aside those that lag or are on another chain."""
        asked = list(self._servers.candidates())
        statuses = await self._statuses(asked)
        newest = max((status.validated for status in statuses.values()), default=0)
        for server in asked:
            status = statuses.get(server.name)
            if status is not None and newest - status.validated > LEDGERS_BEHIND:
                self._servers.failed(
                    server,
                    Lagging(
                        server.name,
                        f"server_info: expected ledger {newest}, which another server has, or one close to "
                        f"it, found {status.validated} as the newest: it lags",
                    ),
                )
        await self._compare_chains(asked, statuses)
        self._measure(statuses)

    async def _statuses(self, asked: Sequence[LedgerServer]) -> dict[str, ServerStatus]:
        answers = await asyncio.gather(*(server_status(server) for server in asked), return_exceptions=True)
        statuses = {}
        for server, answer in zip(asked, answers, strict=True):
            if isinstance(answer, ServerError):
                self._servers.failed(server, answer)
            elif isinstance(answer, Exception):
                self._put_aside(server, answer)
            elif isinstance(answer, BaseException):
                raise answer
            else:
                statuses[server.name] = answer
        return statuses

    def _put_aside(self, server: LedgerServer, fault: Exception) -> None:
        """Put aside a server whose answer raised an unexpected exception; the others are monitored on."""
        self._metrics.monitor_faults.inc()
        _log.error("server put aside by an unexpected exception", server=server.name, exc_info=fault)
        problem = f"server_info: expected an answer, found one that raised {fault!r:.300}"
        self._servers.failed(server, ProtocolViolation(server.name, problem))

    async def _compare_chains(self, asked: Sequence[LedgerServer], statuses: Statuses) -> None:
        """Compare one ledger that all servers have with that of the first server, which the accounts read."""
        able = [server for server in asked if server.name in statuses]
        common = min((statuses[server.name].validated for server in able), default=0)
        if len(able) < 2 or able[0] is not asked[0]:  # noqa: PLR2004 - nothing to compare, or with nothing
            return
        hashes = await asyncio.gather(*(_hash_of(server, common) for server in able))
        reference = hashes[0]
        for server, ledger_hash in zip(able, hashes, strict=True):
            if reference and ledger_hash and ledger_hash != reference:
                self._servers.failed(
                    server,
                    WrongChain(
                        server.name,
                        f"ledger: expected hash {reference} of ledger {common}, as "
                        f"{able[0].name} has it, found {ledger_hash}: it is on another chain",
                    ),
                )

    def _measure(self, statuses: Statuses) -> None:
        used = {server.name for server in self._servers.candidates()}
        for server in self._servers.every():
            up = server.name in statuses and server.name in used
            self._metrics.server_up.labels(server=server.name).set(up)
            if server.name in statuses:
                validated = statuses[server.name].validated
                self._metrics.server_validated_ledger.labels(server=server.name).set(validated)


async def _hash_of(server: LedgerServer, ledger_index: int) -> str | None:
    """Return the hash that the server names, by its stream or asked for it; None: it does not answer."""
    stream = stream_of(server)
    told = None if stream is None else stream.hash_of(ledger_index)
    if told is not None:
        return told
    try:
        return (await ledger_header(server, ledger_index)).ledger_hash
    except ServerError:
        return None  # an account that reads this server meets the same error
