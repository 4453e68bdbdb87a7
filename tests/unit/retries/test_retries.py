"""Pauses double up to a cap and are spread by chance; what may be tried again is, and nothing else."""

import pytest

from retries import Backoff, retry

BACKOFF = Backoff(shortest=0.5, longest=8.0)


class Trying:
    """Fails so many times, and notes the pauses; nobody waits in a test."""

    def __init__(self, failures: int, error: Exception) -> None:
        self._left, self._error = failures, error
        self.pauses: list[float] = []

    async def attempt(self) -> str:
        if self._left:
            self._left -= 1
            raise self._error
        return "done"

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    async def run(self, attempts: int | None = None) -> str:
        return await retry(
            self.attempt,
            on=(OSError,),
            backoff=BACKOFF,
            chance=lambda: 1.0,
            attempts=attempts,
            pause=self.pause,
        )


def test_pauses_double_up_to_the_cap() -> None:
    assert [BACKOFF.seconds(failures, 1) for failures in range(1, 8)] == [0.5, 1, 2, 4, 8, 8, 8]
    assert BACKOFF.seconds(10_000, 1) == 8


def test_half_of_a_pause_is_left_to_chance() -> None:
    assert [BACKOFF.seconds(3, chance) for chance in (0, 0.5, 1)] == [1, 1.5, 2]


async def test_it_is_tried_until_it_succeeds() -> None:
    trying = Trying(3, OSError("away"))
    assert await trying.run() == "done"
    assert trying.pauses == [0.5, 1, 2]


async def test_the_last_failure_goes_through_and_is_not_waited_for() -> None:
    trying = Trying(3, OSError("away"))
    with pytest.raises(OSError, match="away"):
        await trying.run(attempts=3)
    assert trying.pauses == [0.5, 1]


async def test_what_may_not_be_tried_again_is_not() -> None:
    trying = Trying(1, ValueError("wrong"))
    with pytest.raises(ValueError, match="wrong"):
        await trying.run()
    assert trying.pauses == []


async def test_what_a_pause_raises_ends_the_retries() -> None:
    trying = Trying(9, OSError("away"))

    async def stopping(_seconds: float) -> None:
        raise KeyboardInterrupt

    trying.pause = stopping  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        await trying.run()
