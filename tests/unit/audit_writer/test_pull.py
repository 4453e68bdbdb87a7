"""Messages become batches: none waits for nothing, none is forgotten, and nobody is asked in a spin."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast

import pytest
from faststream.nats import JStream, NatsBroker, PullSub
from nats.aio.msg import Msg
from waiting import limit, until

from audit_writer.adapters import pull
from audit_writer.adapters.pull import AHEAD, AT_ONCE, Pull

SIZE = 10
LONG = 60.0
Take = Callable[[Msg], Awaitable[None]]


class Server:
    """nats-py's client, with the server behind it played by the test."""

    def __init__(self) -> None:
        self.is_connected = True
        self.asked: list[int] = []
        """How many messages each request was for."""
        self.answers: list[tuple[str, bytes]] = []
        self._take: Take | None = None

    def new_inbox(self) -> str:
        return "_INBOX.test"

    async def subscribe(self, _inbox: str, cb: Take) -> None:
        self._take = cb

    async def publish(self, subject: str, payload: bytes = b"", reply: str = "") -> None:
        if reply:
            self.asked.append(json.loads(payload)["batch"])
        else:
            self.answers.append((subject, payload))

    async def deliver(self, *numbers: int) -> None:
        for number in numbers:
            await self._give(
                Msg(_client=cast("Any", self), subject=f"{number}", reply=f"ACK.{number}", data=b"")
            )

    async def end(self, status: str, **headers: str) -> None:
        await self._give(
            Msg(_client=cast("Any", self), subject="_INBOX.test", headers={"Status": status, **headers})
        )

    async def _give(self, message: Msg) -> None:
        assert self._take is not None
        await self._take(message)


class Taking:
    """A Pull on a Server; `batches` are those that the handler got, and `go` lets it finish them."""

    def __init__(self, *, seconds: float = LONG, hold_every: float = LONG) -> None:
        self.server = Server()
        broker = NatsBroker()
        broker_like = cast("Any", type("Broker", (), {"connection": self.server}))
        subscriber = broker.subscriber("order.>", stream=JStream("ORDERS"), pull_sub=PullSub(batch=True))
        subscriber.consume = cast("Any", self._consume)  # type: ignore[method-assign]
        self.batches: list[list[str]] = []
        self.go = asyncio.Event()
        self.go.set()
        self.pull = Pull(
            broker_like,
            subscriber,
            stream="ORDERS",
            batch_size=SIZE,
            batch_seconds=seconds,
            hold_every=hold_every,
        )

    async def _consume(self, batch: list[Msg]) -> None:
        self.batches.append([one.subject for one in batch])
        await self.go.wait()


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no request end but by the test's own doing, however busy the machine is."""
    monkeypatch.setattr(pull, "REQUEST_SECONDS", LONG)


@pytest.fixture
async def started(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[..., Awaitable[Taking]]]:
    """Start one; it is drained at the end."""
    all_of_them: list[Taking] = []

    async def start(**options: float) -> Taking:
        taking = Taking(**options)
        all_of_them.append(taking)
        await taking.pull.start()
        await until(lambda: bool(taking.server.asked))
        return taking

    yield start
    monkeypatch.setattr(pull, "DRAIN_SECONDS", 0.05)
    for taking in all_of_them:
        await taking.pull.drain()


Start = Callable[..., Awaitable[Taking]]


def numbers(first: int, last: int) -> list[str]:
    return [str(number) for number in range(first, last)]


async def test_a_full_batch_is_handled_without_waiting_for_its_time(started: Start) -> None:
    taking = await started(seconds=LONG)
    await taking.server.deliver(*range(SIZE + 3))
    await until(lambda: bool(taking.batches))
    assert taking.batches == [numbers(0, SIZE)]


async def test_a_part_of_a_batch_is_handled_when_its_time_is_up(started: Start) -> None:
    taking = await started(seconds=0.01)
    await taking.server.deliver(1, 2)
    await until(lambda: bool(taking.batches))
    assert taking.batches == [["1", "2"]]


