"""From the stream's message of a fill to the fill on the bus, at several distances to the server.

A relay makes every byte between the reconciler and its server late. The bench listens to the same stream over
a relay of its own: its clock starts when it has the message, as the reconciler then has it too. A fill counts
from when a JetStream consumer gets it, which is after it was stored. Beside it, in the same run and for the
same ledger: the four questions that were once asked in a row before a fill could be known.
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

import msgspec
import nats
from aiohttp import ClientSession, ClientWebSocketResponse
from bench.partial_fills import FIRST_LEDGER, MAKER, session
from bench.relay import relayed
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

    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription
    from nats.js import JetStreamContext

ORDERS = 1_000
LEDGERS = 150
WARM_UP = 20
"""Ledgers that do not count."""
ROUND_TRIPS = (0.0, 0.020, 0.080, 0.200)
"""Seconds."""
PATIENCE_SECONDS = 60.0
GOAL = "to reach at every distance: p50 5 ms, p99 25 ms; committed at most 1.5 round trips after the message"
Json = dict[str, Any]


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One ledger, in seconds from the stream's message of the fill."""

    told: float
    committed: float
    in_a_row: float
    """What the four questions take, asked one after the other."""


class Bench:
    """What is needed to close a ledger and to see the fill come."""

    def __init__(
        self,
        node: ClientWebSocketResponse,
        far: ClientWebSocketResponse,
        fills: Subscription,
        commits: Subscription,
    ) -> None:
        """`node`: a way to the node at once; `far`: the way that is as long as the reconciler's."""
        self._node = node
        self._far = far
        self._fills = fills
        self._commits = commits
        self._ids = itertools.count(1)

    async def sample(self, ledger_index: int) -> Sample:
        """Close one ledger and measure; the reconciler is at rest again afterwards."""
        await self._node.send_json({"id": 0, "command": "ledger_accept"})
        await self._until(lambda message: message.get("type") == "transaction")
        heard = time.perf_counter()
        await self._fills.next_msg(timeout=PATIENCE_SECONDS)
        told = time.perf_counter() - heard
        while _cursor(await self._commits.next_msg(timeout=PATIENCE_SECONDS)) < ledger_index:
            pass
        committed = time.perf_counter() - heard
        return Sample(told=told, committed=committed, in_a_row=await self._answers(ledger_index))

    async def _answers(self, ledger_index: int) -> float:
        pinned = {"ledger_index": ledger_index}
        history = {"ledger_index_min": ledger_index - 1, "ledger_index_max": ledger_index, "forward": True}
        asked = time.perf_counter()
        await self._ask(command="server_info")
        await self._ask(command="account_tx", account=MAKER, **history)
        await self._ask(command="ledger", **pinned)
        await self._ask(command="ledger_entry", index=FEE_SETTINGS, ledger_index=ledger_index - 1)
        return time.perf_counter() - asked

    async def _ask(self, **request: object) -> None:
        number = next(self._ids)
        await self._far.send_json({"id": number, "api_version": 2, **request})
        await self._until(lambda message: message.get("id") == number)

    async def _until(self, wanted: Callable[[Json], bool]) -> None:
        while not wanted(await self._far.receive_json(timeout=PATIENCE_SECONDS)):
            pass


def main() -> None:
    """Measure and print."""
    Console().print(table({round_trip: measured(round_trip) for round_trip in ROUND_TRIPS}))


def measured(round_trip: float) -> list[Sample]:
    """Return the samples at one distance to the server (seconds)."""
    with tempfile.TemporaryDirectory() as place, LocalStack.start() as stack:
        path = Path(place) / "partial_fills.json"
        path.write_bytes(msgspec.json.encode(session(orders=ORDERS, ledgers=WARM_UP + LEDGERS)))
        node = stack.spawn("replay_node", str(path), "--pace", "manual", "--encode-ahead")
        url = node.wait_for(lambda: said_url(node.output()), what="say where it listens")
        return asyncio.run(_samples(stack, url, round_trip))[WARM_UP:]


