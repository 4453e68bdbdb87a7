"""`fillproof dead-letters`: messages that were set aside, and giving those of the writer to it again."""

import asyncio
import base64
import sys
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import nats.js.errors
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from rich.console import Console
from rich.progress import track

from console.errors import BadOption
from console.fitted_tables import Column, print_table
from console.fitting import print_sentence
from console.stream_reading import bus_at
from console.tables import printable, screen
from order_events.subjects import (
    DEAD_LETTER_STREAM,
    DEAD_LETTER_SUBJECTS,
    ENGINE_STREAM,
    ORIGIN_SEQUENCE,
    ORIGIN_STREAM,
    ORIGIN_SUBJECT,
    REASON,
    REDELIVERY_STREAM,
    redelivery_subject,
)

CONFIRM_SECONDS = 5.0
TAKEN_SECONDS = 10.0
"""So long an audit writer may take until what was sent again is stored, or refused again."""
POLL_SECONDS = 0.1
NO_SUCH_MESSAGE = 10057
SHOWN_PAYLOAD = 40
UNKNOWN = "?"


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter; `id` is its sequence in the dead-letter stream."""

    id: int
    time: datetime
    """When it was written, UTC."""
    stream: str
    """Where the message first came from; `?` where its headers do not say."""
    stream_sequence: str
    subject: str
    reason: str
    payload: bytes

    @property
    def origin(self) -> tuple[str, str]:
        """Stream and sequence."""
        return self.stream, self.stream_sequence


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What became of letters that were sent again."""

    stored: int
    waiting: int
    """Not taken by any audit writer yet: they wait in the redelivery stream."""
    refused: list[Letter]
    """The dead letters that they became again."""


def find(nats_url: str, ids: Collection[int]) -> list[Letter]:
    """Return all dead letters, or those with these ids, the oldest first.

    Raises:
        BadOption: no bus answers there, its streams were never made, or there is no such id.

    """
    with screen(stderr=True).status("reading dead letters"):
        return asyncio.run(_find(nats_url, ids))


def resendable(letters: Sequence[Letter], ids: Collection[int]) -> list[Letter]:
    """Return the letters that the audit writer refused; announcements are for the engine to mend and repeat.

    Raises:
        BadOption: one of the `ids` is an announcement.

    """
    announcements = [letter.id for letter in letters if letter.stream == ENGINE_STREAM]
    if ids and announcements:
        raise BadOption(
            "expected what the audit writer refused, found malformed announcements of an engine: "
            f"{', '.join(map(str, announcements))}; mend the engine and let it announce again"
        )
    return [letter for letter in letters if letter.stream != ENGINE_STREAM]


def show(letters: Sequence[Letter], *, as_json: bool) -> None:
    """Print them: a table for a person, or one JSON object a line."""
    if as_json:
        sys.stdout.writelines(msgspec.json.encode(told(letter)).decode() + "\n" for letter in letters)
        return
    if letters:
        print_table(screen(), "Dead letters", COLUMNS, rows(letters))
    else:
        screen().print("No dead letters.")


def send_again(nats_url: str, letters: Sequence[Letter], *, as_json: bool) -> bool:
    """Give letters to the audit writer again, say what became of them and return whether all are stored.

    Each is deleted once the bus has confirmed it. Doing so twice stores nothing twice.

    Raises:
        BadOption: no bus answers there, or its streams were never made.

    """
    sent = asyncio.run(_send_again(nats_url, letters, screen(stderr=True)))
    if as_json:
        fields = {**msgspec.structs.asdict(sent), "refused": [told(letter) for letter in sent.refused]}
        sys.stdout.write(msgspec.json.encode(fields).decode() + "\n")
    else:
        for line in outcome(sent):
            print_sentence(screen(), line)
        if sent.refused:
            show(sent.refused, as_json=False)
    return sent.stored == len(letters)


COLUMNS = (
    Column("id", "right"),
    Column("time (UTC)", drop=2),
    Column("from", "right", drop=1),
    Column("subject", drop=3),
    Column("reason", wraps=True),
    Column("payload", drop=4),
)


def rows(letters: Sequence[Letter]) -> list[list[str]]:
    """Return the letters as cells for a person."""
    return [
        [
            f"{letter.id}",
            f"{letter.time:%Y-%m-%d %H:%M:%S}",
            ":".join(letter.origin),
            printable(letter.subject),
            printable(letter.reason),
            printable(letter.payload[:SHOWN_PAYLOAD].decode(errors="replace")),
        ]
        for letter in letters
    ]


