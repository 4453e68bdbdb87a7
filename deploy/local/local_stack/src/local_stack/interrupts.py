"""Ctrl-C and TERM, taken where they do no harm.

An exception out of a signal's handler can hit anywhere: between the start of a child and its registration
(nobody would end that child), inside asyncio (a task that swallows its cancellation makes the end wait for
ever), in a finalizer (it is lost). So the handlers only take note, and whatever waits asks.
"""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

NUMBERS = (signal.SIGINT, signal.SIGTERM)
_noted: list[signal.Signals] = []
"""Of the whole process, as signals are."""


class Interrupted(Exception):
    """The process was asked to end; `number` is the signal."""

    def __init__(self, number: signal.Signals) -> None:
        super().__init__(number.name)
        self.number = number


@contextlib.contextmanager
def noted_interrupts() -> Iterator[None]:
    """Only note Ctrl-C and TERM in the block, unless they are ignored already; main thread only."""
    before = {number: signal.getsignal(number) for number in NUMBERS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, lambda number, _frame: _noted.append(signal.Signals(number)))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _noted.clear()


def check_interrupts() -> None:
    """Raise Interrupted if Ctrl-C or TERM was noted."""
    if _noted:
        raise Interrupted(_noted[0])
