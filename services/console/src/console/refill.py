"""`fillproof refill`: what the audit store lacks is given to it again, as far as the bus has it.

1. Events that are on stream ORDERS and not stored are sent to the audit writer again.
2. Messages that are gone from the bus as well are named with their ledgers, which can be read again.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from console.dead_letters import letters_from, untaken
from console.proof.connecting import connected
from console.stream_reading import bus_at, messages_of
from order_events import Malformed, OrderEvent, ReconcilerEvent, decode
from order_events.subjects import (
    AUDIT_CONSUMER,
    ORDERS_STREAM,
    ORIGIN_IDENTITY,
    ORIGIN_SEQUENCE,
    ORIGIN_STREAM,
    ORIGIN_SUBJECT,
    REDELIVERY_STREAM,
    redelivery_subject,
)

CONFIRM_SECONDS = 5.0

_UNSTORED = """
    SELECT event_id FROM unnest($1::uuid[]) AS told (event_id)
    WHERE NOT EXISTS (SELECT FROM public.order_event AS event WHERE event.event_id = told.event_id)
"""
_GONE = """
    SELECT identity, first_sequence, last_sequence, first_ledger, last_ledger
    FROM public.missing_sequence WHERE stream = $1 ORDER BY identity, first_sequence
"""
_ACCOUNTS = "SELECT DISTINCT account FROM public.order_event ORDER BY account"
_KNOWN = """
    UPDATE public.stream_watch SET known = known + $3::text::int8multirange
    WHERE stream = $1 AND identity = $2
"""
_REBUILT = """
    UPDATE public.stream_watch
    SET known = known + $3::text::int8multirange, lost = lost - $3::text::int8multirange
    WHERE stream = $1 AND identity = $2
