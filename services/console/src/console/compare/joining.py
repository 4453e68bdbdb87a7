"""Which order of the book is which order of the ledger.

1. The hash of the OfferCreate names one order, whatever account or sequence stands beside it. Its first
   digits do so together with the sequence.
2. Account and sequence name one order. Where the book's hash is another one there, it is another order,
   unless pair, quantity and price agree (an engine that submits again with a higher fee has a new hash).
3. Two accounts have the same sequences. An order that is not its own account's order of that number, and
   agrees with another account's in pair, quantity and price, is booked under the wrong account.
4. An order's quantity or price may have been changed in the book: what is left of rule 2 is joined by
   its key alone.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence

import msgspec

from console.compare.books import Book, BookOrder
from console.compare.books.book import Pair
from console.compare.ledger import LedgerOrder
from console.compare.precision import Measure

WHOLE_HASH = 64


class JoinedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order of the book with the ledger's."""

    book: BookOrder
    ledger: LedgerOrder

    @property
    def wrong_account(self) -> bool:
        """Whether the book has it under another account."""
        return self.book.account is not None and self.book.account != self.ledger.account


class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """All orders, joined or alone."""

    orders: Sequence[JoinedOrder]
    book_only: Sequence[BookOrder]
    ledger_only: Sequence[LedgerOrder]


def join_orders(
    book: Book, orders: Sequence[LedgerOrder], measure: Measure, pair_of: Callable[[Pair], Pair]
) -> Joined:
    """Join the book's orders with the ledger's; `pair_of` says which assets the book's codes mean."""
    joining = _Joining(book, orders, measure, pair_of)
    left = [order for order in book.orders if not joining.by_hash(order)]
    left = [order for order in left if not joining.by_key(order, agreeing=True)]
    left = [order for order in left if not joining.in_another_account(order)]
    left = [order for order in left if not joining.by_key(order, agreeing=False)]
    return Joined(
        orders=joining.joined,
        book_only=left,
        ledger_only=[order for order in orders if order.key not in joining.taken],
    )


class _Joining:
    def __init__(
        self,
        book: Book,
        orders: Sequence[LedgerOrder],
        measure: Measure,
        pair_of: Callable[[Pair], Pair],
    ) -> None:
        self.joined: list[JoinedOrder] = []
        self.taken: set[tuple[str, int]] = set()
        self._precision = book.precision
        self._measure = measure
        self._pair_of = pair_of
        self._by_hash = {order.placed_tx: order for order in orders if order.placed_tx is not None}
        self._by_sequence: dict[int, list[LedgerOrder]] = defaultdict(list)
        for order in orders:
            self._by_sequence[order.sequence].append(order)

    def by_hash(self, order: BookOrder) -> bool:
        """Join by the OfferCreate's hash, also where another row of the book is joined to it already."""
        if order.placed_tx is None:
            return False
        if len(order.placed_tx) == WHOLE_HASH:
            found = self._by_hash.get(order.placed_tx)
            return found is not None and self._join(order, found)
        same = [
            found for found in self._numbered(order) if (found.placed_tx or "").startswith(order.placed_tx)
        ]
        same.sort(key=lambda found: found.account != order.account)
        return bool(same) and self._join(order, same[0])

    def by_key(self, order: BookOrder, *, agreeing: bool) -> bool:
        """Join by account and sequence with an order that nothing else is joined to."""
        for found in self._numbered(order):
            if found.key in self.taken or order.account not in {None, found.account}:
                continue
            hashes_differ = order.placed_tx is not None and found.placed_tx is not None
            if self._agrees(order, found) if agreeing or hashes_differ else True:
                return self._join(order, found)
        return False

    def in_another_account(self, order: BookOrder) -> bool:
        """Join with another account's order of that number that agrees in everything that the book says."""
        if order.account is None or order.quantity is None or order.price is None:
            return False
        for found in self._numbered(order):
            if found.account != order.account and found.key not in self.taken and self._agrees(order, found):
                return self._join(order, found)
        return False

    def _numbered(self, order: BookOrder) -> Sequence[LedgerOrder]:
        return self._by_sequence.get(order.sequence, ()) if order.sequence is not None else ()

    def _agrees(self, order: BookOrder, found: LedgerOrder) -> bool:
        if order.pair is not None:
            pair = self._pair_of(order.pair)
            if (pair.base, pair.quote) != (found.base, found.quote):
                return False
        quantity = self._measure.order(order.quantity, found.quantity, self._precision.base)
        return quantity and self._measure.order(order.price, found.price, self._precision.order_price)

    def _join(self, order: BookOrder, found: LedgerOrder) -> bool:
        self.joined.append(JoinedOrder(book=order, ledger=found))
        self.taken.add(found.key)
        return True
