"""Readiness: besides the bus, that ledgers are looked at."""

from service_kit import Check, Progress

SILENCE_SECONDS = 30.0
"""Without one look that worked, on any server and for any account."""


class LedgerHealth:
    """Whether the loop still finds a server that answers, and the bus takes what it finds."""

    def __init__(self) -> None:
        self._progress = Progress(silence=SILENCE_SECONDS)

    def turned(self) -> None:
        """Say that a look has worked."""
        self._progress.advance()

    def checks(self) -> dict[str, Check]:
        """Return the checks by name."""
        return {"ledger": self._progress.check}
