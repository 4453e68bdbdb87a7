"""Progress of a reading: a line on standard error for what takes longer than two seconds."""

import time
from collections.abc import Callable

from rich.console import Console

_SILENCE_SECONDS = 2.0


class Progress:
    """Says how far it is, not more often than every two seconds."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds."""
        self._console = console
        self._clock = clock
        self._said = clock()

    def __call__(self, what: str, done: int, total: int) -> None:
        """Take what is read, how many of it, and of how many (0: not known)."""
        if self._clock() - self._said >= _SILENCE_SECONDS:
            self._said = self._clock()
            of = f" of {total}" if total else ""
            self._console.print(f"{what}: {done}{of} ...")
