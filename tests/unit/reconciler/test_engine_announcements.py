"""Announcements of the engine before a ledger: a late ledger waits for all, a live one for one look."""

from decimal import Decimal
from unittest.mock import Mock

import made_ledger as made
import pytest
from in_memory_bus import Memory, MemoryStore

from order_events import Amount
from reconciler.following.account_store import AccountStore
from reconciler.following.continuity import Continuity
from reconciler.following.engine_announcements import MOST_LOOKS, EngineAnnouncements
from reconciler.ports.bus import Announced


class SlowFeed:
    """A feed with one announcement at each of so many looks."""

    def __init__(self, looks: int) -> None:
        self.left = looks

    def follow(self, account: str, after: int, mark: object = None) -> None:
        """Keep nothing."""

    def forget(self, account: str) -> None:
        """Keep nothing."""

    async def announced(self, account: str) -> Announced:  # noqa: ARG002 - the port's
        self.left -= 1
        order = made.submitted(1_000 + self.left, Amount(made.USD, Decimal(5)), Amount("XRP", Decimal(10)))
        return Announced(announcements=(order,), sequence=1, more=self.left > 0)


@pytest.mark.parametrize(
    ("newest", "announced", "heard"),
    [(made.START + 1, 5, 1), (made.START + 9, 5, 5), (made.START + 9, 10 * MOST_LOOKS, MOST_LOOKS)],
    ids=["a live ledger", "a late one", "a late one, and a flood"],
)
async def test_a_late_ledger_waits_for_the_announcements_and_a_live_one_does_not(
    newest: int, announced: int, heard: int
) -> None:
    state = made.state()
    announcements = EngineAnnouncements(
        SlowFeed(announced),
        AccountStore(made.OWNER, MemoryStore(Memory())),
        Continuity(made.OWNER, None, None),
        Mock(),
        waits_for_all=False,
    )
    await announcements.apply(state, newest)
    assert len(state.orders) == heard
    assert announcements.is_behind == (heard < announced)
