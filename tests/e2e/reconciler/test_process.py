"""The process itself: how it starts, stops, dies and comes back."""

import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator

import nats
import pytest
from following import announce, cursors, environment, until_followed
from nats.aio.client import Client
from nats.js import JetStreamContext
from on_the_bus import stored, stored_events
from replaying import Client as NodeClient
from replaying import recorded, serving
from waiting import moment, until, until_found

from local_stack import Child, LocalStack

pytestmark = pytest.mark.stack

SESSION = recorded("grid_swept")
FIRST = SESSION.ledgers[0].ledger_index
STATE_STREAM = "KV_reconciler"

Start = Callable[[], Child]


@pytest.fixture
async def node() -> AsyncIterator[NodeClient]:
    async with serving(SESSION.name) as serving_node:
        yield serving_node


@pytest.fixture
def variables(provisioned_nats_url: str, node: NodeClient) -> dict[str, str]:
    # A check of balances commits too, right after the adoption: here only ledgers shall
    return environment(provisioned_nats_url, node.url, SESSION) | {"FILLPROOF_BALANCE_CHECK_LEDGERS": "0"}


@pytest.fixture
def start(stack: LocalStack, variables: dict[str, str]) -> Iterator[Start]:
    started: list[Child] = []

    def spawn() -> Child:
        child = stack.spawn("reconciler", name=f"reconciler-{time.monotonic_ns()}", env=variables)
        started.append(child)
        return child

    yield spawn
    for child in started:
        child.kill()


async def allow_commits(jetstream: JetStreamContext, *, allowed: bool) -> None:
    config = (await jetstream.stream_info(STATE_STREAM)).config
    await jetstream.update_stream(config, allow_atomic=allowed)


async def test_killed_between_publishing_and_committing_it_tells_the_same_facts_once(
    start: Start, node: NodeClient, client: Client, jetstream: JetStreamContext
) -> None:
    await announce(jetstream, SESSION)
    killed = start()
    await until_followed(client, SESSION, FIRST)
    await allow_commits(jetstream, allowed=False)
    node.close_all()
    await until_found(lambda: stored(jetstream))
    assert killed.kill() == -signal.SIGKILL
    assert await cursors(client, SESSION) == [FIRST]
    published = await stored_events(jetstream)
    await allow_commits(jetstream, allowed=True)
    start()
    await until_followed(client, SESSION)
    events = await stored_events(jetstream)
    assert events[: len(published)] == published
    assert len({event.event_id for event in events}) == len(events)


async def test_while_the_bus_is_dead_nothing_advances_and_nothing_is_lost(
    start: Start, node: NodeClient, client: Client, jetstream: JetStreamContext, stack: LocalStack
) -> None:
    await announce(jetstream, SESSION)
    follower = start()
    await until_followed(client, SESSION, FIRST)
    await client.close()
    stack.kill_nats()
    node.close_all()
    await until(lambda: b"nats disconnected" in follower.output())
    stack.restart_nats()
    again = await nats.connect(stack.nats_url)
    await until_followed(again, SESSION)
    events = await stored_events(again.jetstream())
    await again.close()
    assert follower.returncode is None
    assert len({event.event_id for event in events}) == len(events)


async def test_it_stops_cleanly_and_soon_when_told_to(start: Start, client: Client) -> None:
    child = start()
    await until_followed(client, SESSION, FIRST)
    began = time.monotonic()
    child.send(signal.SIGTERM)
    await until(lambda: child.returncode is not None)
    assert child.returncode == 0
    assert time.monotonic() - began < moment()
