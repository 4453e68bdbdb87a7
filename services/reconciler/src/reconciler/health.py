"""Readiness: besides the bus, that ledgers are looked at and the lease is held; what is told beside it."""

from collections.abc import Callable, Mapping

from service_kit import Check, Progress

SILENCE_SECONDS = 30.0
"""Without one look that worked, on any server and for any account."""


class LedgerHealth:
    """Whether the loop still finds a server that answers, and the bus takes what it finds."""

    def __init__(self) -> None:
        self._progress = Progress(silence=SILENCE_SECONDS)
        self._halts: Callable[[], Mapping[str, str]] = dict
        self._held: Callable[[], bool] = bool

    def turned(self) -> None:
        """Say that a look has worked."""
        self._progress.advance()

    def watch(self, halts: Callable[[], Mapping[str, str]]) -> None:
        """Take where to ask why accounts wait for an operator, by account."""
        self._halts = halts

    def leased(self, held: Callable[[], bool]) -> None:
        """Take where to ask whether this replica's lease is held."""
        self._held = held

    def checks(self) -> dict[str, Check]:
        """Return the checks by name."""
        return {"ledger": self._progress.check, "lease": self._lease}

    def notes(self) -> dict[str, Check]:
        """Return what is told beside them: a halted reconciler is ready, it goes on telling facts."""
        return {"halted": self._halted}

    async def _halted(self) -> str | None:
        return "; ".join(f"{account}: {reason}" for account, reason in self._halts().items()) or None

    async def _lease(self) -> str | None:
        return None if self._held() else "not held: the bus has not taken it in time"
