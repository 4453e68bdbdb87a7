"""No new order goes out after a fault is known, and cancels always do: an engine that obeys, among faults."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from following import environment, following
from replaying import Client, recorded, serving
from waiting import until

from console.engine import engine_accounts
from local_stack import LocalStack

pytestmark = pytest.mark.stack

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "cautious_engine.py"
SESSION = recorded("random_2")
ACCOUNT = engine_accounts(SESSION)[0]
LEDGER_SECONDS = 0.7
PATIENCE = 2.5


class Ledgers:
    """Closes the node's ledgers, as long as it is not told to leave it."""

    def __init__(self, node: Client) -> None:
        self.close = asyncio.Event()
        self.close.set()
        self._node = node

    async def run(self) -> None:
        while True:
            await self.close.wait()
            self._node.node.close_ledger()
            await asyncio.sleep(LEDGER_SECONDS)


class CautiousEngine:
    """The example as a process, and what it has said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def said(self, word: str) -> list[str]:
        return [line for line in self.lines if line.startswith(word)]

    async def listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            self.lines.append(line.decode().strip())

    async def places_orders(self) -> None:
        placed = len(self.said("order"))
        await until(lambda: len(self.said("order")) > placed + 2)

    async def stops(self, why: str) -> None:
        """Wait until it has stopped and canceled all that it placed, and see that it stays so for a while."""
        stopped = len(self.said("stop"))
        await until(lambda: len(self.said("stop")) > stopped)
        await until(lambda: len(self.said("cancel")) == len(self.said("order")))
        assert why in self.said("stop")[-1]
        at_the_stop = max(number for number, line in enumerate(self.lines) if line.startswith("stop"))
        await asyncio.sleep(PATIENCE)  # nothing can be waited for: nothing must come
        assert not any(line.startswith("order") for line in self.lines[at_the_stop:])


@contextlib.asynccontextmanager
async def engine(nats_url: str) -> AsyncIterator[CautiousEngine]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(EXAMPLE), nats_url, ACCOUNT, stdout=asyncio.subprocess.PIPE
    )
    running = CautiousEngine()
    listening = asyncio.create_task(running.listen(process))
    try:
        yield running
    finally:
        process.kill()
        await process.wait()
        await listening


@contextlib.asynccontextmanager
async def closing(node: Client) -> AsyncIterator[Ledgers]:
    ledgers = Ledgers(node)
    task = asyncio.create_task(ledgers.run())
    try:
        yield ledgers
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_the_engine_stops_at_every_fault_cancels_all_and_goes_on_when_it_is_over(
    stack: LocalStack, provisioned_nats_url: str
) -> None:
    url = provisioned_nats_url
    async with serving(SESSION.name) as node, closing(node) as ledgers, engine(url) as trader:
        more = {"PERMISSION_LEDGER_SECONDS": PATIENCE, "ACCOUNTS": ACCOUNT}
        variables = environment(url, node.url, SESSION, **more)
        async with following(variables):
            await trader.places_orders()
            ledgers.close.clear()
            await trader.stops("expected a new ledger")
            ledgers.close.set()
            await trader.places_orders()
        await trader.stops("no fresh word of the reconciler")
        async with following(variables):
            await trader.places_orders()
            stack.kill_nats()
            await trader.stops("no fresh word of the reconciler")
            stack.restart_nats()
            await trader.places_orders()