def table(samples: dict[float, list[Sample]]) -> Table:
    """Return the comparison; times in milliseconds."""
    shown = Table(
        title=f"Latency of a fill, {ORDERS:,} orders tracked, {LEDGERS} ledgers each", title_justify="left"
    )
    for heading in (
        "round trip ms",
        "four questions in a row, p50",
        "message to order.filled, p50",
        "p99",
        "x the questions",
        "message to commit, p50",
        "round trips",
    ):
        shown.add_column(heading, justify="right")
    for round_trip, found in samples.items():
        told, late = _percentiles([one.told for one in found])
        before, _ = _percentiles([one.in_a_row for one in found])
        committed, _ = _percentiles([one.committed for one in found])
        shown.add_row(
            f"{round_trip * 1e3:.0f}",
            f"{before * 1e3:.1f}",
            f"{told * 1e3:.1f}",
            f"{late * 1e3:.1f}",
            f"{told / before:.2f}",
            f"{committed * 1e3:.1f}",
            f"{committed / round_trip:.2f}" if round_trip else "",
        )
    shown.caption = GOAL
    return shown


def _percentiles(seconds: list[float]) -> tuple[float, float]:
    return statistics.median(seconds), statistics.quantiles(seconds, n=100)[98]


async def _samples(stack: LocalStack, node_url: str, round_trip: float) -> list[Sample]:
    client = await nats.connect(stack.nats_url)
    context = client.jetstream()
    await provision(context, StreamSettings())
    fills = await _new_messages(context, "order.filled.>", ORDERS_STREAM)
    commits = await _new_messages(context, f"$KV.{STATE_BUCKET}.*.{MAKER}.account", f"KV_{STATE_BUCKET}")
    async with relayed(node_url, round_trip=round_trip) as far_url:
        settings = {
            "NATS_URL": stack.nats_url,
            "XRPL_URLS": far_url.replace("http", "ws", 1),
            "ACCOUNTS": MAKER,
            "START_LEDGER": str(FIRST_LEDGER),
        }
        child = stack.spawn(
            "reconciler", env={f"FILLPROOF_{name}": value for name, value in settings.items()}
        )
        await commits.next_msg(timeout=PATIENCE_SECONDS)  # it has adopted the orders
        async with _subscribed(far_url) as far, _connected(node_url) as node:
            bench = Bench(node, far, fills, commits)
            indexes = range(FIRST_LEDGER + 1, FIRST_LEDGER + WARM_UP + LEDGERS + 1)
            samples = [await bench.sample(index) for index in track(indexes, "Ledgers", transient=True)]
        child.check()
    await client.close()
    return samples


async def _new_messages(context: JetStreamContext, subjects: str, stream: str) -> Subscription:
    config = ConsumerConfig(deliver_policy=DeliverPolicy.NEW, ack_policy=AckPolicy.NONE)
    return await context.subscribe(subjects, stream=stream, config=config)


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[ClientWebSocketResponse]:
    async with ClientSession() as http, http.ws_connect(url, max_msg_size=0) as socket:
        yield socket


@asynccontextmanager
async def _subscribed(url: str) -> AsyncIterator[ClientWebSocketResponse]:
    async with _connected(url) as socket:
        await socket.send_json({"id": 0, "command": "subscribe", "streams": ["ledger", "transactions"]})
        await socket.receive_json(timeout=PATIENCE_SECONDS)
        yield socket


def _cursor(commit: Msg) -> int:
    found: int = msgspec.json.decode(commit.data)["record"]["ledger_index"]
    return found


def said_url(output: bytes) -> str | None:
    """Return the URL of a node's ready line, once it is there."""
    line, ended, _ = output.partition(b"\n")
    return str(msgspec.json.decode(line)["url"]) if ended else None


if __name__ == "__main__":
    main()
