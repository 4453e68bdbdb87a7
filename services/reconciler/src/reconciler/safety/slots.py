"""Taking turns with what is not urgent: thousands of accounts start together, and servers have limits."""

CHECKS_A_LEDGER = 64
"""Of all accounts of the process; each asks a server a few questions."""


class Turns:
    """So many checks at each ledger, for whoever comes first; the others come again at the next one."""

    def __init__(self, most: int = CHECKS_A_LEDGER) -> None:
        self._most = most
        self._ledger_index = 0
        self._taken = 0

    def take(self, ledger_index: int) -> bool:
        """Return whether there is still a turn, and take it."""
        if ledger_index > self._ledger_index:
            self._ledger_index, self._taken = ledger_index, 0
        if self._taken == self._most:
            return False
        self._taken += 1
        return True
