"""What a comparison is about: accounts, pairs, since which ledger, and what can be checked at all."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from console.compare.books import BookFill, BookOrder
from console.compare.books.book import Pair
from console.compare.ledger import Coverage, LedgerFill, LedgerOrder

_LEDGERS_ON_THE_WAY = 2
"""An order that was made so shortly before the last ledger may still be on its way."""
_MOST_ON_THE_WAY = 10
"""Transactions of one account that a server queues."""


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """The accounts, pairs and ledgers in which book and ledger have to agree."""

    accounts: tuple[str, ...]
    pairs: tuple[Pair, ...]
    """In assets of the ledger; empty: all."""
    first: int | None
    """The first ledger whose orders count; None: all that were read."""
    last: int | None
    complete: bool
    """The book holds every order of the scope."""
    coverage: Mapping[str, Coverage]
    """By account."""

    def has_pair(self, base: str, quote: str) -> bool:
        """Whether a pair belongs to it, whichever way it is quoted."""
        return not self.pairs or any({base, quote} == {pair.base, pair.quote} for pair in self.pairs)

    def has_order(self, order: LedgerOrder) -> bool:
        """Whether the book should hold an order of the ledger, if it holds every order."""
        if order.account not in self.accounts or not self.has_pair(order.base, order.quote):
            return False
        return order.placed is not None and self.has_ledger(order.placed.ledger_index)

    def has_fill(self, fill: LedgerFill) -> bool:
        """Whether a fill lies in the scope's ledgers."""
        return self.has_ledger(fill.at.ledger_index)

    def has_ledger(self, ledger_index: int) -> bool:
        """Whether a ledger lies in it."""
        return (self.first is None or ledger_index >= self.first) and (
            self.last is None or ledger_index <= self.last
        )

    def range_of(self, account: str | None) -> Coverage:
        """Return which ledgers were read of an account (of one that is not known: of any)."""
        return self.coverage.get(account or "") or next(iter(self.coverage.values()))

    def why_order_unchecked(self, order: BookOrder) -> str | None:
        """Say why an order that no ledger has can't be called unknown; None: it can."""
        if order.account is not None and order.account not in self.coverage:
            return "its account was not read"
        if order.sequence is None and order.placed_tx is None:
            return "the book has neither a sequence nor a hash of it"
        covered = self.range_of(order.account)
        return self._why_unchecked(
            covered, order.time, on_its_way=_can_be_on_its_way(covered, order.sequence)
        )

    def why_fill_unchecked(self, fill: BookFill, order: LedgerOrder | None) -> str | None:
        """Say why a fill that no ledger has can't be called one that never happened; None: it can."""
        if order is None:
            return self._why_unchecked(self.range_of(fill.account), fill.time, on_its_way=False)
        covered = self.range_of(order.account)
        if order.placed is None and (fill.time is None or fill.time <= covered.first.time):
            return f"its order is older than the ledgers read ({covered.first.ledger_index} on)"
        if order.end is None and fill.time is not None and fill.time > covered.last.time:
            return f"it is booked after the last ledger read ({covered.last.ledger_index})"
        return None

    def _why_unchecked(self, covered: Coverage, time: datetime | None, *, on_its_way: bool) -> str | None:
        if time is None:
            return "the book has no time of it, and the ledgers read may not reach to it"
        if time <= covered.first.time:
            return f"it is older than the ledgers read ({covered.first.ledger_index} on)"
        if time > covered.last.time - (_on_the_way(covered) if on_its_way else timedelta(0)):
            return f"it is newer than the ledgers read (up to {covered.last.ledger_index})"
        return None


def _on_the_way(covered: Coverage) -> timedelta:
    ledgers = covered.last.ledger_index - covered.first.ledger_index
    return (covered.last.time - covered.first.time) / max(1, ledgers) * _LEDGERS_ON_THE_WAY


def _can_be_on_its_way(covered: Coverage, sequence: int | None) -> bool:
    """Whether a sequence is one of the next that the account uses."""
    if covered.next_sequence is None or sequence is None:
        return True
    return covered.next_sequence <= sequence < covered.next_sequence + _MOST_ON_THE_WAY


def accounts_of(book_accounts: Sequence[str | None], given: Sequence[str]) -> list[str]:
    """Return the accounts of a comparison: those that were given, else those that the book names."""
    named = [account for account in book_accounts if account is not None]
    return list(dict.fromkeys(given or named))
