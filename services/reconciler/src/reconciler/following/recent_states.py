"""The states of the last ledgers of an account: what a server's lie has changed can be taken back."""

from collections import deque
from collections.abc import Iterable, Mapping

from offer_lifecycle import AccountState, Order
from reconciler.following.stored_account import StoredAccount

LEDGERS_KEPT = 16
"""About a minute: as many as are read whole, one after the other, when the account goes on."""


class RecentStates:
    """What the last commits of ledgers have changed, newest last; in memory alone."""

    def __init__(self) -> None:
        """Begin with none."""
        self._before: deque[tuple[StoredAccount, Mapping[int, Order | None]]] = deque(maxlen=LEDGERS_KEPT)

    def note(self, stored: StoredAccount, state: AccountState, changed: Iterable[int]) -> None:
        """Note the account before a ledger that changes the orders with these sequences."""
        self._before.append((stored, {sequence: state.orders.get(sequence) for sequence in changed}))

    def forget(self) -> None:
        """Forget all: what follows can't be taken back beyond this point."""
        self._before.clear()

    def take_oldest(self) -> tuple[StoredAccount, dict[int, Order | None]] | None:
        """Return the account as it was before the oldest of them, and forget all; None: none is kept.

        With it come the orders that have changed since, as they were then; None: there was no such order.
        """
        if not self._before:
            return None
        orders: dict[int, Order | None] = {}
        for _, before in reversed(self._before):
            orders.update(before)
        oldest, _ = self._before[0]
        self._before.clear()
        return oldest, orders
