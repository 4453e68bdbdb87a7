"""The last value of every key under some prefixes of the state bucket, read by one consumer.

Plain nats-py: one ordered reading with a consumer that is made for it, and no subscription that goes on.
"""

from collections.abc import Iterator, Sequence

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from order_events.subjects import STATE_BUCKET
from reconciler.adapters.atomic_batch import ANSWER_SECONDS

_STREAM = f"KV_{STATE_BUCKET}"
_REMOVED = ("KV-Operation", "Nats-Marker-Reason")
"""Headers of a deletion mark, which is no value: ours, or the server's when a key has expired."""
_MESSAGES_AT_ONCE = 1000
_IDLE_SECONDS = 30.0
"""After which the server removes the consumer of an interrupted reading."""


class LastValue:
    """A key's last value."""

    def __init__(self, message: Msg, key: str) -> None:
        """`key`: what follows the prefix in the message's subject."""
        self.key = key
        self._message = message

    @property
    def value(self) -> bytes | None:
        """None: it was deleted."""
        headers = self._message.headers
        return None if headers and any(mark in headers for mark in _REMOVED) else self._message.data

    @property
    def revision(self) -> int:
        """Parsed only where it is needed: a start reads a hundred thousand of these messages."""
        return self._message.metadata.sequence.stream


async def last_values(client: Client, prefixes: Sequence[str]) -> list[list[LastValue]]:
    """Return the values under each of `prefixes`, beginnings of subjects that end with a dot, oldest first.

    No prefix may be under another one. nats-py's watch can't be used: it takes a bucket for empty while the
    server's messages still wait in the client, and then an account would be adopted afresh.

    Raises:
        nats.errors.Error: no answer.

    """
    context = client.jetstream(timeout=ANSWER_SECONDS)
    reader = await context.add_consumer(
        _STREAM, _last_of_each([f"{prefix}>" for prefix in dict.fromkeys(prefixes)])
    )
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
    found: dict[str, list[LastValue]] = {prefix: [] for prefix in prefixes}
    for message in messages:
        prefix = next(prefix for prefix in _beginnings(message.subject) if prefix in found)
        found[prefix].append(LastValue(message, message.subject[len(prefix) :]))
    return [found[prefix] for prefix in prefixes]


def _beginnings(subject: str) -> Iterator[str]:
    end = subject.find(".")
    while end >= 0:
        yield subject[: end + 1]
        end = subject.find(".", end + 1)


def _last_of_each(subjects: list[str]) -> ConsumerConfig:
    return ConsumerConfig(
        deliver_policy=DeliverPolicy.LAST_PER_SUBJECT,
        ack_policy=AckPolicy.NONE,
        filter_subjects=subjects,
        inactive_threshold=_IDLE_SECONDS,
        mem_storage=True,
    )
