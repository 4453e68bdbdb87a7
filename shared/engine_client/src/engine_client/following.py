"""Every event of one account, in the order in which the bus holds them, each until it is booked."""

from collections.abc import Callable
from datetime import datetime

import msgspec
import nats.js.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from order_events import Malformed, OrdersEvent, decode
from order_events.codec import ORDERS_TYPES
from order_events.subjects import ORDERS_STREAM

Book = Callable[[OrdersEvent], None]
"""Writes down what an event means; returns when that is safe. It may be given an event twice."""
_BATCH = 50
_FETCH_SECONDS = 5.0
_ACK_SECONDS = 10.0
_KNOWN_TYPES = frozenset(str(kind.__struct_config__.tag) for kind in ORDERS_TYPES)


class UnreadableEvent(ValueError):
    """An event of a known type in a version that this client does not know: update it before you go on.

    The event stays on the bus, unacknowledged, and is handed out again.
    """


class _Head(msgspec.Struct):
    event_type: str


async def follow_orders(
    jetstream: JetStreamContext,
    account: str,
    book: Book,
    *,
    durable: str | None = None,
    since: datetime | None = None,
) -> None:
    """Hand each event of the account to `book` and acknowledge it when `book` returns; go on for ever.

    Events of types that this client does not know are passed over: they are of no concern to it.

    Args:
        jetstream: of the connection.
        account: a classic address.
        book: raises to stop; what it raises on is handed out again. See `BookedOnce`.
        durable: the consumer's name; by default `engine-<account>`. Two engines of one account need two.
        since: a consumer that is new begins with the events stored from then on; None: with all that the
            stream still holds. One that exists goes on where it was.

    Raises:
        UnreadableEvent: a known event in an unknown version.

    """
    consumer = await _consumer(jetstream, account, durable or f"engine-{account}", since)
    try:
        while True:
            for message in await _fetched(consumer):
                if event := _event(message):
                    book(event)
                await message.ack()
    finally:
        await consumer.unsubscribe()  # else the bus hands out the next messages to nobody


async def _consumer(
    jetstream: JetStreamContext, account: str, durable: str, since: datetime | None
) -> JetStreamContext.PullSubscription:
    config = ConsumerConfig(
        durable_name=durable,
        filter_subjects=[f"order.*.{account}", f"reconciler.*.{account}"],
        deliver_policy=DeliverPolicy.ALL if since is None else DeliverPolicy.BY_START_TIME,
        opt_start_time=since,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=_ACK_SECONDS,
    )
    try:
        await jetstream.consumer_info(ORDERS_STREAM, durable)
    except nats.js.errors.NotFoundError:
        await jetstream.add_consumer(ORDERS_STREAM, config)
    return await jetstream.pull_subscribe_bind(durable, ORDERS_STREAM)


async def _fetched(consumer: JetStreamContext.PullSubscription) -> list[Msg]:
    try:
        return await consumer.fetch(_BATCH, timeout=_FETCH_SECONDS)
    except TimeoutError:  # an idle stream
        return []


def _event(message: Msg) -> OrdersEvent | None:
    try:
        event = decode(message.data)
    except Malformed as error:
        if msgspec.json.decode(message.data, type=_Head).event_type not in _KNOWN_TYPES:
            return None
        raise UnreadableEvent(f"{message.subject}: {error}") from error
    return event if isinstance(event, OrdersEvent) else None
