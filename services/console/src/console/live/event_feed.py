"""The events of stream ORDERS for a person: each once, and a fill before the end that it explains."""

import contextlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence

import msgspec
import nats.js.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, Header

from order_events import Malformed, OrderDisappeared, OrderEvent, OrderFilled, OrdersEvent, decode
from order_events.subjects import ORDERS_STREAM, ORDERS_SUBJECTS

_BATCH = 100
_FETCH_SECONDS = 0.5
_REMEMBERED = 4_096
"""Events whose ids are kept: a reconciler that was killed tells those of a ledger or two again."""
_READ_BACK = 256
"""Messages before the feed's beginning whose ids are read, for the same reason."""
_HELD_SECONDS = 1.0
"""The reconciler publishes a fill in the moment after the end that it explains."""
_NO_REDELIVERY_SECONDS = 300.0
"""A screen that is stopped for a while is not given again what it has on its way."""


class Unreadable(msgspec.Struct, frozen=True):
    """A message that is no event, and why."""

    subject: str
    problem: str


Told = OrdersEvent | Unreadable


class FillsFirst:
    """Holds the end of an order that has traded back until the fill of the same transaction is passed on.

    On the bus the end comes first: an engine has to see at once that the order is gone.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` gives seconds."""
        self._clock = clock
        self._held: dict[tuple[str, int, str], tuple[float, OrderDisappeared]] = {}

    def pass_on(self, event: Told) -> list[Told]:
        """Take the next event and return what is to be shown now, in this order."""
        if not isinstance(event, OrderEvent) or event.transaction_hash is None:
            return [event]
        key = event.account, event.sequence, event.transaction_hash
        if isinstance(event, OrderDisappeared) and event.filled_qty:
            self._held[key] = self._clock() + _HELD_SECONDS, event
            return []
        if isinstance(event, OrderFilled) and key in self._held:
            return [event, self._held.pop(key)[1]]
        return [event]

    def overdue(self) -> list[Told]:
        """Return the ends whose fill, if there is one, has not come in time."""
        now = self._clock()
        late = [key for key, (due, _) in self._held.items() if due <= now]
        return [self._held.pop(key)[1] for key in late]

    def rest(self) -> list[Told]:
        """Return all that is held."""
        held = [event for _, event in self._held.values()]
        self._held.clear()
        return list(held)

    @property
    def holds(self) -> bool:
        """Whether something is held back."""
        return bool(self._held)


class EventFeed:
    """Reads stream ORDERS from a place of its own, which the bus keeps under a durable consumer's name."""

    def __init__(
        self,
        consumer: JetStreamContext.PullSubscription,
        known: Iterable[str],
        clock: Callable[[], float],
    ) -> None:
        """Use `opened`."""
        self._consumer = consumer
        self._known = OrderedDict.fromkeys(known)
        self._order = FillsFirst(clock)
        self._last: Msg | None = None
        self._position = 0

    @classmethod
    async def from_the_last(
        cls, jetstream: JetStreamContext, count: int, events_of: str, clock: Callable[[], float]
    ) -> "EventFeed":
        """Begin with the last `count` messages of the stream that have a subject like `events_of`."""
        newest = (await jetstream.stream_info(ORDERS_STREAM)).state.last_seq
        config = ConsumerConfig(
            filter_subject=events_of,
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=max(1, newest - count + 1),
            ack_policy=AckPolicy.ALL,
            ack_wait=_NO_REDELIVERY_SECONDS,
        )
        consumer = await jetstream.pull_subscribe(events_of, stream=ORDERS_STREAM, config=config)
        return cls(consumer, (), clock)

    @classmethod
    async def opened(
        cls, jetstream: JetStreamContext, durable: str, clock: Callable[[], float]
    ) -> "EventFeed":
        """Begin where the feed of that name ended, or, the first time, with what comes from now on."""
        config = ConsumerConfig(
            durable_name=durable,
            filter_subjects=list(ORDERS_SUBJECTS),
            deliver_policy=DeliverPolicy.NEW,
            ack_policy=AckPolicy.ALL,
            ack_wait=_NO_REDELIVERY_SECONDS,
        )
        consumer = await jetstream.pull_subscribe("", durable=durable, stream=ORDERS_STREAM, config=config)
        floor = (await consumer.consumer_info()).ack_floor
        return cls(consumer, await _ids_before(jetstream, floor.stream_seq if floor else 0), clock)

    async def read(self, until: int | None = None) -> AsyncIterator[Told]:
        """Yield what is to be shown. What was yielded has been shown when the next is asked for.

        `until`: the position in the stream at which it ends, where nothing more comes; None: it never ends.
        """
        while True:
            messages = await self._fetched()
            for message in messages:
                for event in self._new(message):
                    for shown in self._order.pass_on(event):
                        yield shown
            for shown in self._order.overdue():
                yield shown
            if until is not None and (not messages or self._position >= until):
                for shown in self._order.rest():
                    yield shown
                return
            if not self._order.holds:
                await self._keep_place()

    async def end(self) -> list[Told]:
        """Return what is still held back, to be shown now, and have the bus keep the place after it."""
        rest = self._order.rest()
        await self._keep_place()
        return rest

    async def _keep_place(self) -> None:
        if self._last is not None:
            await self._last.ack()
            self._last = None

    def _new(self, message: Msg) -> Iterator[Told]:
        """Yield the message's event unless it was shown: the bus and the reconciler may say things twice."""
        position = message.metadata.sequence.stream
        if position <= self._position:
            return
        self._last, self._position = message, position
        name = (message.headers or {}).get(Header.MSG_ID, str(position))
        if name in self._known:
            return
        self._known[name] = None
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        yield read_event(message)

    async def _fetched(self) -> Sequence[Msg]:
        try:
            return await self._consumer.fetch(_BATCH, timeout=_FETCH_SECONDS)
        except (TimeoutError, nats.js.errors.ServiceUnavailableError):
            return ()


async def _ids_before(jetstream: JetStreamContext, place: int) -> list[str]:
    ids = []
    for position in range(max(1, place - _READ_BACK + 1), place + 1):
        with contextlib.suppress(nats.js.errors.NotFoundError):  # older than the stream keeps
            message = await jetstream.get_msg(ORDERS_STREAM, seq=position)
            ids.append((message.headers or {}).get(Header.MSG_ID, str(position)))
    return ids


def read_event(message: Msg) -> Told:
    """Return the message's event, or why it is none."""
    try:
        event = decode(message.data)
    except Malformed as error:
        return Unreadable(message.subject, str(error))
    if isinstance(event, OrdersEvent):
        return event
    return Unreadable(message.subject, "expected an event of stream ORDERS, found an announcement")
