"""Reading the last value of every key below some places in the state bucket.

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
"""Headers of what is no value: a deletion of ours, or of the server's."""
_MESSAGES_AT_ONCE = 1000
_FORGOTTEN_SECONDS = 30.0
"""After which the server drops what an interrupted reading left behind."""


class LastValue:
    """A key's last value."""

    def __init__(self, message: Msg, key: str) -> None:
        """`key`: what follows the place in the message's subject."""
        self.key = key
        self._message = message

    @property
    def value(self) -> bytes | None:
        """None: it was deleted."""
        headers = self._message.headers
        return None if headers and any(mark in headers for mark in _REMOVED) else self._message.data

    @property
    def revision(self) -> int:
        """Read only where it is needed: it stands in a text, and there are a hundred thousand of them."""
        return self._message.metadata.sequence.stream


async def last_values(client: Client, places: Sequence[str]) -> list[list[LastValue]]:
    """Return what stands below each of `places`, beginnings of subjects that end with a dot, oldest first.

    No place is below another one.

    Not by the library's watch: it takes a bucket for empty when the server has already sent what the
    client has not yet looked at, and an account that is taken for a new one is adopted afresh.

    Raises:
        nats.errors.Error: no answer.

    """
    context = client.jetstream(timeout=ANSWER_SECONDS)
    reader = await context.add_consumer(
        _STREAM, _last_of_each([f"{place}>" for place in dict.fromkeys(places)])
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
    found: dict[str, list[LastValue]] = {place: [] for place in places}
    for message in messages:
        place = next(place for place in _beginnings(message.subject) if place in found)
        found[place].append(LastValue(message, message.subject[len(place) :]))
    return [found[place] for place in places]


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
        inactive_threshold=_FORGOTTEN_SECONDS,
        mem_storage=True,
    )
