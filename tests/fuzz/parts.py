"""What a part of the fuzzing reports: how many hostile inputs were tried, counted, and what went wrong."""

import time

import msgspec
from waiting import moment

WITHIN = moment() * 2 / 3
"""Seconds in which a neighbour's ledger must be committed: two on two idle cores."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One part's report."""

    part: str
    tried: int
    refused: int
    """Set aside by name: a dead letter, or a server's fault."""
    slowest: float
    """Seconds that a neighbour waited longest."""
    problems: list[str]

    def __str__(self) -> str:
        verdict = "; ".join(self.problems[:5]) or "nothing wrong"
        return (
            f"{self.part}: {self.tried} tried, {self.refused} refused by name, "
            f"a neighbour waited {self.slowest:.2f} s at most: {verdict}"
        )


class Longest:
    """A stopwatch that keeps the longest of its times."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._began = 0.0

    def __enter__(self) -> None:
        self._began = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self.seconds = max(self.seconds, time.monotonic() - self._began)


def unless(holds: bool, problem: str) -> list[str]:  # noqa: FBT001 - the condition
    """Return the problem unless the condition holds."""
    return [] if holds else [problem]
