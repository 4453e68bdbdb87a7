"""Waiting for a condition that nobody announces, instead of for a fixed time."""

import asyncio
from collections.abc import Awaitable, Callable


async def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Return once the condition holds; TimeoutError after so many seconds."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - see the module
            await asyncio.sleep(0.005)


async def until_found(question: Callable[[], Awaitable[object]], seconds: float = 30) -> None:
    """Return once the question is answered with something true; TimeoutError after so many seconds."""
    async with asyncio.timeout(seconds):
        while not await question():  # noqa: ASYNC110 - see the module
            await asyncio.sleep(0.01)
