"""The wake-up of all accounts when a ledger closes."""

import asyncio


class Wakeup:
    """The signal that a ledger has closed somewhere: it is worth reading, and says nothing more."""

    def __init__(self, *, poll_seconds: float) -> None:
        """`poll_seconds`: the longest pause between two readings, where no server signals closed ledgers."""
        self.poll_seconds = poll_seconds
        self._next = asyncio.Event()

    def notify(self) -> None:
        """Wake all tasks that wait for a ledger to close."""
        closed, self._next = self._next, asyncio.Event()
        closed.set()

    def next_close(self) -> asyncio.Event:
        """Return the event that is set at the next close; obtained before a reading, it misses no close."""
        return self._next
