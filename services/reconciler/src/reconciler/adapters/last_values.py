"""Reading the last value of every key below a place in the state bucket."""

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from order_events.subjects import STATE_BUCKET
from reconciler.adapters.atomic_batch import ANSWER_SECONDS

_STREAM = f"KV_{STATE_BUCKET}"
_REMOVED = ("KV-Operation", "Nats-Marker-Reason")
"""Headers of what is no value: a deletion of ours, or of the server's."""
_MESSAGES_AT_ONCE = 1000
_FORGOTTEN_SECONDS = 30.0
"""After which the server drops what an interrupted reading left behind."""


class LastValue(msgspec.Struct, frozen=True, kw_only=True):
    """A key's last value."""

    key: str
    """What follows the place."""
    value: bytes | None
    """None: it was deleted."""
    revision: int


async def last_values(client: Client, place: str) -> list[LastValue]:
    """Return what stands below `place`, a subject's beginning that ends with a dot, oldest first.

    Not by the library's watch: it takes a bucket for empty when the server has already sent what the
    client has not yet looked at, and an account that is taken for a new one is adopted afresh.

    Raises:
        nats.errors.Error: no answer.

    """
    context = client.jetstream(timeout=ANSWER_SECONDS)
    reader = await context.add_consumer(_STREAM, _last_of_each(f"{place}>"))
    subscription = await context.pull_subscribe_bind(consumer=reader.name, stream=_STREAM)
    messages: list[Msg] = []
    left = reader.num_pending or 0
    try:
        while left:
            messages += await subscription.fetch(min(left, _MESSAGES_AT_ONCE), timeout=ANSWER_SECONDS)
            left = messages[-1].metadata.num_pending
    finally:
        await subscription.unsubscribe()
        await context.delete_consumer(_STREAM, reader.name)
    return [_read(message, place) for message in messages]


def _last_of_each(subjects: str) -> ConsumerConfig:
    return ConsumerConfig(
        deliver_policy=DeliverPolicy.LAST_PER_SUBJECT,
        ack_policy=AckPolicy.NONE,
        filter_subject=subjects,
        inactive_threshold=_FORGOTTEN_SECONDS,
        mem_storage=True,
    )


def _read(message: Msg, place: str) -> LastValue:
    removed = any(header in (message.headers or {}) for header in _REMOVED)
    return LastValue(
        key=message.subject.removeprefix(place),
        value=None if removed else message.data,
        revision=message.metadata.sequence.stream,
    )
