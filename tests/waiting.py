"""Waiting for a condition that nobody announces, instead of for a fixed time."""

import asyncio
from collections.abc import Callable


async def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Return once the condition holds; TimeoutError after so many seconds."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - see the module
            await asyncio.sleep(0.005)
