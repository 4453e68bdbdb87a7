"""What following many accounts costs a ledger: each account by itself, or the ledger whole, in one run.

A replay node in a process of its own serves a crowd's session over WebSocket; accounts beyond the crowd's
are quiet ones. All accounts read each new ledger at once, as the reconciler's followers do.
"""

import asyncio
import gc
import statistics
import time
from collections.abc import Callable, Sequence

import msgspec
from reading import at
from replaying import recorded
from rich.console import Console
from rich.progress import track
from rich.table import Table
from running_node import RunningNode, running_node
from xrpl.core.addresscodec import encode_classic_address

from ledger_client import LedgerServer, SharedServer, WholeLedgerServer, server_status
from ledger_client.websocket import WebSocketServer
from ledger_client.whole_ledgers import read_whole
from offer_lifecycle import AccountRecord
from reconciler.fleet.wakeup import Wakeup
from reconciler.following import account_reader

CROWD = recorded("random_crowd_4")
ACCOUNTS = (1, 4, 8, 16, 32, 100, 1_000)
LEDGERS = 12
"""Measured of each."""
NEVER = 10**9
_HOW = (" apart", " whole", " x")


class Counted:
    """A server that counts what it is asked."""

    def __init__(self, server: LedgerServer) -> None:
        self._server = server
        self.name = server.name
        self.requests = 0

    async def request(self, method: str, /, **params: object) -> msgspec.Raw:
        self.requests += 1
        return await self._server.request(method, **params)

    async def close(self) -> None:
        await self._server.close()


class Cost(msgspec.Struct, frozen=True):
    """Of one ledger, for all accounts together: medians."""

    requests: float
    milliseconds: float
    cpu_milliseconds: float


def main() -> None:
    """Measure and print."""
    transactions = statistics.mean(len(one.transactions) for one in CROWD.ledgers[1 : LEDGERS + 1])
    gc.freeze()  # the recording in memory is no part of what is measured
    console = Console(width=140)
    console.print(f"Ledgers of {transactions:.0f} transactions, {LEDGERS} each\n")
    table = Table(
        title="One ledger, for all accounts: each by account_tx (apart), or from the whole ledger",
        title_justify="left",
    )
    for heading in ("accounts", *(f"{what}{how}" for what in ("requests", "ms", "CPU ms") for how in _HOW)):
        table.add_column(heading, justify="right")
    for accounts in track(ACCOUNTS, "Measuring", console=Console(stderr=True)):
        apart = asyncio.run(_measure(accounts=accounts, from_accounts=NEVER))
        whole = asyncio.run(_measure(accounts=accounts, from_accounts=1))
        table.add_row(
            f"{accounts:,}",
            f"{apart.requests:,.0f}",
            f"{whole.requests:,.0f}",
            f"{apart.requests / whole.requests:,.1f}",
            f"{apart.milliseconds:,.1f}",
            f"{whole.milliseconds:,.1f}",
            f"{apart.milliseconds / whole.milliseconds:,.1f}",
            f"{apart.cpu_milliseconds:,.1f}",
            f"{whole.cpu_milliseconds:,.1f}",
            f"{apart.cpu_milliseconds / whole.cpu_milliseconds:,.1f}",
        )
    console.print(table)


async def _measure(*, accounts: int, from_accounts: int) -> Cost:
    wakeup = Wakeup(poll_seconds=1)
    with running_node(CROWD.name) as node:
        socket = WebSocketServer(
            node.url.replace("http", "ws"), on_ledger_closed=lambda _ledger_index: wakeup.notify()
        )
        counted = Counted(socket)
        clock: Callable[[], float] = time.monotonic
        whole = WholeLedgerServer(
            counted, accounts=lambda: accounts, from_accounts=from_accounts, clock=clock
        )
        try:
            return await _follow(
                SharedServer(whole, last_close=wakeup.next_close, clock=clock),
                counted,
                node,
                wakeup,
                accounts,
            )
        finally:
            await socket.close()


async def _follow(
    server: LedgerServer, counted: Counted, node: RunningNode, wakeup: Wakeup, accounts: int
) -> Cost:
    first = CROWD.ledgers[0].ledger_index
    records = list(await asyncio.gather(*(at(server, first, one) for one in _addresses(accounts))))
    requests, took, used = [], [], []
    for _ in range(LEDGERS):
        closed = wakeup.next_close()
        await asyncio.to_thread(node.close_ledger)
        await closed.wait()
        await read_whole(counted, records[0].ledger_index + 1)  # the node encodes it: real ones have it so
        counted.requests, begun, cpu = 0, time.perf_counter(), time.process_time()
        records = await asyncio.gather(*(_turn(server, record) for record in records))
        took.append(time.perf_counter() - begun)
        used.append(time.process_time() - cpu)
        requests.append(counted.requests)
    return Cost(
        requests=statistics.median(requests),
        milliseconds=statistics.median(took) * 1e3,
        cpu_milliseconds=statistics.median(used) * 1e3,
    )


async def _turn(server: LedgerServer, record: AccountRecord) -> AccountRecord:
    """Read one account as far as it goes, as a follower does; return the record with its new cursor."""
    status = await server_status(server)
    upto = account_reader.last_readable_ledger(server, status, record.ledger_index)
    *_, last = await account_reader.read_ledgers(server, status, record, upto, ())
    return msgspec.structs.replace(
        record,
        ledger_index=last.header.ledger_index,
        ledger_hash=last.header.ledger_hash,
        transactions=tuple(one.hash for one in last.transactions),
    )


def _addresses(count: int) -> Sequence[str]:
    crowd = list(CROWD.accounts.values())[:count]
    quiet = (
        encode_classic_address(number.to_bytes(20, "big")) for number in range(1, count - len(crowd) + 1)
    )
    return [*crowd, *quiet]


if __name__ == "__main__":
    main()