def told(letter: Letter) -> dict[str, Any]:
    """Return a letter for machines: the payload as text, or as base64 where it is none."""
    fields = msgspec.structs.asdict(letter)
    try:
        return {**fields, "payload": letter.payload.decode(), "payload_base64": None}
    except UnicodeDecodeError:
        return {**fields, "payload": None, "payload_base64": base64.b64encode(letter.payload).decode()}


def outcome(sent: Sent) -> Iterator[str]:
    """Say in lines what became of letters that were sent again."""
    yield f"{sent.stored} stored, {len(sent.refused)} refused again, {sent.waiting} waiting"
    if sent.waiting:
        yield (
            f"No audit writer took what waits within {TAKEN_SECONDS:g} s: it stands in the stream "
            f"{REDELIVERY_STREAM} and is stored when one runs."
        )


async def _find(nats_url: str, ids: Collection[int]) -> list[Letter]:
    async with bus_at(nats_url) as jetstream:
        letters = [letter async for letter in letters_from(jetstream, 1)]
    if missing := set(ids) - {letter.id for letter in letters}:
        raise BadOption(
            f"expected the id of a dead letter, found {', '.join(map(str, sorted(missing)))}: "
            "`fillproof dead-letters` lists those that there are"
        )
    return [letter for letter in letters if not ids or letter.id in ids]


async def letters_from(jetstream: JetStreamContext, first: int) -> AsyncIterator[Letter]:
    """Yield the dead letters from that sequence on, the oldest first."""
    last = (await jetstream.stream_info(DEAD_LETTER_STREAM)).state.last_seq
    while first <= last:
        try:
            message = await jetstream.get_msg(
                DEAD_LETTER_STREAM, seq=first, subject=DEAD_LETTER_SUBJECTS[0], next=True
            )
        except nats.js.errors.NotFoundError:
            return
        letter = _letter(message)
        yield letter
        first = letter.id + 1


def _letter(message: RawStreamMsg) -> Letter:
    headers = message.headers or {}
    return Letter(
        id=message.seq or 0,
        time=(message.time or datetime.fromtimestamp(0, UTC)).astimezone(UTC),
        stream=headers.get(ORIGIN_STREAM, UNKNOWN),
        stream_sequence=headers.get(ORIGIN_SEQUENCE, UNKNOWN),
        subject=headers.get(ORIGIN_SUBJECT, message.subject or UNKNOWN),
        reason=headers.get(REASON, UNKNOWN),
        payload=message.data or b"",
    )


async def _send_again(nats_url: str, letters: Sequence[Letter], console: Console) -> Sent:
    async with bus_at(nats_url) as jetstream:
        newest = (await jetstream.stream_info(DEAD_LETTER_STREAM)).state.last_seq
        shown = track(letters, "sending", console=console, transient=True, disable=not console.is_terminal)
        positions = [await send(jetstream, letter) for letter in shown]
        waiting = await untaken(jetstream, positions)
        origins = {letter.origin for letter in letters}
        refused = [letter async for letter in letters_from(jetstream, newest + 1) if letter.origin in origins]
    return Sent(stored=len(letters) - waiting - len(refused), waiting=waiting, refused=refused)


async def send(jetstream: JetStreamContext, letter: Letter) -> int:
    """Publish a letter to the audit writer alone, then delete it; returns its sequence in that stream."""
    headers = {
        ORIGIN_STREAM: letter.stream,
        ORIGIN_SEQUENCE: letter.stream_sequence,
        ORIGIN_SUBJECT: letter.subject,
        # sent twice, because it could not be deleted or by two people at once, it is still one message
        "Nats-Msg-Id": f"{DEAD_LETTER_STREAM}.{letter.id}.{letter.time.timestamp()}",
    }
    confirmed = await jetstream.publish(
        redelivery_subject(letter.subject),
        letter.payload,
        stream=REDELIVERY_STREAM,
        timeout=CONFIRM_SECONDS,
        headers=headers,
    )
    try:
        await jetstream.delete_msg(DEAD_LETTER_STREAM, letter.id)
    except nats.js.errors.ServerError as error:
        if error.err_code != NO_SUCH_MESSAGE:  # somebody else has just sent it, too
            raise
    return confirmed.seq


async def untaken(jetstream: JetStreamContext, positions: Sequence[int]) -> int:
    """Wait until the audit writer has answered all; returns how many are left when that takes too long."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + TAKEN_SECONDS
    while True:
        # answered messages leave this stream
        state = (await jetstream.stream_info(REDELIVERY_STREAM)).state
        left = sum(position >= state.first_seq for position in positions) if state.messages else 0
        if not left or loop.time() > deadline:
            return left
        await asyncio.sleep(POLL_SECONDS)
