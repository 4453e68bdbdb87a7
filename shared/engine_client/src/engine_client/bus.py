"""The bus as one engine sees it: it announces what it sends, and reads what became of it."""

from collections.abc import Callable
from datetime import datetime
from typing import Self

import msgspec
import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, DeliverPolicy

from engine_client.access import BusAccess, BusUnavailable, connect
from engine_client.permission import PermissionWatch, permission_subject
from order_events import (
    CancelRequested,
    Malformed,
    OrdersEvent,
    OrderSubmitted,
    SessionStarted,
    decode,
    encode,
)
from order_events.codec import ORDERS_TYPES
from order_events.subjects import (
    DEFAULT_ENGINE,
    ENGINE_STREAM,
    ORDERS_STREAM,
    account_events,
    engine_consumer,
    engine_subject,
)

JETSTREAM_DOMAIN = "fillproof"
"""A deployment's bus answers an engine there, and nowhere else."""
Book = Callable[[OrdersEvent], None]
"""Writes down what an event means; returns when that is safe. It may be given an event twice."""
_BATCH = 50
_FETCH_SECONDS = 5.0
_ACK_SECONDS = 5.0
_KNOWN_TYPES = frozenset(str(kind.__struct_config__.tag) for kind in ORDERS_TYPES)


class UnreadableEvent(ValueError):
    """An event of a known type in a version that this client does not know: update it before you go on.

    The event stays on the bus, unacknowledged, and is handed out again.
    """


class _Head(msgspec.Struct):
    event_type: str


class EngineBus:
    """A connection that reconnects for ever."""

    def __init__(self, client: Client, engine: str) -> None:
        """Use `connected`. `engine`: the name that its consumers begin with."""
        self._client = client
        self._jetstream = client.jetstream(domain=JETSTREAM_DOMAIN)
        self._engine = engine

    @classmethod
    async def connected(cls, access: BusAccess) -> Self:
        """Connect as the engine that the user of `access` is; where the bus has no users, as `engine`.

        Raises:
            BusUnavailable: nobody answers there, or the user, password or certificate is refused.

        """
        return cls(await connect(access), access.user_name or DEFAULT_ENGINE)

    async def close(self) -> None:
        """Close the connection."""
        await self._client.close()

    async def announce(self, announcement: OrderSubmitted | CancelRequested | SessionStarted) -> None:
        """Publish an announcement and wait until the bus has stored it; a second time changes nothing.

        Raises:
            nats.errors.Error: the bus has not stored it: announce it again, or send nothing.

        """
        subject = engine_subject(announcement)
        await self._jetstream.publish(subject, encode(announcement), stream=ENGINE_STREAM)

    async def follow_orders(self, account: str, book: Book, *, since: datetime | None = None) -> None:
        """Hand each event of the account to `book` and acknowledge it when `book` returns; go on for ever.

        Events of types that this client does not know are passed over: they are of no concern to it.

        Args:
            account: a classic address.
            book: raises to stop; what it raises on is handed out again. See `BookedOnce`.
            since: a consumer that is made now begins with the events stored from then on; None: with all that
                the stream still holds. One that exists, as a deployment makes it, goes on where it was.

        Raises:
            BusUnavailable: the bus has no consumer for this engine and account.
            UnreadableEvent: a known event in an unknown version.

        """
        consumer = await self._consumer(account, since)
        try:
            while True:
                for message in await _fetched(consumer):
                    if event := _event(message):
                        book(event)
                    await message.ack()
        finally:
            await consumer.unsubscribe()  # else the bus hands out the next messages to nobody

    def watch_permission(self, account: str, *, network_id: int = 0) -> PermissionWatch:
        """Return the watch of an account's trading permission; it knows nothing until its `run` runs.

        `network_id`: the ledger's; 0 is the main network.
        """
        return PermissionWatch(self._client, permission_subject(JETSTREAM_DOMAIN, network_id, account))

    async def _consumer(self, account: str, since: datetime | None) -> JetStreamContext.PullSubscription:
        durable = engine_consumer(self._engine, account)
        try:
            await self._jetstream.consumer_info(ORDERS_STREAM, durable)
        except nats.js.errors.NotFoundError:  # a bus without users lets the engine make its own
            await self._jetstream.add_consumer(
                ORDERS_STREAM,
                durable_name=durable,
                filter_subject=account_events(account),
                deliver_policy=DeliverPolicy.ALL if since is None else DeliverPolicy.BY_START_TIME,
                opt_start_time=since,
                ack_policy=AckPolicy.EXPLICIT,
                ack_wait=_ACK_SECONDS,
            )
        except (nats.errors.Error, nats.js.errors.Error) as error:
            raise BusUnavailable(
                f"expected the consumer {durable} of stream {ORDERS_STREAM}, found: {error!s}; is {account} "
                f"among the accounts of the engine {self._engine} (FILLPROOF_ENGINES)?"
            ) from error
        return await self._jetstream.pull_subscribe_bind(durable, ORDERS_STREAM)


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
