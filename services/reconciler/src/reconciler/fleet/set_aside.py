"""Accounts that are set aside: an unexpected exception stops one account for a while, and nothing else."""

import random
from collections.abc import Callable, Mapping

import structlog

from reconciler.metrics import Metrics
from retries import Backoff

_log = structlog.get_logger()

_BACKOFF = Backoff(shortest=1.0, longest=60.0)
_LONGEST_REASON = 300
"""Characters: an exception may quote a whole answer."""


class SetAside:
    """The accounts whose last reading ended with an unexpected exception, and when each is tried again."""

    def __init__(self, metrics: Metrics, chance: Callable[[], float] = random.random) -> None:
        """`chance`: a number from 0 to 1, which spreads the retries."""
        self._metrics = metrics
        self._chance = chance
        self._failures: dict[str, int] = {}
        self._reasons: dict[str, str] = {}

    @property
    def reasons(self) -> Mapping[str, str]:
        """By account, the exception that it is set aside for."""
        return self._reasons

    def add(self, account: str, fault: Exception) -> float:
        """Set an account aside and return the seconds until it is tried again."""
        failures = self._failures[account] = self._failures.get(account, 0) + 1
        seconds = _BACKOFF.seconds(failures, self._chance())
        self._reasons[account] = f"{type(fault).__name__}: {fault}"[:_LONGEST_REASON]
        self._metrics.account_faults.inc()
        self._metrics.accounts_set_aside.set(len(self._reasons))
        _log.error(
            "account set aside by an unexpected exception; all others go on",
            account=account,
            failures=failures,
            tried_again_in=round(seconds, 1),
            exc_info=fault,
        )
        return seconds

    def discard(self, account: str) -> None:
        """Note that an account is read again, or followed no longer."""
        self._failures.pop(account, None)
        if self._reasons.pop(account, None) is not None:
            self._metrics.accounts_set_aside.set(len(self._reasons))
            _log.info("account no longer set aside", account=account)
