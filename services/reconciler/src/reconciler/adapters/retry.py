"""Trying again while the bus is away: nothing advances meanwhile, the ledger is the log."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import nats.errors
import nats.js.errors
import structlog

from reconciler.metrics import Metrics
from retries import Backoff, retry
from service_kit.cancellation import raise_if_cancelled

_log = structlog.get_logger()

BUS_ERRORS = (nats.errors.Error, nats.js.errors.Error, OSError, asyncio.TimeoutError)
"""What a publication can meet while the bus is away, overloaded or full."""
_BACKOFF = Backoff(shortest=0.05, longest=5.0)

T = TypeVar("T")


async def until_done(what: str, attempt: Callable[[], Awaitable[T]], metrics: Metrics) -> T:
    """Call `attempt` until it does not meet a bus error; one warning, and one line when it is over."""
    warned = False

    async def unless_cancelled() -> T:
        raise_if_cancelled()
        return await attempt()

    def warn(failures: int, error: Exception) -> None:
        nonlocal warned
        metrics.bus_retries.inc()
        if failures == 1:
            _log.warning("the bus does not take it, trying again", what=what, problem=repr(error))
            warned = True

    result = await retry(unless_cancelled, on=BUS_ERRORS, backoff=_BACKOFF, chance=random.random, failed=warn)
    if warned:
        _log.info("the bus takes it again", what=what)
    return result
