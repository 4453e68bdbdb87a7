"""Trying again while the bus is away: nothing advances meanwhile, the ledger is the log."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import nats.errors
import nats.js.errors
import structlog

from reconciler.metrics import Metrics
from service_kit.cancellation import raise_if_cancelled

_log = structlog.get_logger()

BUS_ERRORS = (nats.errors.Error, nats.js.errors.Error, OSError, asyncio.TimeoutError)
"""What a publication can meet while the bus is away, overloaded or full."""
_SHORTEST, _LONGEST = 0.05, 5.0

T = TypeVar("T")


async def until_done(what: str, attempt: Callable[[], Awaitable[T]], metrics: Metrics) -> T:
    """Call `attempt` until it does not meet a bus error; one warning, and one line when it is over."""
    pause = _SHORTEST
    warned = False
    while True:
        raise_if_cancelled()
        try:
            result = await attempt()
        except BUS_ERRORS as error:
            metrics.bus_retries.inc()
            if not warned:
                _log.warning("the bus does not take it, trying again", what=what, problem=repr(error))
                warned = True
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - spreads retries, no secret
            pause = min(_LONGEST, pause * 2)
        else:
            if warned:
                _log.info("the bus takes it again", what=what)
            return result
