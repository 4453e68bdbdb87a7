"""From the node's ledgerClosed to the fill on the bus, with a thousand orders tracked: `make bench`.

Beside it, in the same run and for the same ledger: the node's own answers to what the reconciler has to ask
before it can know of the fill, and a bare publish that the bus acknowledges. A fill counts from when a
JetStream consumer gets it, which is after it was stored.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
import tempfile
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec
import nats
from aiohttp import ClientSession, ClientWebSocketResponse
from bench.partial_fills import FIRST_LEDGER, MAKER, session
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from rich.console import Console
from rich.progress import track
from rich.table import Table

from ledger_client import FEE_SETTINGS
from local_stack import LocalStack
from order_events.subjects import ORDERS_STREAM, STATE_BUCKET
from service_kit import StreamSettings, provision

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from nats.aio.subscription import Subscription
    from nats.js import JetStreamContext

ORDERS = 1_000
LEDGERS = 300
WARM_UP = 20
"""Ledgers that do not count."""
PATIENCE_SECONDS = 60.0
GOALS = {"p50": 5, "p99": 25}
"""Milliseconds over the node's own answers, on an idle machine."""
BARE = "order.accepted.bench"
"""Into the same stream as the fills; nobody is told of it."""
Json = dict[str, Any]


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One ledger, in seconds."""

    total: float
    node: float
    publish: float


class Bench:
    """What is needed to close a ledger and to see the fill come."""

    def __init__(
        self,
        socket: ClientWebSocketResponse,
        context: JetStreamContext,
        fills: Subscription,
        commits: Subscription,
    ) -> None:
        self._socket = socket
        self._context = context
        self._fills = fills
        self._commits = commits
        self._ids = itertools.count(1)

    async def sample(self, ledger_index: int) -> Sample:
        """Close one ledger and measure all three; the reconciler is at rest again afterwards."""
        await self._socket.send_json({"id": 0, "command": "ledger_accept"})
        await self._until(lambda message: message.get("type") == "ledgerClosed")
        closed = time.perf_counter()
        fill = await self._fills.next_msg(timeout=PATIENCE_SECONDS)
        total = time.perf_counter() - closed
        await self._commits.next_msg(timeout=PATIENCE_SECONDS)
        return Sample(
            total=total, node=await self._answers(ledger_index), publish=await self._bare(fill.data)
        )

    async def _answers(self, ledger_index: int) -> float:
        """Ask what the reconciler asks, one after the other as it does."""
        pinned = {"ledger_index": ledger_index}
        history = {"ledger_index_min": ledger_index - 1, "ledger_index_max": ledger_index, "forward": True}
        asked = time.perf_counter()
        await self._ask(command="server_info")
        await self._ask(command="account_tx", account=MAKER, **history)
        await self._ask(command="ledger", **pinned)
        await self._ask(command="ledger_entry", index=FEE_SETTINGS, ledger_index=ledger_index - 1)
        return time.perf_counter() - asked

    async def _bare(self, payload: bytes) -> float:
        began = time.perf_counter()
        name = {"Nats-Msg-Id": uuid4().hex}
        await self._context.publish(
            BARE, payload, stream=ORDERS_STREAM, headers=name, timeout=PATIENCE_SECONDS
        )
        return time.perf_counter() - began

    async def _ask(self, **request: object) -> None:
        number = next(self._ids)
        await self._socket.send_json({"id": number, "api_version": 2, **request})
        await self._until(lambda message: message.get("id") == number)

    async def _until(self, wanted: Callable[[Json], bool]) -> None:
        while not wanted(await self._socket.receive_json(timeout=PATIENCE_SECONDS)):
            pass


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as place, LocalStack.start() as stack:
        path = Path(place) / "partial_fills.json"
        path.write_bytes(msgspec.json.encode(session(orders=ORDERS, ledgers=WARM_UP + LEDGERS)))
        node = stack.spawn("replay_node", str(path), "--pace", "manual")
        url = node.wait_for(lambda: _said(node.output()), what="say where it listens")
        samples = asyncio.run(_measured(stack, url))
    Console().print(table(samples[WARM_UP:]))


def table(samples: list[Sample]) -> Table:
    """Return the comparison; times in milliseconds."""
    rows = {
        "a bare publish, acknowledged": [one.publish for one in samples],
        "the node's own answers": [one.node for one in samples],
        "ledgerClosed to order.filled, stored": [one.total for one in samples],
        "of it over the node's answers": [one.total - one.node for one in samples],
    }
    shown = Table(
        title=f"Latency of a fill, {ORDERS:,} orders tracked, {len(samples)} ledgers", title_justify="left"
    )
    for heading in ("", "p50 ms", "p99 ms", "p50 x bare", "p99 x bare"):
        shown.add_column(heading, justify="right" if heading else "left")
    p50, p99 = _percentiles(rows["a bare publish, acknowledged"])
    for name, seconds in rows.items():
        middle, late = _percentiles(seconds)
        times = (f"{middle * 1e3:.1f}", f"{late * 1e3:.1f}")
        shown.add_row(name, *times, f"{middle / p50:.1f}", f"{late / p99:.1f}")
    goals = ", ".join(f"{name} {milliseconds} ms" for name, milliseconds in GOALS.items())
    shown.caption = f"to reach over the node's answers, on an idle machine: {goals}"
    return shown


def _percentiles(seconds: list[float]) -> tuple[float, float]:
    return statistics.median(seconds), statistics.quantiles(seconds, n=100)[98]


async def _measured(stack: LocalStack, node_url: str) -> list[Sample]:
    client = await nats.connect(stack.nats_url)
    context = client.jetstream()
    await provision(context, StreamSettings())
    fills = await _new_messages(context, "order.filled.>", ORDERS_STREAM)
    commits = await _new_messages(context, f"$KV.{STATE_BUCKET}.*.{MAKER}.account", f"KV_{STATE_BUCKET}")
    settings = {
        "NATS_URL": stack.nats_url,
        "XRPL_URLS": node_url.replace("http", "ws", 1),
        "ACCOUNTS": MAKER,
        "START_LEDGER": str(FIRST_LEDGER),
    }
    stack.spawn("reconciler", env={f"FILLPROOF_{name}": value for name, value in settings.items()})
    await commits.next_msg(timeout=PATIENCE_SECONDS)  # it has adopted the orders
    async with _subscribed(node_url) as socket:
        bench = Bench(socket, context, fills, commits)
        indexes = range(FIRST_LEDGER + 1, FIRST_LEDGER + WARM_UP + LEDGERS + 1)
        samples = [await bench.sample(index) for index in track(indexes, "Ledgers", transient=True)]
    await client.close()
    return samples


async def _new_messages(context: JetStreamContext, subjects: str, stream: str) -> Subscription:
    config = ConsumerConfig(deliver_policy=DeliverPolicy.NEW, ack_policy=AckPolicy.NONE)
    return await context.subscribe(subjects, stream=stream, config=config)


@asynccontextmanager
async def _subscribed(node_url: str) -> AsyncIterator[ClientWebSocketResponse]:
    async with ClientSession() as http, http.ws_connect(node_url, max_msg_size=0) as socket:
        await socket.send_json({"id": 0, "command": "subscribe", "streams": ["ledger"]})
        await socket.receive_json(timeout=PATIENCE_SECONDS)
        yield socket


def _said(output: bytes) -> str | None:
    """Return the URL of a node's ready line, once it is there."""
    line, ended, _ = output.partition(b"\n")
    return str(msgspec.json.decode(line)["url"]) if ended else None


if __name__ == "__main__":
    main()
