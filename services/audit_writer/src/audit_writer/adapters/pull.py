"""FastStream's pull loop, made to lose no time over messages that it has already collected."""

import asyncio
import contextlib
import time
from typing import cast

import nats.errors
from faststream.nats.subscriber.usecases import BatchPullStreamSubscriber
from nats.aio.msg import Msg
from nats.js import JetStreamContext

DRAIN_SECONDS = 5.0
NOTE_SECONDS = 0.01


class Pull:
    """Stands between FastStream's loop and the subscription that it fetches from.

    The loop fetches until a batch is full or its time is up, and forgets what it has collected

    1. when nats-py says that time is up with asyncio's TimeoutError instead of its own, which it does when
       a request has less than 0.1 ms left, and
    2. when the broker stops meanwhile; then requests that are still open bring more that nobody takes.

    Both times the messages would come again only after the consumer's ack_wait.
    """

    def __init__(self, subscriber: BatchPullStreamSubscriber) -> None:
        self._subscriber = subscriber
        self._subscription: JetStreamContext.PullSubscription | None = None
        self._asked_until = 0.0
        self._draining = False
        self._drained = asyncio.Event()

    def stand_between(self) -> None:
        """Take the place of the subscription, once the subscriber has started."""
        self._subscription = self._subscriber.subscription
        self._subscriber.subscription = cast("JetStreamContext.PullSubscription", self)

    async def fetch(self, batch: int, timeout: float) -> list[Msg]:  # noqa: ASYNC109 - FastStream's call
        """Return up to `batch` messages; raises nats.errors.TimeoutError if none came in time."""
        if self._draining:
            return await self._rest(batch)
        self._asked_until = time.monotonic() + timeout
        try:
            return await self._opened.fetch(batch=batch, timeout=timeout)
        except TimeoutError as error:
            raise nats.errors.TimeoutError from error

    async def drain(self) -> None:
        """Have the loop handle what it has collected and take nothing more; waits up to 5 s for that."""
        if self._subscription is None:
            return
        self._draining = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                await self._drained.wait()

    async def unsubscribe(self) -> None:
        """Leave the subscription."""
        await self._opened.unsubscribe()

    @property
    def _opened(self) -> JetStreamContext.PullSubscription:
        if self._subscription is None:
            raise RuntimeError("fetched from before the subscriber has started")
        return self._subscription

    async def _rest(self, batch: int) -> list[Msg]:
        """Have the loop hand over what it has, then return what open requests bring, then nothing more."""
        if batch < self._subscriber.pull_sub.batch_size:
            raise nats.errors.TimeoutError
        await asyncio.sleep(max(0.0, self._asked_until - time.monotonic()))
        rest: list[Msg] = []
        for _ in range(self._opened.pending_msgs):
            with contextlib.suppress(TimeoutError):  # what waits here may also be a note of the server's
                rest += await self._opened.fetch(batch=1, timeout=NOTE_SECONDS)
        if not rest:
            self._drained.set()
            await asyncio.Event().wait()  # until the loop is cancelled
        return rest
