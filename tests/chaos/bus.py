"""What the harness asks of the bus, on its own connection, past the proxy."""

from __future__ import annotations

import asyncio
import itertools
from random import Random
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import msgspec
import nats
import nats.errors
import nats.js.errors
from chaos.hostile import SUBJECT, spoilt_announcements
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from waiting import limit, moment

from console.engine import announcements
from console.stream_reading import messages_of
from order_events import OrderSubmitted, encode
from order_events.subjects import (
    AUDIT_CONSUMER,
    DEAD_LETTER_STREAM,
    ENGINE_STREAM,
    ORDERS_STREAM,
    REDELIVERY_STREAM,
    STATE_BUCKET,
    engine_subject,
)
from service_kit import StreamSettings, provision

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from nats.aio.msg import Msg
    from nats.js import JetStreamContext

    from order_events import CancelRequested, SessionStarted
    from replay_node.session import Session

STATE_STREAM = f"KV_{STATE_BUCKET}"
STATE_SUBJECTS = f"$KV.{STATE_BUCKET}."
_WRITTEN = (ORDERS_STREAM, REDELIVERY_STREAM)
AT_ONCE = 500
POLL_SECONDS = 0.05
STRANGER = "rrrrrrrrrrrrrrrrrrrrBZbvji"
"""An account that nobody follows."""
Json = dict[str, Any]
T = TypeVar("T")
Announcement: TypeAlias = "SessionStarted | OrderSubmitted | CancelRequested"


class Bus:
    """Synchronous: each call has a connection of its own, for the server may die between any two."""

    def __init__(self, url: str) -> None:
        self._url = url

    def prepare(self, replicas: int = 1) -> None:
        """Make the streams, each on so many servers."""
        self._with(lambda context: provision(context, StreamSettings(stream_replicas=replicas)))

    def leader(self, stream: str) -> str:
        """Return the name of the server that leads a stream; empty while there is none."""

        async def ask(context: JetStreamContext) -> str:
            cluster = (await context.stream_info(stream)).cluster
            return (cluster and cluster.leader) or ""

        return self._with(ask)

    def announce(self, events: Iterable[Announcement]) -> None:
        """Say what an engine says."""

        async def say(context: JetStreamContext) -> None:
            for event in events:
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

        async def read(context: JetStreamContext) -> list[bytes]:
            return [one.data async for messages in messages_of(context, ORDERS_STREAM) for one in messages]

        return self._with(read)

    def state(self, keys: str = ">") -> dict[str, Json]:
        """Return what the state bucket holds, by key; `keys`: of which, with wildcards as subjects have them.

        A message that is damaged on the disk can't be among them.
        """
        some = f"{STATE_SUBJECTS}{keys}"
        found = self._with(lambda context: _read(context, STATE_STREAM, some, DeliverPolicy.LAST_PER_SUBJECT))
        values = {one.subject.removeprefix(STATE_SUBJECTS): one.data for one in found if one.data}
        # beside the networks, leases stand in the bucket
        return {key: msgspec.json.decode(value) for key, value in values.items() if key[0].isdigit()}

    def unwritten(self) -> int:
        """Return how many events the audit writer has not acknowledged, redelivered ones among them."""

        async def left(context: JetStreamContext) -> int:
            infos = [await context.consumer_info(one, AUDIT_CONSUMER) for one in _WRITTEN]
            return sum((info.num_pending or 0) + (info.num_ack_pending or 0) for info in infos)

        return self._with(left)

    def purge(self, stream: str) -> None:
        """Remove all messages of a stream."""
        self._with(lambda context: context.purge_stream(stream))

    def last_message(self, stream: str, subject: str) -> bytes:
        """Return the newest payload of a subject."""

        async def read(context: JetStreamContext) -> bytes:
            return (await context.get_last_msg(stream, subject)).data or b""

        return self._with(read)

    def limit(self, stream: str, *, full: bool) -> None:
        """Leave a stream no room for another message, or give it room again."""

        async def change(context: JetStreamContext) -> None:
            info = await context.stream_info(stream)
            # a limit below what is there would make the server delete it
            room = max(info.state.bytes, 1) if full else -1
            await context.update_stream(info.config, max_bytes=room)

        self._with(change)

    def _with(self, work: Callable[[JetStreamContext], Awaitable[T]]) -> T:
        return asyncio.run(self._answered(work) if "," in self._url else self._asked(self._url, work))

    async def _answered(self, work: Callable[[JetStreamContext], Awaitable[T]]) -> T:
        """Ask the servers of a cluster in turns: while it chooses a leader, none has an answer."""
        async with asyncio.timeout(limit()):
            for url in itertools.cycle(self._url.split(",")):
                try:
                    return await self._asked(url, work, seconds=moment())
                except (nats.errors.Error, OSError):
                    await asyncio.sleep(POLL_SECONDS)
        raise AssertionError

    async def _asked(
        self, url: str, work: Callable[[JetStreamContext], Awaitable[T]], seconds: float | None = None
    ) -> T:
        seconds = seconds or limit()
        connection = await nats.connect(
            url, connect_timeout=seconds, allow_reconnect=False, error_cb=_unheard
        )
        try:
            return await work(connection.jetstream(timeout=seconds))
        finally:
            await connection.close()


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
