"""The last value of every key under some prefixes of the state bucket, read by one consumer.

Plain nats-py: one ordered reading with a consumer that is made for it, and no subscription that goes on.
"""

from collections.abc import Iterator, Sequence

import nats.errors
import nats.js.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, RawStreamMsg

from order_events.subjects import STATE_BUCKET
from reconciler.adapters.atomic_batch import ANSWER_SECONDS

_log = structlog.get_logger()

_STREAM = f"KV_{STATE_BUCKET}"
_REMOVED = ("KV-Operation", "Nats-Marker-Reason")
"""Headers of a deletion mark, which is no value: ours, or the server's when a key has expired."""
_MESSAGES_AT_ONCE = 1000
_IDLE_SECONDS = 30.0
"""After which the server removes the consumer of an interrupted reading."""


class LastValue:
    """A key's last value."""

    def __init__(self, message: Msg | RawStreamMsg, key: str) -> None:
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
        message = self._message
        return message.seq or 0 if isinstance(message, RawStreamMsg) else message.metadata.sequence.stream


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
    messages: list[Msg | RawStreamMsg] = []
    left = reader.num_pending or 0
    try:
        while left:
            some = await subscription.fetch(min(left, _MESSAGES_AT_ONCE), timeout=ANSWER_SECONDS)
            messages += some
            left = some[-1].metadata.num_pending
    except nats.errors.TimeoutError:
        # A consumer gets no further than a message that is damaged on the server's disk
        messages = await _one_by_one(context, prefixes)
    finally:
        await subscription.unsubscribe()
        await context.delete_consumer(_STREAM, reader.name)
    found: dict[str, list[LastValue]] = {prefix: [] for prefix in prefixes}
    for message in messages:
        subject = message.subject or ""
        prefix = next(prefix for prefix in _beginnings(subject) if prefix in found)
        found[prefix].append(LastValue(message, subject[len(prefix) :]))
    return [found[prefix] for prefix in prefixes]


async def _one_by_one(context: JetStreamContext, prefixes: Sequence[str]) -> list[Msg | RawStreamMsg]:
    """Return the last message of each key that can be read, oldest first."""
    found: list[RawStreamMsg] = []
    for prefix in dict.fromkeys(prefixes):
        info = await context.stream_info(_STREAM, subjects_filter=f"{prefix}>")
        for subject in info.state.subjects or ():
            try:
                found.append(await context.get_last_msg(_STREAM, subject))
            except nats.js.errors.ServiceUnavailableError:
                raise
            except nats.js.errors.APIError as error:
                _log.error("a message of the state bucket can't be read", key=subject, problem=str(error))
    return [*sorted(found, key=lambda message: message.seq or 0)]


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
