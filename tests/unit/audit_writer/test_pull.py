"""FastStream's own pull loop, on a subscription that behaves as nats-py's does at its worst."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any, cast

import nats.errors
import pytest
from faststream.nats import JStream, NatsBroker, PullSub
from nats.aio.msg import Msg

from audit_writer.adapters.pull import Pull

BATCH = 10
SECONDS = 5


def message(number: int) -> Msg:
    return Msg(_client=cast("Any", None), subject=f"order.{number}")


class Subscription:
    """Answers each request with the next of `answers`; `waiting` came for requests that are still open."""

    def __init__(self, answers: Iterable[list[Msg] | Exception]) -> None:
        self._answers = iter(answers)
        self.waiting: list[Msg] = []

    @property
    def pending_msgs(self) -> int:
        return len(self.waiting)

    async def fetch(self, batch: int, timeout: float) -> list[Msg]:  # noqa: ASYNC109 - nats-py's call
        if self.waiting and batch == 1:
            return [self.waiting.pop(0)]
        answer = next(self._answers, None)
        if answer is None:
            await asyncio.sleep(timeout)
            raise nats.errors.TimeoutError
        if isinstance(answer, Exception):
            raise answer
        return answer


class Loop:
    """FastStream's loop, running on a subscription; `batches` are those that the handler got."""

    def __init__(self, subscription: Subscription, *, seconds: float) -> None:
        broker = NatsBroker()
        pull_sub = PullSub(batch_size=BATCH, timeout=seconds, batch=True)
        self._subscriber = broker.subscriber("order.>", stream=JStream("ORDERS"), pull_sub=pull_sub)
        self._subscriber.subscription = cast("Any", subscription)
        self._subscriber.running = True
        self._subscriber.consume = cast("Any", self._consume)  # type: ignore[method-assign]
        self.batches: list[list[str]] = []
        self.handled = asyncio.Event()
        self.pull = Pull(self._subscriber)
        self.pull.stand_between()
        self.task = asyncio.create_task(self._subscriber._consume_pull())  # noqa: SLF001 - the loop itself

    async def _consume(self, batch: list[Msg]) -> None:
        self.batches.append([one.subject for one in batch])
        self.handled.set()


@pytest.fixture
async def started() -> AsyncIterator[list[Loop]]:
    """Loops to end with the test."""
    loops: list[Loop] = []
    yield loops
    for loop in loops:
        loop.task.cancel()
        await asyncio.wait([loop.task])


@pytest.mark.parametrize("late", [TimeoutError(), nats.errors.TimeoutError()])
async def test_a_part_of_a_batch_is_handled_however_the_end_of_the_time_is_told(
    started: list[Loop], late: Exception
) -> None:
    loop = Loop(Subscription([[message(1)], [message(2)], late]), seconds=60)
    started.append(loop)
    await asyncio.wait_for(loop.handled.wait(), SECONDS)
    assert loop.batches == [["order.1", "order.2"]]
    assert not loop.task.done()


async def test_a_stop_hands_over_what_was_collected_and_what_open_requests_still_bring(
    started: list[Loop],
) -> None:
    subscription = Subscription([[message(1)]])
    loop = Loop(subscription, seconds=0.1)
    started.append(loop)
    await asyncio.sleep(0)  # the loop has asked
    subscription.waiting = [message(2), message(3)]
    await asyncio.wait_for(loop.pull.drain(), SECONDS)
    assert [subject for batch in loop.batches for subject in batch] == ["order.1", "order.2", "order.3"]


async def test_a_stop_before_the_start_waits_for_nothing() -> None:
    subscriber = NatsBroker().subscriber("order.>", stream=JStream("ORDERS"), pull_sub=PullSub(batch=True))
    await asyncio.wait_for(Pull(subscriber).drain(), 1)
    assert subscriber.subscription is None
