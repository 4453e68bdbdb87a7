"""Readiness of the reconciler: ledgers are read and the lease is held; accounts that wait are noted."""

from collections.abc import Callable, Mapping

from service_kit import Check, Progress

SILENCE_SECONDS = 30.0
"""Seconds without one successful reading of any account on any server, after which it is not ready."""


class LedgerHealth:
    """Whether some server still answers, and the bus takes what is read."""

    def __init__(self) -> None:
        self._progress = Progress(silence=SILENCE_SECONDS)
        self._halts: Callable[[], Mapping[str, str]] = dict
        self._aside: Callable[[], Mapping[str, str]] = dict
        self._held: Callable[[], bool] = bool

    def note_reading(self) -> None:
        """Note that an account was read successfully."""
        self._progress.advance()

    def watch_halts(self, halts: Callable[[], Mapping[str, str]]) -> None:
        """Note halts from now on; `halts` returns the reason by account."""
        self._halts = halts

    def watch_set_aside(self, set_aside: Callable[[], Mapping[str, str]]) -> None:
        """Note accounts that are set aside from now on; `set_aside` returns the exception by account."""
        self._aside = set_aside

    def watch_lease(self, held: Callable[[], bool]) -> None:
        """Check the lease from now on; `held` returns whether this replica holds it."""
        self._held = held

    def checks(self) -> dict[str, Check]:
        """Return the checks by name."""
        return {"ledger": self._progress.check, "lease": self._lease}

    def notes(self) -> dict[str, Check]:
        """Return the notes by name: with an account halted or set aside it is ready, the others go on."""
        return {"halted": self._halted, "set aside": self._set_aside}

    async def _halted(self) -> str | None:
        return "; ".join(f"{account}: {reason}" for account, reason in self._halts().items()) or None

    async def _set_aside(self) -> str | None:
        return "; ".join(f"{account}: {fault}" for account, fault in self._aside().items()) or None

    async def _lease(self) -> str | None:
        return None if self._held() else "not held: the bus has not taken it in time"
