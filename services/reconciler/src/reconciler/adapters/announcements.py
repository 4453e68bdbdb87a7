"""Messages of stream ENGINE: how they are read as announcements, and how one account's own are fetched.

Plain nats-py: one ordered reading with a consumer that is made for it, and no subscription that goes on.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence

import msgspec
import nats.errors
import nats.js.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, RawStreamMsg

from order_events import Malformed, decode_announcement
from order_events.subjects import ENGINE_STREAM, own_announcements
from reconciler.adapters.atomic_batch import ANSWER_SECONDS
from reconciler.adapters.dead_letters import DeadLetters
from reconciler.metrics import Metrics
from reconciler.ports.bus import Announcement

_log = structlog.get_logger()

_FETCHED_AT_ONCE = 256
"""Messages; each may be as large as the bus allows."""
_IDLE_SECONDS = 30.0
"""After which the server removes the consumer of an interrupted reading."""
_LONGEST_PROBLEM = 500
"""Characters of a problem in the log: it may quote the message."""


class Border:
    """The border of the engine feed: what is no announcement is counted, and set aside as a dead letter."""

    def __init__(
        self, metrics: Metrics, dead_letters: DeadLetters | None, *, subject_without_account: bool
    ) -> None:
        """`dead_letters`: None: another reading has sent them there, and has counted them."""
        self._metrics = metrics
        self._dead_letters = dead_letters
        self._subject_without_account = subject_without_account

    def read(self, message: RawStreamMsg) -> Announcement | None:
        """Return the announcement; None: the message is none."""
        try:
            return decode_announcement(
                message.data or b"",
                message.subject or "",
                subject_without_account=self._subject_without_account,
            )
        except Malformed as error:
            if self._dead_letters is not None:
                self._refuse(message, str(error), self._dead_letters)
            return None

    def filters(self, account: str) -> tuple[str, ...]:
        """Return the subjects on which the account's engine may announce."""
        return own_announcements(account, subject_without_account=self._subject_without_account)

    def _refuse(self, message: RawStreamMsg, problem: str, dead_letters: DeadLetters) -> None:
        self._metrics.malformed_announcements.inc()
        _log.warning(
            "engine message set aside: it is no announcement",
            sequence=message.seq,
            problem=problem[:_LONGEST_PROBLEM],
        )
        dead_letters.send(message, problem)


class OwnPart(msgspec.Struct, frozen=True, kw_only=True):
    """A part of one account's announcements, by sequence, oldest first."""

    announcements: tuple[tuple[int, Announcement], ...]
    upto: int
    """The sequence up to which they are read."""


async def read_own(client: Client, border: Border, account: str, wanted: range, *, most: int) -> OwnPart:
    """Return what an account's engine has announced at the `wanted` sequences, at most so many.

    The server picks the account's own messages: how many others the stream holds does not matter.

    Raises:
        nats.errors.Error: no answer.

    """
    context = client.jetstream(timeout=ANSWER_SECONDS)
    reader = await context.add_consumer(ENGINE_STREAM, _from(wanted.start, border.filters(account)))
    pending = reader.num_pending or 0
    subscription = await context.pull_subscribe_bind(consumer=reader.name, stream=ENGINE_STREAM)
    found: list[tuple[int, Announcement]] = []
    left, position, until = min(pending, most), wanted.start - 1, wanted.stop - 1
    try:
        while left and position < until:
            messages = await subscription.fetch(min(left, _FETCHED_AT_ONCE), timeout=ANSWER_SECONDS)
            left -= len(messages)
            position = messages[-1].metadata.sequence.stream
            found += _read(messages, border, account, until)
    except nats.errors.TimeoutError:
        # A consumer gets no further than a message that is damaged on the server's disk
        rest = range(position + 1, min(position + most, until) + 1)
        found += [part async for part in _read_by_sequence(context, border, account, rest)]
        return OwnPart(announcements=tuple(found), upto=rest.stop - 1)
    finally:
        await subscription.unsubscribe()
        await context.delete_consumer(ENGINE_STREAM, reader.name)
    at_the_end = pending <= most and not left
    return OwnPart(announcements=tuple(found), upto=until if at_the_end else min(position, until))


def _read(
    messages: Sequence[Msg], border: Border, account: str, until: int
) -> Iterator[tuple[int, Announcement]]:
    for message in messages:
        sequence = message.metadata.sequence.stream
        raw = RawStreamMsg(subject=message.subject, seq=sequence, data=message.data)
        event = border.read(raw) if sequence <= until else None
        if event is not None and event.account == account:
            yield sequence, event


async def _read_by_sequence(
    context: JetStreamContext, border: Border, account: str, sequences: range
) -> AsyncIterator[tuple[int, Announcement]]:
    """Yield the account's announcements among these messages, as far as each can be read."""
    for sequence in sequences:
        try:
            message = await context.get_msg(ENGINE_STREAM, seq=sequence)
        except nats.js.errors.NotFoundError:
            continue
        event = border.read(message)
        if event is not None and event.account == account:
            yield sequence, event


def _from(sequence: int, subjects: Sequence[str]) -> ConsumerConfig:
    return ConsumerConfig(
        deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=sequence,
        ack_policy=AckPolicy.NONE,
        filter_subjects=list(subjects),
        inactive_threshold=_IDLE_SECONDS,
        mem_storage=True,
    )


BusClient = Callable[[], Client]
"""Returns the bus connection; raises while there is none."""
