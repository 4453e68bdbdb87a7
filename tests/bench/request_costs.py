"""What following accounts costs a server, in requests a ledger: `make bench`.

The server is the replay node, over WebSocket, as a public server would be. Each ledger fills a part of one
account's order; the other accounts are untouched. What the reconciler asks is read from its own metric.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import msgspec
from aiohttp import ClientSession
from bench.accounts import address
from bench.latency import said_url
from bench.partial_fills import FIRST_LEDGER, MAKER, session
from nats import connect
from rich.console import Console
from rich.table import Table
from waiting import until_found

from local_stack import LocalStack
from service_kit import StreamSettings, provision

ORDERS = 50
LEDGERS = 20
WARM_UP = 5
"""Ledgers that do not count: adoption, and the first checks of each account."""
SECONDS_A_LEDGER = 1.0
CASES = (
    ("one account, quiet", [address("quiet")], 0.5),
    ("one account, a fill in each ledger", [MAKER], 2.0),
    ("27 accounts, one of them active", [MAKER, *(address(str(number)) for number in range(26))], 3.0),
    ("1,000 accounts, one of them active", [MAKER, *(address(str(number)) for number in range(999))], 4.0),
)
"""What is measured, the accounts, and what to reach."""


class Watched:
    """A reconciler, and what it says of itself."""

    def __init__(self, http: ClientSession, url: str) -> None:
        self._http = http
        self._url = url

    async def metric(self, name: str) -> float:
        """Return the sum of a metric over its labels."""
        async with self._http.get(f"{self._url}/metrics") as answer:
            lines = (await answer.text()).splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(f"reconciler_{name}"))

    async def until_at(self, ledger_index: int) -> None:
        """Wait until every account is followed up to a ledger."""

        async def there() -> bool:
            newest = await self.metric("validated_ledger")
            return newest >= ledger_index and await self.metric("cursor_lag_ledgers") == 0

        await until_found(there)


async def measure(stack: LocalStack, node_url: str, accounts: list[str]) -> float:
    """Return the requests a ledger."""
    client = await connect(stack.nats_url)
    await provision(client.jetstream(), StreamSettings())
    await client.close()
    settings = {
        "NATS_URL": stack.nats_url,
        "XRPL_URLS": node_url.replace("http", "ws", 1),
        "ACCOUNTS": ",".join(accounts),
        "START_LEDGER": str(FIRST_LEDGER),
    }
    child = stack.spawn("reconciler", env={f"FILLPROOF_{name}": value for name, value in settings.items()})
    async with ClientSession() as http:
        watched = Watched(http, child.wait_listening())
        before = 0.0
        for number in range(1, WARM_UP + LEDGERS + 1):
            await http.post(node_url, json={"method": "ledger_accept", "params": [{}]})
            await asyncio.sleep(SECONDS_A_LEDGER)
            await watched.until_at(FIRST_LEDGER + number)
            if number == WARM_UP:
                before = await watched.metric("requests_total")
        return (await watched.metric("requests_total") - before) / LEDGERS


def main() -> None:
    """Measure and print."""
    table = Table(title=f"Requests a ledger, one server, {LEDGERS} ledgers", title_justify="left")
    for heading in ("what is followed", "requests a ledger", "to reach"):
        table.add_column(heading, justify="right" if table.columns else "left")
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "partial_fills.json"
        path.write_bytes(msgspec.json.encode(session(orders=ORDERS, ledgers=WARM_UP + LEDGERS)))
        for name, accounts, to_reach in CASES:
            with LocalStack.start() as stack:
                node = stack.spawn("replay_node", str(path), "--pace", "manual")
                url = node.wait_for(lambda node=node: said_url(node.output()), what="say where it listens")
                found = asyncio.run(measure(stack, url, accounts))
            table.add_row(name, f"{found:.2f}", f"{to_reach:g}")
    Console().print(table)


if __name__ == "__main__":
    main()
