"""A dead letter that a person mends: the event that it should have been is stored in its place.

1. The mended event is of the contract, belongs to the letter's subject and has the id that the letter names.
2. What came and what is sent stand on record in the database, with who mended it and why, before it is sent.
3. It is sent as the letter itself would be: to the audit writer alone, and counts as the letter's message.
"""

import asyncio
import hashlib
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from console.dead_letters import Letter, resendable
from console.errors import BadOption
from console.proof.connecting import connected
from order_events import Malformed, OrderEvent, OrdersEvent, ReconcilerEvent, decode
from order_events.subjects import order_subject

_EVENT_ID = re.compile(rb'"event_id"\s*:\s*"([0-9a-fA-F-]{36})"')
"""As it stands in what may be no JSON."""
_NOTE = """
    INSERT INTO public.mended_letter (
        mending_id, mended_by, note, stream, stream_sequence, subject, reason, event_id, came, sent
    )
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    ON CONFLICT DO NOTHING
"""


def mended_event(letter: Letter, payload: bytes) -> OrdersEvent:
    """Return the event that stands for a letter.

    Raises:
        BadOption: the letter is an engine's announcement, or `payload` is not the event that it stands for.

    """
    resendable([letter], [letter.id])
    try:
        payload.decode()
        event = decode(payload)
    except (Malformed, UnicodeDecodeError) as error:
        raise BadOption(f"expected an event of stream ORDERS (docs/asyncapi), found: {error}") from error
    if not isinstance(event, OrderEvent | ReconcilerEvent):
        raise BadOption(f"expected an event of stream ORDERS, found {event.__struct_config__.tag}")
    if order_subject(event) != letter.subject:
        raise BadOption(f"expected an event of subject {letter.subject}, found {order_subject(event)}")
    named = _EVENT_ID.search(letter.payload)
    if named is not None and named[1].decode().lower() != str(event.event_id):
        raise BadOption(f"expected the letter's event_id {named[1].decode()}, found {event.event_id}")
    return event


def changed_fields(letter: Letter, payload: bytes) -> Iterator[str]:
    """Say in lines which fields differ from what came; nothing where that was no JSON object."""
    came, sent = _object(letter.payload), _object(payload)
    for name in sorted(came.keys() | sent.keys()) if came else ():
        if came.get(name, msgspec.UNSET) != sent.get(name, msgspec.UNSET):
            yield f"{name}: {_written(came, name)} -> {_written(sent, name)}"


def note_mending(database: str, letter: Letter, payload: bytes, *, by: str, note: str) -> Letter:
    """Put on record what is sent in the letter's place, and return the letter with that payload.

    Raises:
        BadOption: as `mended_event`; nobody is named, or no reason; the database can't be used.

    """
    event = mended_event(letter, payload)
    if not by.strip() or not note.strip():
        raise BadOption("expected who mends it (--by) and why (--note), found an empty one")
    facts = "\n".join((*letter.origin, letter.payload.hex(), payload.hex()))

    async def put_down() -> None:
        async with connected(database) as connection, connection.transaction():
            await connection.execute(
                _NOTE, hashlib.sha256(facts.encode()).hexdigest(), by.strip(), note.strip(), *letter.origin,
                letter.subject, letter.reason, event.event_id, letter.payload, payload,
            )  # fmt: skip

    asyncio.run(put_down())
    return msgspec.structs.replace(letter, payload=payload)


def _object(payload: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _written(fields: dict[str, Any], name: str) -> str:
    return msgspec.json.encode(fields[name]).decode() if name in fields else "(missing)"
