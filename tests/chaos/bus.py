"""What the harness asks of the bus, on its own connection, past the proxy."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import nats
import nats.errors
import nats.js.errors
from chaos.hostile import SUBJECT, spoilt_announcements
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from waiting import limit

from console.engine import announcements
from order_events import OrderSubmitted, encode
from order_events.subjects import (
    AUDIT_CONSUMER,
    DEAD_LETTER_STREAM,
    ENGINE_STREAM,
    ORDERS_STREAM,
    STATE_BUCKET,
    engine_subject,
)
from service_kit import StreamSettings, provision

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nats.aio.msg import Msg
    from nats.js import JetStreamContext

    from replay_node.session import Session

STATE_STREAM = f"KV_{STATE_BUCKET}"
STATE_SUBJECTS = f"$KV.{STATE_BUCKET}."
AT_ONCE = 500
STRANGER = "rrrrrrrrrrrrrrrrrrrrBZbvji"
"""An account that nobody follows."""
Json = dict[str, Any]
T = TypeVar("T")


class Bus:
    """Synchronous: each call has a connection of its own, for the server may die between any two."""

    def __init__(self, url: str) -> None:
        self._url = url

    def prepare(self) -> None:
        """Make the streams."""
        self._with(lambda context: provision(context, StreamSettings()))

    def announce(self, session: Session) -> None:
        """Say what the session's engine said."""

        async def say(context: JetStreamContext) -> None:
            for event in announcements(session):
                await context.publish(engine_subject(event), encode(event), stream=ENGINE_STREAM)

        self._with(say)

    def flood(self, session: Session, seed: int, *, spoilt: int, foreign: int) -> int:
        """Announce what no engine means: garbage, and orders of an account that nobody follows.

        Return how much of it is garbage.
        """
        chance = Random(seed)  # noqa: S311 - draws garbage, no secret
        honest = next(one for one in announcements(session) if isinstance(one, OrderSubmitted))
        garbage = spoilt_announcements(encode(honest), chance, spoilt)
        stranger = msgspec.structs.replace(honest, account=STRANGER)
        orders = [
            encode(msgspec.structs.replace(stranger, sequence=number)) for number in range(1, foreign + 1)
        ]
        told = [
            *((f"{SUBJECT}.{honest.account}", one) for one in garbage),
            *((engine_subject(stranger), one) for one in orders),
        ]
        chance.shuffle(told)

        async def say(context: JetStreamContext) -> None:
            for first in range(0, len(told), AT_ONCE):
                some = told[first : first + AT_ONCE]
                await asyncio.gather(*(context.publish(*one, stream=ENGINE_STREAM) for one in some))

        self._with(say)
        return len(garbage)

    def dead_letters(self) -> int:
        """Return how many dead letters there are."""

        async def count(context: JetStreamContext) -> int:
            return (await context.stream_info(DEAD_LETTER_STREAM)).state.messages

        return self._with(count)

    def events(self) -> list[bytes]:
        """Return the payloads of stream ORDERS."""
        return [one.data for one in self._with(lambda context: _read(context, ORDERS_STREAM))]

    def state(self, network_id: int | None = None) -> dict[str, Json]:
        """Return what the state bucket holds, by key; of one network, or of all."""
        some = f"{STATE_SUBJECTS}{'' if network_id is None else f'{network_id}.'}>"
        found = self._with(lambda context: _read(context, STATE_STREAM, some, DeliverPolicy.LAST_PER_SUBJECT))
        values = {one.subject.removeprefix(STATE_SUBJECTS): one.data for one in found if one.data}
        # beside the networks, leases stand in the bucket
        return {key: msgspec.json.decode(value) for key, value in values.items() if key[0].isdigit()}

    def unwritten(self) -> int:
        """Return how many events the audit writer has not acknowledged."""

        async def left(context: JetStreamContext) -> int:
            info = await context.consumer_info(ORDERS_STREAM, AUDIT_CONSUMER)
            return (info.num_pending or 0) + (info.num_ack_pending or 0)

        return self._with(left)

    def limit(self, stream: str, *, full: bool) -> None:
        """Leave a stream no room for another message, or give it room again."""

        async def change(context: JetStreamContext) -> None:
            info = await context.stream_info(stream)
            # a limit below what is there would make the server delete it
            room = max(info.state.bytes, 1) if full else -1
            await context.update_stream(info.config, max_bytes=room)

        self._with(change)

    def _with(self, work: Callable[[JetStreamContext], Awaitable[T]]) -> T:
        async def connected() -> T:
            connection = await nats.connect(
                self._url, connect_timeout=limit(), allow_reconnect=False, error_cb=_unheard
            )
            try:
                return await work(connection.jetstream(timeout=limit()))
            finally:
                await connection.close()

        return asyncio.run(connected())


async def _unheard(_: Exception) -> None:
    """Keep nats-py from logging what it raises anyway."""


async def _read(
    context: JetStreamContext,
    stream: str,
    subjects: str = ">",
    deliver: DeliverPolicy = DeliverPolicy.ALL,
) -> list[Msg]:
    config = ConsumerConfig(
        deliver_policy=deliver,
        ack_policy=AckPolicy.NONE,
        filter_subject=subjects,
        inactive_threshold=limit(),
        mem_storage=True,
    )
    reader = await context.add_consumer(stream, config)
    subscription = await context.pull_subscribe_bind(consumer=reader.name, stream=stream)
    messages: list[Msg] = []
    left = reader.num_pending or 0
    while left:
        messages += await subscription.fetch(min(left, AT_ONCE), timeout=limit())
        left = messages[-1].metadata.num_pending
    await context.delete_consumer(stream, reader.name)
    return messages
