"""Takes messages from a durable consumer and hands them to FastStream's handler, batch by batch.

It stands in for FastStream's own pull loop, which fetches nothing while a batch is handled and, where it is
stopped or a request times out, forgets what it has collected until the consumer's ack_wait is over: see
docs/adr/0007.

1. While batches are handled the next one is on its way: requests stay open for it.
2. Two batches are handled at once: one is read and acknowledged while the other is in the database.
3. What has arrived is held like what is being handled: it is not delivered again for having waited.
4. At a stop nothing more is asked for; what open requests still bring is handled or given back.
5. Where nobody answers (no server, no such consumer) it asks once a second.
"""

import asyncio
import contextlib
import json
import time
from collections import deque
from collections.abc import Callable, Coroutine

import nats.errors
from faststream.nats import NatsBroker
from faststream.nats.subscriber.usecases import LogicSubscriber
from nats.aio.client import Client
from nats.aio.msg import Msg

from order_events.subjects import AUDIT_CONSUMER

AT_ONCE = 2
AHEAD = 2
"""So many batches may have arrived, or be asked for, beside those that are handled."""
REQUEST_SECONDS = 1.0
"""So long a request stays open; a stop waits for its end."""
LATE_SECONDS = 0.5
"""So much later a request counts as lost that the server has not ended."""
DRAIN_SECONDS = 5.0

STATUS = "Status"
TIME_IS_UP = "408"
UNDELIVERED = "Nats-Pending-Messages"
"""How many of its messages a request that is over did not bring."""


class Requests:
    """What the server was asked for, and what has arrived and waits to be handled."""

    def __init__(self, *, stream: str, batch_size: int) -> None:
        self.arrived: deque[Msg] = deque()
        self.changed = asyncio.Event()
        """Set by the first message, by a full batch and by the end of a request."""
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{AUDIT_CONSUMER}"
        self._batch_size = batch_size
        self._open = 0
        """How many messages may still arrive."""
        self._asked_until = 0.0
        self._ask_from = 0.0
        self._client: Client | None = None
        self._inbox = ""

    async def start(self, client: Client) -> None:
        """Listen for what is asked for."""
        self._client, self._inbox = client, client.new_inbox()
        await client.subscribe(self._inbox, cb=self._take)

    async def ask(self) -> None:
        """Ask for as many messages as there is room for, once that is worth a request."""
        now = time.monotonic()
        if now > self._asked_until + LATE_SECONDS:
            self._open = 0  # the server has forgotten them
        room = AHEAD * self._batch_size - self._open - len(self.arrived)
        if (
            2 * room < self._batch_size
            or now < self._ask_from
            or self._client is None
            or not self._client.is_connected
        ):
            return
        self._open += room
        self._asked_until = now + REQUEST_SECONDS
        request = {"batch": room, "expires": int(REQUEST_SECONDS * 1e9)}
        with contextlib.suppress(nats.errors.Error):
            await self._client.publish(self._subject, json.dumps(request).encode(), reply=self._inbox)

    def still_open(self) -> bool:
        """Whether something may still arrive that was asked for."""
        return self._open > 0 and time.monotonic() <= self._asked_until + LATE_SECONDS

    async def _take(self, message: Msg) -> None:
        if message.reply:
            self._open -= 1
            self.arrived.append(message)
            if len(self.arrived) in {1, self._batch_size}:
                self.changed.set()
            return
        end = message.headers or {}
        self._open -= int(end.get(UNDELIVERED, self._open))
        if end.get(STATUS) != TIME_IS_UP:
            self._ask_from = self._asked_until  # nobody is there: to ask again at once would only spin
        self.changed.set()


class Pull:
    """The subscription of a FastStream subscriber; the consumer must exist."""

    def __init__(  # noqa: PLR0913 - a batch's limits, all by keyword
        self,
        broker: NatsBroker,
        subscriber: LogicSubscriber[list[Msg]],
        *,
        stream: str,
        batch_size: int,
        batch_seconds: float,
        hold_every: float,
    ) -> None:
        """Become the subscription of `subscriber`.

        Args:
            broker: its connection is used once :meth:`start` is called.
            subscriber: declared with a handler, and not started yet.
            stream: where the consumer `audit-writer` is.
            batch_size: messages in a batch at most.
            batch_seconds: after which a batch is handled that is not full.
            hold_every: seconds, well below the consumer's ack_wait.

        """
        self._broker = broker
        self._subscriber = subscriber
        self._size = batch_size
        self._seconds = batch_seconds
        self._hold_every = hold_every
        self._requests = Requests(stream=stream, batch_size=batch_size)
        self._turn = asyncio.Lock()
        self._draining = False
        self._tasks: list[asyncio.Task[None]] = []
        # a subscriber that has a subscription starts no loop of its own
        subscriber.subscription = self

    async def start(self) -> None:
        """Begin to take messages; the broker has started."""
        await self._requests.start(self._broker.connection)
        self._tasks = [asyncio.create_task(self._handle()) for _ in range(AT_ONCE)]
        self._holding = asyncio.create_task(self._hold())

    async def drain(self) -> None:
        """Handle what was asked for and take nothing more; waits up to 5 s and gives back the rest."""
        self._draining = True
        self._requests.changed.set()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=DRAIN_SECONDS)
            self._holding.cancel()
            await self._answer_all(Msg.nak)
            self._requests.arrived.clear()

    async def unsubscribe(self) -> None:
        """Be asked by FastStream to end: everything has been done by then."""

    async def _handle(self) -> None:
        while batch := await self._batch():
            await self._subscriber.consume(batch)

    async def _batch(self) -> list[Msg]:
        """Return what arrives until a batch is full or its time is up; nothing once all is drained."""
        arrived = self._requests.arrived
        async with self._turn:
            while not arrived and not self._drained():
                await self._more(LATE_SECONDS)
            ends = time.monotonic() + self._seconds
            while len(arrived) < self._size and (left := ends - time.monotonic()) > 0 and not self._draining:
                await self._more(left)
            batch = [arrived.popleft() for _ in range(min(self._size, len(arrived)))]
            await self._ask()
            return batch

    async def _ask(self) -> None:
        if not self._draining:
            await self._requests.ask()

    async def _more(self, seconds: float) -> None:
        """Wait until something arrives, asking for more where that is due."""
        await self._ask()
        self._requests.changed.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._requests.changed.wait()

    def _drained(self) -> bool:
        return self._draining and not self._requests.still_open()

    async def _hold(self) -> None:
        while True:
            await asyncio.sleep(self._hold_every)
            await self._answer_all(Msg.in_progress)

    async def _answer_all(self, answer: Callable[[Msg], Coroutine[None, None, None]]) -> None:
        for message in list(self._requests.arrived):
            with contextlib.suppress(nats.errors.Error):
                await answer(message)
