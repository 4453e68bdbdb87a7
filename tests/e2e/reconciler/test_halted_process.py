"""A halt over the process's death and back: real bus, real node, and the operator's command."""

import asyncio
import json
import re
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from fillproof_command import fillproof
from following import announce, environment, following, until_followed
from nats.aio.client import Client
from nats.js import JetStreamContext
from on_the_bus import stored
from replaying import Client as NodeClient
from replaying import recorded, serving
from waiting import limit, until_found

from local_stack import Child, LocalStack
from order_events import OrderDisappeared, OrderFilled, ReconcilerHalted, ReconcilerResumed, decode

pytestmark = pytest.mark.stack

SESSION = recorded("never_placed")
ACCOUNT = SESSION.accounts["maker"]


@pytest.fixture
async def node() -> AsyncIterator[NodeClient]:
    async with serving(SESSION.name) as serving_node:
        yield serving_node


@pytest.fixture
def start(stack: LocalStack, provisioned_nats_url: str, node: NodeClient) -> Iterator[Callable[[], Child]]:
    started: list[Child] = []

    def spawn() -> Child:
        variables = environment(provisioned_nats_url, node.url, SESSION, HALT_AFTER_UNRESOLVED=1)
        child = stack.spawn("reconciler", name=f"halting-{len(started)}", env=variables)
        started.append(child)
        return child

    yield spawn
    for child in started:
        child.kill()


async def resume(
    nats_url: str, account: str = ACCOUNT, note: str = "found"
) -> subprocess.CompletedProcess[str]:
    options = ("--note", note, "--nats", nats_url, "--by", "ada")
    return await asyncio.to_thread(fillproof, "resume", account, *options)


def page(url: str, path: str) -> tuple[int, str]:
    try:
        with urlopen(f"{url}{path}", timeout=limit()) as answer:  # noqa: S310 - our own process
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


async def shown_halted(url: str) -> bool:
    _, metrics = await asyncio.to_thread(page, url, "/metrics")
    return re.search(r"^reconciler_halted 1\.0$", metrics, re.MULTILINE) is not None


async def test_a_halt_outlives_the_process_and_ends_with_an_operator_s_word(
    start: Callable[[], Child],
    node: NodeClient,
    client: Client,
    jetstream: JetStreamContext,
    provisioned_nats_url: str,
) -> None:
    await announce(jetstream, SESSION)
    node.close_all()
    killed = start()
    await until_followed(client, SESSION)
    assert killed.kill() == -signal.SIGKILL
    url = start().wait_ready()
    await until_found(lambda: shown_halted(url))
    status, ready = await asyncio.to_thread(page, url, "/health/ready")
    assert status == 200
    assert json.loads(ready)["notes"]["halted"].startswith(f"{ACCOUNT}: expected fewer than 1 unresolved")

    answer = await resume(provisioned_nats_url, note="order 458 was never signed")
    assert (answer.returncode, "Resumed by ada" in answer.stdout) == (0, True), answer.stderr
    events = [decode(payload) for payload in await stored(jetstream)]
    assert [type(event) for event in events] == [OrderDisappeared, ReconcilerHalted, ReconcilerResumed]
    *_, halted, resumed = events
    assert isinstance(halted, ReconcilerHalted)
    assert isinstance(resumed, ReconcilerResumed)
    assert (resumed.answers, resumed.resumed_by, resumed.note) == (
        halted.event_id,
        "ada",
        "order 458 was never signed",
    )

    again = await resume(provisioned_nats_url)
    assert (again.returncode, "is not: there is nothing to resume" in again.stderr) == (2, True)


async def test_a_presumed_fill_stands_in_the_stream_after_its_disappearance_and_is_marked(
    node: NodeClient, client: Client, jetstream: JetStreamContext, provisioned_nats_url: str
) -> None:
    await announce(jetstream, SESSION)
    node.close_all()
    async with following(environment(provisioned_nats_url, node.url, SESSION, POLICY="presume_filled")):
        await until_followed(client, SESSION)
    disappeared, fill = [decode(payload) for payload in await stored(jetstream)]
    assert isinstance(disappeared, OrderDisappeared)
    assert isinstance(fill, OrderFilled)
    assert (disappeared.action_taken, fill.provenance) == ("presumed_filled", "presumed")
    assert (fill.status, fill.last_qty) == ("LOST", fill.quantity)
