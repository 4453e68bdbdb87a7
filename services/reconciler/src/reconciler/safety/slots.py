"""Slots for checks that are not urgent: thousands of accounts are due together, and servers have limits."""

from collections import OrderedDict
from itertools import islice

CHECKS_A_LEDGER = 1
"""Over all accounts of the process; each check asks a server one to four questions."""
SAVED_UP = 8
"""So many unused slots are kept: a few accounts that start together are checked at once."""
_FORGOTTEN_AFTER = 16
"""Ledgers: who has not asked again since waits no longer."""


class CheckSlots:
    """A limited number of checks at each ledger; those that have waited longest come first."""

    def __init__(self, a_ledger: int = CHECKS_A_LEDGER, saved_up: int = SAVED_UP) -> None:
        self._a_ledger = a_ledger
        self._saved_up = saved_up
        self._ledger_index = 0
        self._free = saved_up
        self._waiting: OrderedDict[str, int] = OrderedDict()
        """By the name of the check, the ledger at which it asked last; the one that waits longest first."""

    def reserve(self, check: str, ledger_index: int) -> bool:
        """Reserve a slot at this ledger; False: none is left, and the check asks again at the next ledger.

        `check`: names the check, as its kind and account.
        """
        if ledger_index > self._ledger_index:
            more = self._a_ledger * (ledger_index - self._ledger_index)
            self._ledger_index, self._free = ledger_index, min(self._saved_up, self._free + more)
            self._forget_who_is_gone()
        self._waiting[check] = self._ledger_index
        if check not in islice(self._waiting, self._free):
            return False
        del self._waiting[check]
        self._free -= 1
        return True

    def _forget_who_is_gone(self) -> None:
        gone = self._ledger_index - _FORGOTTEN_AFTER
        for check in [name for name, asked in self._waiting.items() if asked < gone]:
            del self._waiting[check]
