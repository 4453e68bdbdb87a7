"""No new order goes out after a fault is known, and cancels always do: an engine that obeys, among faults."""

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import nats
import pytest
from following import environment, following
from nats.aio.client import Client as BusClient
from replaying import Client, recorded, serving
from waiting import moment, until

from console.engine import engine_accounts
from local_stack import LocalStack
from order_events import Permission
from order_events.permission import (
    PERMISSION_BUCKET,
    PERMISSION_SECONDS,
    permission_key,
    read_permission,
)
from order_events.subjects import ENGINE_STREAM

pytestmark = pytest.mark.stack

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "cautious_engine.py"
SESSION = recorded("random_2")
ACCOUNT = engine_accounts(SESSION)[0]
LEDGER_SECONDS = 0.7
PATIENCE = 2.5
"""Seconds after which a ledger counts as stale, and for which the engine must stay quiet."""
QUESTION_SECONDS = 0.5
"""How often the engine asks for its permission."""
CANCELS = f"engine.order.cancel_requested.{ACCOUNT}"


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


class PermissionOnTheBus:
    """When the bus began to say that the account may not trade, seen apart from the engine."""

    def __init__(self) -> None:
        self.stopped = asyncio.Event()
        self.stopped_at = 0.0

    async def run(self, client: BusClient) -> None:
        values = await client.subscribe(f"$KV.{PERMISSION_BUCKET}.{permission_key(0, ACCOUNT)}")
        async for message in values.messages:
            if read_permission(message.data) is Permission.OK:
                self.stopped.clear()
            elif not self.stopped.is_set():
                self.stopped_at = time.monotonic()
                self.stopped.set()


class CautiousEngine:
    """The example as a process, what it has said, and when."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.times: list[float] = []

    def said(self, word: str) -> list[str]:
        return [line for line in self.lines if line.startswith(word)]

    async def listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            self.times.append(time.monotonic())
            self.lines.append(line.decode().strip())

    async def places_orders(self) -> None:
        placed = len(self.said("order"))
        await until(lambda: len(self.said("order")) > placed + 2)

    async def stops(self, why: str) -> float:
        """Wait until it has stopped and canceled all that it placed, and see that it stays so for a while.

        Returns when it sent its last order.
        """
        stopped = len(self.said("stop"))
        await until(lambda: len(self.said("stop")) > stopped)
        await until(lambda: len(self.said("cancel")) == len(self.said("order")))
        assert why in self.said("stop")[-1]
        at_the_stop = max(number for number, line in enumerate(self.lines) if line.startswith("stop"))
        await asyncio.sleep(PATIENCE)  # nothing can be waited for: nothing must come
        assert not any(line.startswith("order") for line in self.lines[at_the_stop:])
        orders = zip(self.lines, self.times, strict=False)
        return max(at for line, at in orders if line.startswith("order"))


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


async def test_no_order_goes_out_once_a_fault_is_known_and_cancels_always_do(
    stack: LocalStack, provisioned_nats_url: str
) -> None:
    url = provisioned_nats_url
    watch, observer = PermissionOnTheBus(), await nats.connect(url)
    async with serving(SESSION.name) as node, closing(node) as ledgers, engine(url) as trader:
        observing = asyncio.create_task(watch.run(observer))
        more = {"PERMISSION_LEDGER_SECONDS": PATIENCE, "ACCOUNTS": ACCOUNT}
        variables = environment(url, node.url, SESSION, **more)
        async with following(variables):
            await trader.places_orders()
            ledgers.close.clear()
            stands_still = time.monotonic()
            last = await trader.stops("expected a new ledger")
            # stale PATIENCE after it stood still, and within a second of that the bus says so
            assert watch.stopped_at - (stands_still + PATIENCE) < 1 + moment()
            assert last < watch.stopped_at + QUESTION_SECONDS + moment()
            state = await observer.jetstream().stream_info(ENGINE_STREAM, subjects_filter=CANCELS)
            assert sum((state.state.subjects or {}).values()) == len(trader.said("cancel"))
            ledgers.close.set()
            await trader.places_orders()
        gone = time.monotonic()
        last = await trader.stops("no fresh word of the reconciler")
        assert last < gone + PERMISSION_SECONDS + QUESTION_SECONDS + moment()
        async with following(variables):
            await trader.places_orders()
            observing.cancel()
            await observer.close()
            stack.kill_nats()
            gone = time.monotonic()
            last = await trader.stops("no fresh word of the reconciler")
            assert last < gone + PERMISSION_SECONDS + QUESTION_SECONDS + moment()
            stack.restart_nats()
            await trader.places_orders()
