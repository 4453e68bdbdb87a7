"""The monitor of all servers: it puts those aside that lag, or that are on another chain.

The accounts read one server as long as it answers. A server whose newest ledger is old, or which follows
another chain, answers well: only the comparison with other servers shows it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

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

SECONDS_BETWEEN_STATUSES = 1.0
"""At most: where no stream says it, a new ledger is seen so late."""
SECONDS_BETWEEN_CHECKS = 2.0
LEDGERS_BEHIND = 5
"""Behind the newest ledger that any server has: about 20 seconds. Some servers are always a little late."""


class ServerMonitor:
    """Asks every server what it has, puts those aside that the others contradict, and sets all metrics."""

    def __init__(
        self,
        servers: Servers,
        metrics: Metrics,
        *,
        on_new_ledger: Callable[[], None] = lambda: None,
        poll_seconds: float = SECONDS_BETWEEN_STATUSES,
    ) -> None:
        """Monitor all of `servers`; `on_new_ledger` is called when one shows a ledger that none has shown.

        `poll_seconds`: the deployment's, between two looks for a new ledger.
        """
        self._servers = servers
        self._metrics = metrics
        self._on_new_ledger = on_new_ledger
        self._seconds_between_statuses = min(poll_seconds, SECONDS_BETWEEN_STATUSES)
        self._statuses: dict[str, ServerStatus] = {}

    async def run(self) -> None:
        """Ask and compare the servers again and again, until cancelled.

        Each server is asked by a task of its own: one that does not answer keeps no other one waiting.
        """
        async with asyncio.TaskGroup() as tasks:
            for server in self._servers.every():
                tasks.create_task(self._repeat(partial(self._ask, server), self._seconds_between_statuses))
            tasks.create_task(self._repeat(self.compare_chains, SECONDS_BETWEEN_CHECKS))

    async def _repeat(self, check: Callable[[], Awaitable[None]], seconds: float) -> None:
        while True:
            try:
                await check()
            except Exception:  # noqa: BLE001 - the accounts read on, whatever the comparison has met
                self._metrics.monitor_faults.inc()
                _log.exception("the servers could not be compared; they are again at the next check")
            raise_if_cancelled()
            await asyncio.sleep(seconds)

    async def check_servers(self) -> None:
        """Ask each server for its newest ledger, and compare what they say."""
        await asyncio.gather(*map(self._ask, self._servers.every()))
        await self.compare_chains()

    async def _ask(self, server: LedgerServer) -> None:
        """Ask a server that is not put aside what it has; put it aside if it lags."""
        if server.name not in {one.name for one in self._servers.candidates()}:
            return
        newest = self._servers.newest_shown  # before the question: a server that keeps up has it by now
        try:
            status = await server_status(server)
        except ServerError as error:
            self._statuses.pop(server.name, None)
            self._servers.failed(server, error)
            return
        except Exception as fault:  # noqa: BLE001 - the other servers are monitored on
            self._statuses.pop(server.name, None)
            self._put_aside(server, fault)
            return
        self._statuses[server.name] = status
        if self._servers.note_shown(server.name, status.validated):
            self._on_new_ledger()
        if newest - status.validated > LEDGERS_BEHIND:
            self._servers.failed(server, _lagging(server, newest, status))

    async def compare_chains(self) -> None:
        """Compare one ledger that all servers have with that of the first server, which the accounts read."""
        able = [server for server in self._servers.candidates() if server.name in self._statuses]
        first = next(self._servers.candidates(), None)
        if len(able) >= 2 and able[0] is first:  # noqa: PLR2004 - something to compare, and with something
            common = min(self._statuses[server.name].validated for server in able)
            self._judge(able, await asyncio.gather(*(_hash_of(server, common) for server in able)), common)
        self._measure()

    def _judge(self, servers: Sequence[LedgerServer], hashes: Sequence[str | None], common: int) -> None:
        reference = hashes[0]
        for server, ledger_hash in zip(servers, hashes, strict=True):
            if reference and ledger_hash and ledger_hash != reference:
                self._servers.failed(
                    server,
                    WrongChain(
                        server.name,
                        f"ledger: expected hash {reference} of ledger {common}, as "
                        f"{servers[0].name} has it, found {ledger_hash}: it is on another chain",
                    ),
                )

    def _put_aside(self, server: LedgerServer, fault: Exception) -> None:
        """Put aside a server whose answer raised an unexpected exception; the others are monitored on."""
        self._metrics.monitor_faults.inc()
        _log.error("server put aside by an unexpected exception", server=server.name, exc_info=fault)
        problem = f"server_info: expected an answer, found one that raised {fault!r:.300}"
        self._servers.failed(server, ProtocolViolation(server.name, problem))

    def _measure(self) -> None:
        used = {server.name for server in self._servers.candidates()}
        for server in self._servers.every():
            status = self._statuses.get(server.name)
            up = status is not None and server.name in used
            self._metrics.server_up.labels(server=server.name).set(up)
            if status is not None:
                self._metrics.server_validated_ledger.labels(server=server.name).set(status.validated)


def _lagging(server: LedgerServer, newest: int, status: ServerStatus) -> Lagging:
    return Lagging(
        server.name,
        f"server_info: expected ledger {newest}, which another server has, or one close to it, "
        f"found {status.validated} as the newest: it lags",
    )


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