"""


class Unstored(msgspec.Struct, frozen=True, kw_only=True):
    """An event that is on the bus and not in the store, though the audit writer is done with it."""

    sequence: int
    event_id: UUID
    account: str
    ledger_index: int | None


class Gone(msgspec.Struct, frozen=True, kw_only=True):
    """Messages of stream ORDERS that neither the bus nor the store has."""

    identity: datetime
    """When the stream was created that they were of."""
    first_sequence: int
    last_sequence: int
    first_ledger: int | None
    """Their events are of ledgers from here; None: not known."""
    last_ledger: int | None
    """And up to here; None: the newest."""


class Refilled(msgspec.Struct, frozen=True, kw_only=True):
    """What was done, and what is left to do."""

    sent: int
    """Events that were sent to the audit writer again."""
    waiting: int
    """Of those: not taken by an audit writer yet."""
    gone: Sequence[Gone]
    accounts: Sequence[str]
    """The accounts that have events in the store."""


def refill(database: str, nats_url: str) -> Refilled:
    """Send what is on the bus and not stored to the audit writer again, and return what is gone.

    Raises:
        BadOption: the database or the bus can't be used.

    """
    return asyncio.run(_refill(database, nats_url))


def note_rebuilt(database: str, gone: Sequence[Gone]) -> None:
    """Note that the events of lost messages were read from the ledger again: they are missing no more.

    Raises:
        BadOption: the database can't be used.

    """

    async def note() -> None:
        async with connected(database) as connection:
            for one in gone:
                sequences = range(one.first_sequence, one.last_sequence + 1)
                await connection.execute(_REBUILT, ORDERS_STREAM, one.identity, _ranges(sequences))

    asyncio.run(note())


async def unstored(
    connection: asyncpg.Connection, jetstream: JetStreamContext
) -> AsyncIterator[tuple[Unstored, Msg]]:
    """Yield the events of stream ORDERS that are not stored though the audit writer is done with them."""
    consumer = await jetstream.consumer_info(ORDERS_STREAM, AUDIT_CONSUMER)
    done = consumer.ack_floor.stream_seq if consumer.ack_floor else 0
    apart = await _set_apart(jetstream)
    async for messages in messages_of(jetstream, ORDERS_STREAM):
        told = {}
        for message in messages:
            sequence = message.metadata.sequence.stream
            event = _event(message)
            if event is not None and sequence <= done and sequence not in apart:
                one = Unstored(
                    sequence=sequence,
                    event_id=event.event_id,
                    account=event.account,
                    ledger_index=event.ledger_index,
                )
                told[event.event_id] = (one, message)
        for row in await connection.fetch(_UNSTORED, list(told)):
            yield told[row["event_id"]]


async def gone_messages(connection: asyncpg.Connection) -> list[Gone]:
    """Return what the audit writer has found missing."""
    return [Gone(**row) for row in await connection.fetch(_GONE, ORDERS_STREAM)]


async def _refill(database: str, nats_url: str) -> Refilled:
    async with connected(database) as connection, bus_at(nats_url) as jetstream:
        created = (await jetstream.stream_info(ORDERS_STREAM)).created
        positions = [
            await _send(jetstream, message, created) async for _, message in unstored(connection, jetstream)
        ]
        waiting = await untaken(jetstream, positions)
        if not waiting and created is not None:
            missing = [
                range(one.first_sequence, one.last_sequence + 1)
                for one in await gone_messages(connection)
                if one.identity == created
            ]
            there = await _present(jetstream) | await _set_apart(jetstream)
            found = sorted(number for number in there if any(number in span for span in missing))
            await connection.execute(_KNOWN, ORDERS_STREAM, created, _ranges(found))
        gone = await gone_messages(connection)
        accounts = [row[0] for row in await connection.fetch(_ACCOUNTS)]
    return Refilled(sent=len(positions), waiting=waiting, gone=gone, accounts=accounts)


async def _send(jetstream: JetStreamContext, message: Msg, created: datetime | None) -> int:
    sequence = message.metadata.sequence.stream
    identity = created.isoformat() if created else ""
    headers = {
        ORIGIN_STREAM: ORDERS_STREAM,
        ORIGIN_SEQUENCE: str(sequence),
        ORIGIN_SUBJECT: message.subject,
        ORIGIN_IDENTITY: identity,
        "Nats-Msg-Id": f"{ORDERS_STREAM}.{identity}.{sequence}",
    }
    confirmed = await jetstream.publish(
        redelivery_subject(message.subject),
        message.data,
        stream=REDELIVERY_STREAM,
        timeout=CONFIRM_SECONDS,
        headers=headers,
    )
    return confirmed.seq


async def _present(jetstream: JetStreamContext) -> set[int]:
    """Return the sequences that stream ORDERS has and the audit writer is done with."""
    consumer = await jetstream.consumer_info(ORDERS_STREAM, AUDIT_CONSUMER)
    done = consumer.ack_floor.stream_seq if consumer.ack_floor else 0
    found: set[int] = set()
    async for messages in messages_of(jetstream, ORDERS_STREAM):
        found |= {message.metadata.sequence.stream for message in messages}
    return {sequence for sequence in found if sequence <= done}


async def _set_apart(jetstream: JetStreamContext) -> set[int]:
    """Return the sequences of stream ORDERS whose messages are dead letters."""
    return {
        int(letter.stream_sequence)
        async for letter in letters_from(jetstream, 1)
        if letter.stream == ORDERS_STREAM and letter.stream_sequence.isdecimal()
    }


def _event(message: Msg) -> OrderEvent | ReconcilerEvent | None:
    try:
        event = decode(message.data)
    except Malformed:
        return None
    return event if isinstance(event, OrderEvent | ReconcilerEvent) else None


def _ranges(sequences: Collection[int]) -> str:
    """Write ascending numbers as PostgreSQL's multirange."""
    if isinstance(sequences, range):
        return f"{{[{sequences.start},{sequences.stop})}}" if sequences else "{}"
    return f"{{{','.join(f'[{number},{number}]' for number in sequences)}}}"
