"""Trying again: pauses that double up to a cap, half of each left to chance, so that replicas spread out.

Time and chance come in from the caller. A pause may be ended early (a stopping service, a wake-up), and what
is due later is only computed: so the pause is a value, `Backoff`, and `retry` is the loop around it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

_DOUBLINGS = 32
"""More would leave the range of floats, long after every cap."""

T = TypeVar("T")


class Backoff(msgspec.Struct, frozen=True, kw_only=True):
    """Pauses in seconds: `shortest` after the first failure, doubled each time, up to `longest`."""

    shortest: float
    longest: float

    def seconds(self, failures: int, chance: float) -> float:
        """Return the pause after so many failures in a row (1, 2, ...).

        `chance`: from 0 to 1; half of the pause depends on it.
        """
        full = min(self.longest, self.shortest * 2.0 ** min(failures - 1, _DOUBLINGS))
        return full * (1 + chance) / 2


async def retry(  # noqa: PLR0913 - what is tried, and its ports by keyword
    attempt: Callable[[], Awaitable[T]],
    *,
    on: tuple[type[Exception], ...],
    backoff: Backoff,
    chance: Callable[[], float],
    attempts: int | None = None,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    failed: Callable[[int, Exception], None] = lambda _failures, _error: None,
    at_least: Callable[[Exception], float] = lambda _error: 0.0,
) -> T:
    """Call `attempt` until it raises none of the errors `on`, and return its result.

    `attempts`: how often at most; None: for ever. `chance`: a number from 0 to 1. `pause`: waits so many
    seconds; what it raises ends the retries. `failed` is told of each failure: (how many so far, error).
    `at_least`: the seconds that an error itself asks for before the next attempt.

    Raises:
        The last of the errors `on`, after so many attempts; any other error at once.

    """
    failures = 0
    while True:
        try:
            return await attempt()
        except on as error:
            failures += 1
            failed(failures, error)
            if attempts is not None and failures >= attempts:
                raise
            wanted = at_least(error)
        await pause(max(wanted, backoff.seconds(failures, chance())))
