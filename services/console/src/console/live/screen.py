"""The screen of `run`: one line an event, the status below them, the totals at the end.

A terminal shows the status in its last line, always. A pipe or a file gets it when what it says of following
changes, and once a minute.
"""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from console.fitting import width_of
from console.live.event_feed import Told
from console.live.event_lines import event_line
from console.live.following import Following, status_line
from console.live.summary import Totals

_STATUS_SECONDS = 60.0


class RunScreen:
    """Shows events, the status and the totals; a context manager, at whose end the totals are printed."""

    def __init__(self, console: Console) -> None:
        """Show on `console`."""
        self._console = console
        self._totals = Totals()
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._verdict = ""
        self._said = 0.0
        self._newest: Following | None = None
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        """Begin with the status line."""
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Print the totals, whatever ended it."""
        self._live.stop()
        minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
        upto = f", up to ledger {self._newest.ledger}" if self._newest and self._newest.ledger else ""
        self._print(Text(f"Followed for {minutes} min {seconds} s{upto}:", style="bold"))
        for line in self._totals.lines(width_of(self._console)):
            self._print(line)

    def show_event(self, event: Told) -> None:
        """Print an event and count it."""
        self._totals.add(event)
        self._print(event_line(event, width_of(self._console)))

    def show_status(self, status: Following) -> None:
        """Show the status, or print it where it is due."""
        self._newest = status
        self._show(status.verdict, status_line(status, self._totals.anomalies, width_of(self._console)))

    def show_silence(self, seconds: float) -> None:
        """Say that the reconciler itself does not answer."""
        words = f"NOT FOLLOWING: the reconciler has not answered for {seconds:g} s"
        self._show(words, Text(words, style="bold red"))

    def _show(self, verdict: str, line: Text) -> None:
        if self._console.is_terminal:
            self._live.update(line, refresh=True)
            return
        now = time.monotonic()
        if verdict != self._verdict or now - self._said >= _STATUS_SECONDS:
            self._verdict, self._said = verdict, now
            self._print(line)

    def _print(self, line: Text) -> None:
        self._console.print(line, soft_wrap=True)
