"""What the bus knows of a deployment: accounts, open orders, permissions, and what waits for somebody."""

import msgspec
import nats.js.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from offer_lifecycle import AccountRecord, Gap, Order
from order_events import ReconcilerHalted, TradingPermission
from order_events.permission import PERMISSION_BUCKET
from order_events.subjects import (
    AUDIT_CONSUMER,
    DEAD_LETTER_STREAM,
    ORDERS_STREAM,
    STATE_BUCKET,
)

_REMOVED = ("KV-Operation", "Nats-Marker-Reason")
"""Headers of a deletion mark, which is no value: ours, or the server's when a key has expired."""
_MESSAGES_AT_ONCE = 1000


class _PolicyState(msgspec.Struct):
    unresolved: int = 0
    halted: ReconcilerHalted | None = None


class _StoredAccount(msgspec.Struct):
    """What is read here of the value of an account in the state bucket, by its names there."""

    record: AccountRecord
    standing: _PolicyState = msgspec.field(default_factory=_PolicyState)
    gaps: tuple[Gap, ...] = ()


class AccountLine(msgspec.Struct, frozen=True, kw_only=True):
    """One account, as the bus knows it."""

    network_id: int
    account: str
    ledger_index: int
    """The last ledger that is read and committed."""
    open_orders: tuple[Order, ...]
    """By sequence."""
    permission: TradingPermission | None
    """What its engine may do; None: nobody has said so in time, which means stop."""
    halted: str | None
    """Why it waits for an operator."""
    unresolved: int
    """Disappearances that nothing explains, since it was adopted or last resumed."""
    missing_ledgers: tuple[str, ...]


class BusState(msgspec.Struct, frozen=True, kw_only=True):
    """All accounts, and what waits."""

    accounts: tuple[AccountLine, ...]
    replicas: int
    """Reconcilers that live now."""
    unwritten: int
    """Events that the audit writer has not stored yet."""
    dead_letters: int


async def read_bus_state(jetstream: JetStreamContext) -> BusState:
    """Read it all at one moment, more or less.

    Raises:
        nats.errors.Error: the bus does not answer, or has no such streams.

    """
    values = await _values(jetstream, STATE_BUCKET)
    permissions = await _permissions(jetstream)
    orders: dict[str, list[Order]] = {}
    for key, value in values.items():
        prefix, _, name = key.partition(".order.")
        if name:
            order = msgspec.json.decode(value, type=Order)
            if not order.ended:
                orders.setdefault(prefix, []).append(order)
    accounts = []
    for key, value in sorted(values.items()):
        prefix, _, name = key.rpartition(".")
        if name == "account" and prefix.count(".") == 1:
            stored = msgspec.json.decode(value, type=_StoredAccount)
            accounts.append(_line(stored, orders.get(prefix, []), permissions.get(prefix)))
    writer = await jetstream.consumer_info(ORDERS_STREAM, AUDIT_CONSUMER)
    letters = await jetstream.stream_info(DEAD_LETTER_STREAM)
    return BusState(
        accounts=tuple(accounts),
        replicas=sum(key.startswith("replica.") and bool(value) for key, value in values.items()),
        unwritten=(writer.num_pending or 0) + (writer.num_ack_pending or 0),
        dead_letters=letters.state.messages,
    )


def _line(stored: _StoredAccount, orders: list[Order], permission: TradingPermission | None) -> AccountLine:
    halted = stored.standing.halted
    return AccountLine(
        network_id=stored.record.network_id,
        account=stored.record.account,
        ledger_index=stored.record.ledger_index,
        open_orders=tuple(sorted(orders, key=lambda order: order.sequence)),
        permission=permission,
        halted=None if halted is None else halted.reason,
        unresolved=stored.standing.unresolved,
        missing_ledgers=tuple(gap.name for gap in stored.gaps),
    )


async def _permissions(jetstream: JetStreamContext) -> dict[str, TradingPermission]:
    try:
        values = await _values(jetstream, PERMISSION_BUCKET)
    except nats.js.errors.NotFoundError:
        return {}
    return {key: msgspec.json.decode(value, type=TradingPermission) for key, value in values.items()}


async def _values(jetstream: JetStreamContext, bucket: str) -> dict[str, bytes]:
    return {key: message.data for key, message in (await bucket_messages(jetstream, bucket)).items()}


async def bucket_messages(jetstream: JetStreamContext, bucket: str, keys: str = ">") -> dict[str, Msg]:
    """Return the newest message of each key of a bucket, of those that `keys` matches.

    By a consumer that is made for it: nats-py's watch takes a bucket for empty while the server's messages
    still wait in the client.
    """
    stream = f"KV_{bucket}"
    last_of_each_key = ConsumerConfig(
        deliver_policy=DeliverPolicy.LAST_PER_SUBJECT,
        ack_policy=AckPolicy.NONE,
        filter_subject=f"$KV.{bucket}.{keys}",
        inactive_threshold=30.0,
        mem_storage=True,
    )
    reader = await jetstream.add_consumer(stream, last_of_each_key)
    subscription = await jetstream.pull_subscribe_bind(consumer=reader.name, stream=stream)
    messages: dict[str, Msg] = {}
    left = reader.num_pending or 0
    try:
        while left:
            for message in await subscription.fetch(min(left, _MESSAGES_AT_ONCE)):
                left = message.metadata.num_pending
                if not (message.headers and any(mark in message.headers for mark in _REMOVED)):
                    messages[message.subject.removeprefix(f"$KV.{bucket}.")] = message
    finally:
        await subscription.unsubscribe()
        await jetstream.delete_consumer(stream, reader.name)
    return messages
