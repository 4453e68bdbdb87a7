"""Deliveries and dead letters on NATS JetStream."""

from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from typing import Annotated, Any

import nats.errors
import structlog
from faststream.nats import JStream, NatsBroker
from nats.aio.msg import Msg
from pydantic import Field

from audit_writer.ports import Delivery, LetterUndelivered, Source
from order_events.subjects import (
    AUDIT_CONSUMER,
    DEAD_LETTER_STREAM,
    ORDERS_STREAM,
    ORIGIN_IDENTITY,
    ORIGIN_SEQUENCE,
    ORIGIN_STREAM,
    ORIGIN_SUBJECT,
    REASON,
    dead_letter_subject,
    one_line,
)

CONFIRM_SECONDS = 5.0

_CONTRACT = (
    f"A message that can't be stored, as it came. The header `{REASON}` says why; `{ORIGIN_STREAM}`, "
    f"`{ORIGIN_SEQUENCE}` and `{ORIGIN_SUBJECT}` say where it stood."
)

log = structlog.stdlib.get_logger("audit_writer.bus")


class NatsDelivery:
    """A message of a durable consumer; see :class:`audit_writer.ports.Delivery`."""

    def __init__(self, message: Msg, identity: str = "") -> None:
        """Take a message; `identity`: of stream ORDERS, when it was created."""
        self._message = message
        self._identity = identity
        self._answered = False

    @property
    def payload(self) -> bytes:
        """What was published."""
        return self._message.data

    @property
    def position(self) -> str:
        """Where it stands on the bus."""
        metadata = self._message.metadata
        return f"{metadata.stream}.{metadata.sequence.stream}"

    @property
    def source(self) -> Source | None:
        """Where it stands, or first stood, in stream ORDERS."""
        origin = self.origin
        if origin[ORIGIN_STREAM] != ORDERS_STREAM or not origin[ORIGIN_SEQUENCE].isdecimal():
            return None
        identity = (self._message.headers or {}).get(ORIGIN_IDENTITY, self._identity)
        try:
            datetime.fromisoformat(identity)
        except ValueError:
            return None  # not seen yet, or a stranger's header: the event is stored all the same
        return Source(stream=ORDERS_STREAM, identity=identity, sequence=int(origin[ORIGIN_SEQUENCE]))

    @property
    def origin(self) -> Mapping[str, str]:
        """Where it first stood: a dead letter that was sent again says so in its headers."""
        metadata = self._message.metadata
        here = {
            ORIGIN_STREAM: metadata.stream,
            ORIGIN_SEQUENCE: str(metadata.sequence.stream),
            ORIGIN_SUBJECT: self._message.subject,
        }
        headers = self._message.headers or {}
        return {name: headers.get(name, found) for name, found in here.items()}

    async def acknowledge(self) -> None:
        """Say that it is done with."""
        await self._answer(self._message.ack)

    async def terminate(self) -> None:
        """Say that it must not be delivered again."""
        await self._answer(self._message.term)

    async def give_back(self) -> None:
        """Have it delivered again at once, unless it was answered."""
        if not self._answered:
            await self._answer(self._message.nak)

    async def hold(self) -> None:
        """Ask for more time, unless it was answered."""
        if not self._answered:
            await _sent(self._message.in_progress)

    async def _answer(self, answer: Callable[[], Coroutine[None, None, None]]) -> None:
        self._answered = True
        await _sent(answer)


class NatsDeadLetters:
    """The dead-letter stream; see :class:`audit_writer.ports.DeadLetters`."""

    def __init__(self, broker: NatsBroker) -> None:
        """Declare the publisher; `broker` may be connected later."""
        self._publisher = broker.publisher(
            dead_letter_subject(AUDIT_CONSUMER),
            stream=JStream(DEAD_LETTER_STREAM, declare=False),
            timeout=CONFIRM_SECONDS,
            title="DeadLetter",
            description=_CONTRACT,
            schema=Annotated[Any, Field(title="DeadLetter", description="The message as it came.")],
        )

    async def publish(self, delivery: Delivery, reason: str) -> None:
        """Publish the message as it came, the reason and the origin in its headers."""
        headers = {
            **delivery.origin,
            REASON: one_line(reason),
            # the same message again, after a confirmation that was lost, is one dead letter
            "Nats-Msg-Id": f"{AUDIT_CONSUMER}.{delivery.position}",
        }
        try:
            await self._publisher.publish(delivery.payload, headers=headers)
        except nats.errors.Error as error:
            raise LetterUndelivered(repr(error)) from error


async def _sent(send: Callable[[], Coroutine[None, None, None]]) -> None:
    try:
        await send()
    except nats.errors.Error as error:
        log.debug("an answer was not sent", error=repr(error))
