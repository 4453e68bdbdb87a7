"""Asking together what many ask at the same time.

Who asks while a round is under way waits for the next one, which is for all that wait by then. Rounds are
led by one of those who asked, so that nothing runs in the background and a cancellation ends what it must.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class _Asked(Generic[Question, Answer]):
    def __init__(self, question: Question) -> None:
        self.question = question
        self.answer: Answer | Exception | None = None


class Joined(Generic[Question, Answer]):
    """Many callers' questions, put in rounds."""

    def __init__(
        self,
        ask: Callable[[Sequence[Question]], Awaitable[Sequence[Answer | Exception]]],
        fitting: Callable[[Sequence[Question]], int],
    ) -> None:
        """`ask` answers a round, each question by itself; `fitting`: how many of the first fit into one."""
        self._ask = ask
        self._fitting = fitting
        self._waiting: list[_Asked[Question, Answer]] = []
        self._round = asyncio.Lock()

    async def __call__(self, question: Question) -> Answer:
        """Ask, and return the answer; raises what `ask` raised, or gave for this question."""
        mine: _Asked[Question, Answer] = _Asked(question)
        self._waiting.append(mine)
        try:
            async with self._round:
                if mine.answer is None:
                    await self._lead()
        finally:
            if mine in self._waiting:
                self._waiting.remove(mine)
        if mine.answer is None or isinstance(mine.answer, Exception):
            raise mine.answer or AssertionError("the lock is fair: who leads is among the first")
        return mine.answer

    async def _lead(self) -> None:
        some = self._waiting[: max(1, self._fitting([one.question for one in self._waiting]))]
        # Those of a round that is cancelled still wait, and the next of them leads another
        try:
            answers = await self._ask([one.question for one in some])
        except Exception as error:  # noqa: BLE001 - it is every caller's own
            answers = [error] * len(some)
        for one, answer in zip(some, answers, strict=True):
            one.answer = answer
        # Who was canceled meanwhile has gone by itself
        self._waiting = [one for one in self._waiting if one not in some]