async def test_while_batches_are_handled_the_next_are_asked_for_and_no_more(started: Start) -> None:
    taking = await started()
    taking.go.clear()
    assert taking.server.asked == [AHEAD * SIZE]
    everything = (AT_ONCE + AHEAD) * SIZE
    for number in range(everything):
        await until(lambda number=number: sum(taking.server.asked) > number)
        await taking.server.deliver(number)
    await until(lambda: len(taking.batches) == AT_ONCE)
    assert sum(taking.server.asked) == everything
    taking.go.set()
    await until(lambda: len(taking.batches) == AT_ONCE + AHEAD)
    assert [one for batch in taking.batches for one in batch] == numbers(0, everything)


async def test_a_request_that_ends_empty_is_made_again_at_once(started: Start) -> None:
    taking = await started()
    await taking.server.end("408", **{"Nats-Pending-Messages": str(AHEAD * SIZE)})
    await until(lambda: len(taking.server.asked) == 2)
    assert taking.server.asked == [AHEAD * SIZE] * 2


@pytest.mark.parametrize("status", ["503", "409"])
async def test_where_nobody_is_there_to_answer_the_next_request_takes_its_time(
    started: Start, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    monkeypatch.setattr(pull, "REQUEST_SECONDS", 0.3)
    monkeypatch.setattr(pull, "LATE_SECONDS", 0.01)
    taking = await started()
    await taking.server.end(status)
    for _ in range(100):
        await asyncio.sleep(0)
    assert len(taking.server.asked) == 1
    await until(lambda: len(taking.server.asked) == 2)


async def test_a_request_that_was_lost_with_the_server_is_made_again(
    started: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pull, "REQUEST_SECONDS", 0.02)
    monkeypatch.setattr(pull, "LATE_SECONDS", 0.01)
    taking = await started()
    await until(lambda: len(taking.server.asked) == 3)
    assert set(taking.server.asked) == {AHEAD * SIZE}


async def test_nothing_is_asked_for_while_the_server_is_away(
    started: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pull, "REQUEST_SECONDS", 0.02)
    monkeypatch.setattr(pull, "LATE_SECONDS", 0.01)
    taking = await started()
    taking.server.is_connected = False
    asked = len(taking.server.asked)
    await asyncio.sleep(0.1)
    assert len(taking.server.asked) == asked
    taking.server.is_connected = True
    await until(lambda: len(taking.server.asked) > asked)


async def test_what_waits_for_its_turn_is_held(started: Start) -> None:
    taking = await started(hold_every=0.001)
    await taking.server.deliver(1)
    await until(lambda: ("ACK.1", b"+WPI") in taking.server.answers)
    assert taking.batches == []


async def test_a_stop_hands_over_what_was_collected_and_what_open_requests_still_bring(
    started: Start,
) -> None:
    taking = await started()
    await taking.server.deliver(1)
    draining = asyncio.create_task(taking.pull.drain())
    await until(lambda: taking.batches == [["1"]])
    await taking.server.deliver(2, 3)
    await taking.server.end("408", **{"Nats-Pending-Messages": str(AHEAD * SIZE - 3)})
    await asyncio.wait_for(draining, limit())
    assert [one for batch in taking.batches for one in batch] == ["1", "2", "3"]
    assert len(taking.server.asked) == 1


async def test_a_stop_gives_back_at_once_what_nobody_gets_to(
    started: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pull, "DRAIN_SECONDS", 0.05)
    taking = await started(seconds=0.001)
    taking.go.clear()
    for number in range(AT_ONCE):
        await taking.server.deliver(number)
        await until(lambda number=number: len(taking.batches) == number + 1)
    await taking.server.deliver(AT_ONCE)
    await taking.pull.drain()
    assert taking.server.answers == [(f"ACK.{AT_ONCE}", b"-NAK")]


async def test_a_stop_before_the_start_waits_for_nothing() -> None:
    await asyncio.wait_for(Taking().pull.drain(), limit())
