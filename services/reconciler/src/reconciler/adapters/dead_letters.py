"""Dead letters: announcements that can't be read, published to stream DLQ beside the accounts.

Plain nats-py, as the feed that finds them: the message goes as it came, with the reason in its headers.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial

import structlog
from nats.aio.client import Client
from nats.js.api import RawStreamMsg

from order_events.subjects import (
    ANNOUNCEMENT_READER,
    DEAD_LETTER_STREAM,
    ENGINE_STREAM,
    ORIGIN_SEQUENCE,
    ORIGIN_STREAM,
    ORIGIN_SUBJECT,
    REASON,
    dead_letter_subject,
    one_line,
)
from reconciler.adapters.retry import until_done
from reconciler.metrics import Metrics

_log = structlog.get_logger()

_MOST_WAITING = 1000
"""Letters that wait for the bus; further ones are only counted and logged."""
_LONGEST_LETTER = 65_536
"""Bytes of the message that a letter holds: with its headers, a longer one may exceed the bus's limit."""
_CONFIRM_SECONDS = 5.0


class DeadLetters:
    """Publishes letters one after the other, for as long as there are some; nobody waits for them."""

    def __init__(self, client: Callable[[], Client], metrics: Metrics) -> None:
        """`client`: the bus connection; it raises while there is none."""
        self._client = client
        self._metrics = metrics
        self._waiting: deque[tuple[RawStreamMsg, str]] = deque()
        self._publishing: asyncio.Task[None] | None = None

    def send(self, message: RawStreamMsg, reason: str) -> None:
        """Publish a message of stream ENGINE as a dead letter, soon."""
        if len(self._waiting) >= _MOST_WAITING:
            _log.error("no dead letter written: too many wait for the bus", sequence=message.seq)
            return
        self._waiting.append((message, reason))
        if self._publishing is None or self._publishing.done():
            self._publishing = asyncio.create_task(self._publish_all())

    async def _publish_all(self) -> None:
        while self._waiting:
            publish = partial(self._publish, *self._waiting[0])
            await until_done("dead letters", publish, self._metrics)
            self._waiting.popleft()

    async def _publish(self, message: RawStreamMsg, reason: str) -> None:
        headers = {
            ORIGIN_STREAM: ENGINE_STREAM,
            ORIGIN_SEQUENCE: str(message.seq),
            ORIGIN_SUBJECT: message.subject or "",
            REASON: one_line(reason),
            # the same message, read again after a restart or by another replica, is one dead letter
            "Nats-Msg-Id": f"{ANNOUNCEMENT_READER}.{ENGINE_STREAM}.{message.seq}",
        }
        await (
            self._client()
            .jetstream()
            .publish(
                dead_letter_subject(ANNOUNCEMENT_READER),
                (message.data or b"")[:_LONGEST_LETTER],
                stream=DEAD_LETTER_STREAM,
                timeout=_CONFIRM_SECONDS,
                headers=headers,
            )
        )
