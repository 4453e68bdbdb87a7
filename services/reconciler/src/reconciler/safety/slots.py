"""Slots for checks that are not urgent: thousands of accounts start together, and servers have limits."""

CHECKS_A_LEDGER = 64
"""Over all accounts of the process; each check asks a server a few questions."""


class CheckSlots:
    """A limited number of checks at each ledger; an account that finds no slot tries at the next ledger."""

    def __init__(self, most: int = CHECKS_A_LEDGER) -> None:
        self._most = most
        self._ledger_index = 0
        self._used = 0

    def reserve(self, ledger_index: int) -> bool:
        """Reserve a slot at this ledger; False if none is left."""
        if ledger_index > self._ledger_index:
            self._ledger_index, self._used = ledger_index, 0
        if self._used == self._most:
            return False
        self._used += 1
        return True
