"""Several replicas: what one tells is what all of them tell together, whoever dies, sleeps or comes."""

import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import msgspec
import pytest
from following import announce, environment, following, until_followed
from nats.aio.client import Client
from nats.js import JetStreamContext
from on_the_bus import stored
from replaying import Client as NodeClient
from replaying import recorded, serving
from waiting import limit, until

from local_stack import Child, LocalStack
from order_events import decode
from replay_node.pace import Pace

pytestmark = pytest.mark.stack

SESSION = recorded("random_crowd_4")
FIRST = SESSION.ledgers[0].ledger_index
CALM = {"DISAPPEARANCE_TIMEOUT": 30, "LEASE_SECONDS": 2}


class Start(Protocol):
    """Starts a replica."""

    def __call__(self, name: str, node: NodeClient, **more: object) -> Child: ...


@pytest.fixture
def start(stack: LocalStack, provisioned_nats_url: str, tmp_path: Path) -> Iterator[Start]:
    started: list[Child] = []

    def spawn(name: str, node: NodeClient, **more: object) -> Child:
        variables = environment(provisioned_nats_url, node.url, SESSION, REPLICA_ID=name, **CALM, **more)
        child = stack.spawn("reconciler", name=name, env=variables, log_path=tmp_path / f"{name}.log")
        started.append(child)
        return child

    yield spawn
    for child in started:
        child.kill()


async def told(jetstream: JetStreamContext) -> dict[str, dict[str, object]]:
    """Return the events by id, each there once, without the market around them, which is read at best."""
    payloads = await stored(jetstream)
    events = {str(decode(payload).event_id): msgspec.json.decode(payload) for payload in payloads}  # type: ignore[union-attr]
    assert len(events) == len(payloads)
    for event in events.values():
        event.pop("market_context", None)
    return events


async def told_by_one(client: Client, nats_url: str) -> dict[str, dict[str, object]]:
    """Return what a single replica tells of the session; afterwards nobody has told or kept anything."""
    jetstream = client.jetstream()
    await announce(jetstream, SESSION)
    async with (
        serving(SESSION.name, pace=Pace(on_read=True)) as node,
        following(environment(nats_url, node.url, SESSION, **CALM)),
    ):
        await until_followed(client, SESSION)
    events = await told(jetstream)
    orders = (await jetstream.stream_info("ORDERS")).config
    await jetstream.delete_stream("ORDERS")  # a purge would leave the message ids
    await jetstream.add_stream(orders)
    for bucket in ("KV_reconciler", "KV_watermark"):
        await jetstream.purge_stream(bucket)
    return events


def followed(replica: Child) -> float:
    """Return how many accounts a replica follows, as it tells."""
    with urllib.request.urlopen(f"{replica.wait_listening()}/metrics", timeout=limit()) as answer:  # noqa: S310 - ours
        lines: list[str] = answer.read().decode().splitlines()
    return float(next(line for line in lines if line.startswith("reconciler_accounts ")).split()[1])


async def test_killed_paused_and_new_replicas_tell_the_same_as_one_alone(
    client: Client, jetstream: JetStreamContext, provisioned_nats_url: str, start: Start
) -> None:
    expected = await told_by_one(client, provisioned_nats_url)
    async with serving(SESSION.name) as node:

        async def go_on(ledgers: int) -> None:
            for _ in range(ledgers):
                node.node.close_ledger()
            await until_followed(client, SESSION, node.node.chain.validated.ledger_index)

        killed, paused, stays = start("killed", node), start("paused", node), start("stays", node)
        await go_on(0)
        await until(lambda: all(followed(one) for one in (killed, paused, stays)))
        await go_on(5)
        killed.kill()
        await go_on(5)
        paused.send(signal.SIGSTOP)
        await go_on(10)
        newcomer = start("newcomer", node)
        await until(lambda: followed(newcomer) > 0)
        paused.send(signal.SIGCONT)
        await go_on(5)
        await until(lambda: followed(paused) > 0)
        await go_on(5)
        assert stays.stop() == 0
        node.close_all()
        await until_followed(client, SESSION)
    assert await told(jetstream) == expected
    assert paused.returncode is None


def checks(replica: Child) -> dict[str, str]:
    try:
        with urllib.request.urlopen(f"{replica.wait_listening()}/health/ready", timeout=limit()) as answer:  # noqa: S310 - ours
            told = answer.read()
    except urllib.error.HTTPError as not_ready:
        with not_ready:
            told = not_ready.read()
    found: dict[str, str] = msgspec.json.decode(told)["checks"]
    return found


async def test_a_replica_that_has_nothing_to_follow_is_ready(start: Start) -> None:
    one_account = {"ACCOUNTS": SESSION.accounts["maker"]}
    async with serving(SESSION.name) as node:
        replicas = [start(f"replica{number}", node, **one_account) for number in range(2)]
        await until(lambda: sorted(map(followed, replicas)) == [0, 1])
        for one in replicas:
            await until(lambda: checks(one) == {"jetstream": "ok", "ledger": "ok", "lease": "ok"})  # noqa: B023 - awaited here
