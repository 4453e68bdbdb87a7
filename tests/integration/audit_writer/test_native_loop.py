"""FastStream's own pull loop forgets what it has collected: why the audit writer has a loop of its own.

These tests fail once a new version keeps its messages. Then docs/adr/0007 can be looked at again.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import nats
import nats.errors
import pytest
from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, NatsMessage, PullSub
from faststream.nats.subscriber.usecases import stream_pull_subscriber
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig
from waiting import limit, until_found

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nats.aio.client import Client

pytestmark = pytest.mark.stack

STREAM, DURABLE = "TRICKLE", "trickle"
SHORT = 0.01


@pytest.fixture
async def client(nats_url: str) -> AsyncIterator[Client]:
    """Connect, with three messages waiting for a durable consumer."""
    connection = await nats.connect(nats_url)
    jetstream = connection.jetstream()
    await jetstream.add_stream(name=STREAM, subjects=["trickle"])
    await jetstream.add_consumer(STREAM, ConsumerConfig(durable_name=DURABLE, ack_wait=60))
    for _ in range(3):
        await jetstream.publish("trickle", b"{}")
    yield connection
    await jetstream.delete_stream(STREAM)
    await connection.close()


async def test_a_fetch_whose_time_is_up_between_its_two_requests_raises_a_timeout_that_is_not_nats_own(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscription = await client.jetstream().pull_subscribe_bind(durable=DURABLE, stream=STREAM)
    await subscription.fetch(3, timeout=limit())

    async def next_message_late(*_args: object, **_options: object) -> Msg:
        await asyncio.sleep(2 * SHORT)
        return Msg(_client=client, headers={"Status": "404"})

    monkeypatch.setattr(subscription._sub, "next_msg", next_message_late)  # noqa: SLF001 - the server's part
    with pytest.raises(TimeoutError) as timeout:
        await subscription.fetch(2, timeout=SHORT)
    assert not isinstance(timeout.value, nats.errors.TimeoutError)


async def all_acknowledged(client: Client) -> bool:
    return (await client.jetstream().consumer_info(STREAM, DURABLE)).num_ack_pending == 0


@pytest.mark.parametrize("mended", [False, True])
async def test_the_librarys_loop_forgets_its_messages_at_such_a_timeout_unless_it_is_mended(
    client: Client, nats_url: str, monkeypatch: pytest.MonkeyPatch, *, mended: bool
) -> None:
    if mended:  # as the patch in docs/adr/0007 does
        monkeypatch.setattr(stream_pull_subscriber, "TimeoutError", TimeoutError)
    fetch = JetStreamContext.PullSubscription.fetch
    calls = 0
    restarted = asyncio.Event()

    async def played(self: JetStreamContext.PullSubscription, **_options: object) -> list[Msg]:
        nonlocal calls
        calls += 1
        if calls == 1:
            return await fetch(self, 3, 5)
        if calls == 2:
            raise TimeoutError  # as nats-py does: see the test before
        restarted.set()
        return await asyncio.Future()

    monkeypatch.setattr(JetStreamContext.PullSubscription, "fetch", played)
    handled: list[object] = []
    quiet = logging.getLogger("native_loop")
    quiet.disabled = True
    broker = NatsBroker(nats_url, logger=quiet)

    @broker.subscriber(
        "trickle",
        stream=JStream(STREAM, declare=False),
        durable=DURABLE,
        ack_policy=AckPolicy.MANUAL,
        pull_sub=PullSub(batch_size=10, timeout=30, batch=True),
    )
    async def handle(bodies: list[object], message: NatsMessage) -> None:
        handled.extend(bodies)
        await message.ack()

    await broker.start()
    try:
        await asyncio.wait_for(restarted.wait(), limit())
        if mended:
            await until_found(lambda: all_acknowledged(client))  # the loop hands over and goes on at once
        kept = 3 if mended else 0
        assert len(handled) == kept, "FastStream's own loop has changed: look at docs/adr/0007 again"
        assert await all_acknowledged(client) == mended
    finally:
        await broker.stop()
