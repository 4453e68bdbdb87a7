"""Waiting for conditions that nobody announces, and how long that may take on this machine.

A condition that comes about ends the waiting at once. The limit is for one that never does: it is generous,
it grows with the machine's slowness, and no test has a limit of its own.
"""

import asyncio
import functools
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator

_WAIT_SECONDS = 120.0
"""The limit of one wait on two idle cores, where none takes more than a few seconds."""
_WAITS_OF_A_TEST = 5
_MOMENT_SECONDS = 3.0
_START_SECONDS = 0.03
"""How long Python takes to start on such a machine."""
_SLOWEST = 5.0
_FIRST_PAUSE_SECONDS = 0.005
_LAST_PAUSE_SECONDS = 0.1


def limit() -> float:
    """Return how many seconds one wait may take: for a condition, a process or an answer."""
    return _WAIT_SECONDS * _slowness()


def limit_of_a_test() -> float:
    """Return how many seconds a whole test may take."""
    return _WAITS_OF_A_TEST * limit()


def moment() -> float:
    """Return how many seconds something may take that has nothing to wait for."""
    return _MOMENT_SECONDS * _slowness()


async def until(condition: Callable[[], bool]) -> None:
    """Return once the condition holds; TimeoutError after the limit."""
    pauses = _pauses()
    async with asyncio.timeout(limit()):
        while not condition():  # noqa: ASYNC110 - see the module
            await asyncio.sleep(next(pauses))


async def until_found(question: Callable[[], Awaitable[object]]) -> None:
    """Return once the question is answered with something true; TimeoutError after the limit."""
    pauses = _pauses()
    async with asyncio.timeout(limit()):
        while not await question():  # noqa: ASYNC110 - see the module
            await asyncio.sleep(next(pauses))


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Return once the condition holds, without an event loop; TimeoutError with `what` after the limit."""
    seconds = limit()
    deadline = time.monotonic() + seconds
    pauses = _pauses()
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"expected within {seconds:.0f} s: {what}")
        time.sleep(next(pauses))


def _pauses() -> Iterator[float]:
    """Yield the seconds between two looks: they grow, since each look takes time from what is waited for."""
    pause = _FIRST_PAUSE_SECONDS
    while True:
        yield pause
        pause = min(_LAST_PAUSE_SECONDS, pause * 1.1)


def _slowness() -> float:
    """Return how many times slower than two idle cores the machine is now: from 1 to `_SLOWEST`."""
    runnable_on_each_core = os.getloadavg()[0] / len(os.sched_getaffinity(0))
    return min(_SLOWEST, max(1.0, runnable_on_each_core, _slowness_at_start()))


@functools.cache
def _slowness_at_start() -> float:
    began = time.monotonic()
    subprocess.run([sys.executable, "-I", "-S", "-c", ""], check=True)
    return (time.monotonic() - began) / _START_SECONDS
