"""Group commit: many callers' calls at the same time become one call of the bus.

A call that comes while a round is under way waits for the next round, which serves all calls that wait by
then. One of the waiting callers runs the round, so that nothing runs in the background and a cancellation
ends no more than it must.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Request = TypeVar("Request")
Result = TypeVar("Result")


class _Call(Generic[Request, Result]):
    def __init__(self, request: Request) -> None:
        self.request = request
        self.result: Result | Exception | None = None


class GroupedCalls(Generic[Request, Result]):
    """Many callers' calls, served in rounds."""

    def __init__(
        self,
        serve: Callable[[Sequence[Request]], Awaitable[Sequence[Result | Exception]]],
        fitting: Callable[[Sequence[Request]], int],
    ) -> None:
        """`serve` returns a result for each request of a round; `fitting`: how many of the first fit."""
        self._serve = serve
        self._fitting = fitting
        self._waiting: list[_Call[Request, Result]] = []
        self._round = asyncio.Lock()

    async def __call__(self, request: Request) -> Result:
        """Return the request's result; raises what `serve` raised, or returned for this request."""
        mine: _Call[Request, Result] = _Call(request)
        self._waiting.append(mine)
        try:
            async with self._round:
                if mine.result is None:
                    await self._run_round()
        finally:
            if mine in self._waiting:
                self._waiting.remove(mine)
        if mine.result is None or isinstance(mine.result, Exception):
            raise mine.result or AssertionError(
                "the lock is fair: the caller that runs a round is among its first"
            )
        return mine.result

    async def _run_round(self) -> None:
        waiting = [call.request for call in self._waiting]
        served = self._waiting[: max(1, self._fitting(waiting))]
        # The calls of a round that is cancelled still wait, and the next caller runs another round
        try:
            results = await self._serve([call.request for call in served])
        except Exception as error:  # noqa: BLE001 - it is every caller's own
            results = [error] * len(served)
        for call, result in zip(served, results, strict=True):
            call.result = result
        # A caller that was cancelled meanwhile has removed its call by itself
        self._waiting = [call for call in self._waiting if call not in served]
