"""A cluster of three: leaders are killed, the quorum is lost and back, and no event is lost or doubled."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import nats.errors
import pytest
from following import announce, cursors, environment, following, lines
from nats_cluster import Cluster, nats_cluster
from on_the_bus import stored
from replaying import Client as NodeClient
from replaying import recorded, serving
from waiting import moment, until_found

from console.replay import replay
from order_events import decode
from order_events.subjects import ORDERS_STREAM, STATE_BUCKET
from service_kit import StreamSettings, provision
from service_kit.connection import connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from pathlib import Path

    from nats.aio.client import Client

Answer = TypeVar("Answer")

pytestmark = pytest.mark.stack

SESSION = recorded("random_2")
LEDGERS_BETWEEN = 10
"""Closed between two faults."""


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with nats_cluster(tmp_path) as running:
        yield running


@pytest.fixture
async def client(cluster: Cluster) -> AsyncIterator[Client]:
    connected = await connect(cluster.urls)
    yield connected
    await connected.close()


async def answered(question: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask until the answer is something true: while a cluster chooses a leader it has none, or an error.

    One that a killed server had received is never answered: it is asked again after a moment.
    """
    answers: list[Answer] = []

    async def asked() -> bool:
        with contextlib.suppress(nats.errors.Error, TimeoutError):
            async with asyncio.timeout(moment()):
                answers.append(await question())
        return bool(answers and answers[-1])

    await until_found(asked)
    return answers[-1]


async def reached(client: Client) -> int:
    """Return the ledger up to which all accounts are committed."""
    return min(await cursors(client, SESSION))


async def until_committed(client: Client, node: NodeClient, ledgers: int) -> None:
    """Close so many ledgers, and wait until all of them are committed."""
    for _ in range(ledgers):
        await node.rpc("ledger_accept")
    closed = node.node.chain.validated.ledger_index

    async def committed() -> bool:
        return await reached(client) >= closed

    await answered(committed)


async def test_leaders_killed_and_a_quorum_lost_lose_and_double_nothing(
    cluster: Cluster, client: Client
) -> None:
    jetstream = client.jetstream()
    await provision(jetstream, StreamSettings(stream_replicas=3))
    await announce(jetstream, SESSION)

    async def leader(stream: str) -> str | None:
        found = (await jetstream.stream_info(stream)).cluster
        return found and found.leader

    async with (
        serving(SESSION.name) as node,
        following(environment(cluster.urls, node.url, SESSION)),
    ):
        for stream in (ORDERS_STREAM, f"KV_{STATE_BUCKET}"):
            await until_committed(client, node, LEDGERS_BETWEEN)
            killed = cluster.named(str(await answered(partial(leader, stream))))
            await asyncio.to_thread(killed.kill)
            await until_committed(client, node, LEDGERS_BETWEEN)
            killed.start()
            await asyncio.to_thread(cluster.wait_healthy)
        for server in cluster.servers[:2]:
            await asyncio.to_thread(server.kill)
        await node.rpc("ledger_accept")
        for server in cluster.servers[:2]:
            server.start()
        await asyncio.to_thread(cluster.wait_healthy)
        await until_committed(client, node, len(SESSION.ledgers) - 4 * LEDGERS_BETWEEN - 1)

    told = await answered(partial(stored, jetstream))
    ids = [str(decode(payload).event_id) for payload in told]  # type: ignore[union-attr]
    assert len(ids) == len(set(ids))
    assert await lines(jetstream, SESSION) == list(replay(SESSION))
