"""Asking together: rounds of those who wait, whatever happens to who leads one."""

import asyncio
from collections.abc import Sequence

import pytest
from waiting import until

from reconciler.adapters.group_commit import GroupedCalls


class Asked:
    """Answers each number with its double once it may; odd rounds can be made to fail."""

    def __init__(self) -> None:
        self.rounds: list[list[int]] = []
        self.may = asyncio.Event()
        self.fault: Exception | None = None

    async def __call__(self, numbers: Sequence[int]) -> list[int | Exception]:
        self.rounds.append(list(numbers))
        await self.may.wait()
        if self.fault is not None:
            raise self.fault
        return [ValueError(number) if number < 0 else 2 * number for number in numbers]


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def double(asked: Asked) -> GroupedCalls[int, int]:
    return GroupedCalls(asked, lambda waiting: min(len(waiting), 4))


async def started(double: GroupedCalls[int, int], asked: Asked, numbers: range) -> list[asyncio.Task[int]]:
    """Have the first lead a round alone, while the others wait for the next."""
    tasks = [asyncio.create_task(double(number)) for number in numbers]
    await until(lambda: len(asked.rounds) == 1)
    return tasks


async def test_who_asks_during_a_round_is_answered_by_the_next(
    double: GroupedCalls[int, int], asked: Asked
) -> None:
    first = await started(double, asked, range(1))
    others = [asyncio.create_task(double(number)) for number in range(1, 8)]
    asked.may.set()
    assert await asyncio.gather(*first, *others) == [2 * number for number in range(8)]
    assert asked.rounds == [[0], [1, 2, 3, 4], [5, 6, 7]]


async def test_each_gets_its_own_refusal(double: GroupedCalls[int, int], asked: Asked) -> None:
    asked.may.set()
    answers = await asyncio.gather(*map(double, (1, -2, 3)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [int, ValueError, int]


async def test_a_fault_is_everybody_s_and_the_next_round_is_whole(
    double: GroupedCalls[int, int], asked: Asked
) -> None:
    asked.fault = OSError("away")
    asked.may.set()
    answers = await asyncio.gather(*map(double, range(3)), return_exceptions=True)
    assert all(isinstance(answer, OSError) for answer in answers)
    asked.fault = None
    assert await double(5) == 10


async def test_when_who_leads_is_canceled_the_others_are_still_answered(
    double: GroupedCalls[int, int], asked: Asked
) -> None:
    tasks = [asyncio.create_task(double(number)) for number in range(4)]
    await until(lambda: len(asked.rounds) == 1)
    tasks[0].cancel()
    asked.may.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert answers[1:] == [2, 4, 6]
    assert 0 not in asked.rounds[-1]


async def test_one_that_is_canceled_while_it_waits_is_not_asked_for(
    double: GroupedCalls[int, int], asked: Asked
) -> None:
    (first,) = await started(double, asked, range(1))
    waiting = [asyncio.create_task(double(number)) for number in (1, 2)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    asked.may.set()
    assert await first == 0
    assert await waiting[1] == 4
    assert asked.rounds == [[0], [2]]


async def test_one_that_is_canceled_while_it_is_asked_for_costs_nobody_else_the_answer(
    double: GroupedCalls[int, int], asked: Asked
) -> None:
    (first,) = await started(double, asked, range(1))
    tasks = [asyncio.create_task(double(number)) for number in (1, 2, 3)]
    before, asked.may = asked.may, asyncio.Event()
    before.set()
    await until(lambda: asked.rounds == [[0], [1, 2, 3]])
    tasks[1].cancel()
    await asyncio.wait([tasks[1]])
    asked.may.set()
    assert await asyncio.gather(first, tasks[0], tasks[2]) == [0, 2, 6]
    assert await double(5) == 10
