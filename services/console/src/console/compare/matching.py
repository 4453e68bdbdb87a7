"""Which fill of the book is which fill of the ledger.

A transaction alone names no fill: one may fill several orders of an account. So each fill is looked for

1. by its transaction within its order; of several that claim the same fill, the one whose amounts are
   closest has it;
2. by its amounts within its order, where its transaction is not known or names nothing there (engines
   infer fills);
3. by its transaction and amounts within the account's other orders: booked on the wrong order. A fill
   that the book gives no order to belongs where it is found;
4. among the fills that are booked already: booked twice, which may hide behind two ids.

What is left in the book has never happened, and what is left on the ledger was missed.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

import msgspec

from console.compare.books import Book, BookFill, BookOrder, BookStatus
from console.compare.joining import WHOLE_HASH, Joined, JoinedOrder
from console.compare.ledger import LedgerFill, LedgerOrder
from console.compare.precision import ROUNDED_LEAST, ROUNDED_SHARE, Measure
from order_events import OrderStatus

NEAR = timedelta(seconds=60)
"""Without a transaction, fills of the same amounts on other orders are the same within so long."""


class Match(StrEnum):
    """What became of the search for a booked fill."""

    SAME = "same"
    WRONG_ORDER = "wrong_order"
    TWICE = "twice"
    NONE = "none"


class FillMatch(msgspec.Struct, frozen=True, kw_only=True):
    """A booked fill, its order in the book, and what it is on the ledger."""

    match: Match
    fill: BookFill
    book: BookOrder | None
    """The order that it is booked on; None: the book names none."""
    ledger: LedgerOrder | None
    """The order whose fill it is; of a fill that never happened, the order that it is booked on."""
    happened: LedgerFill | None


class Matched(msgspec.Struct, frozen=True, kw_only=True):
    """All fills."""

    fills: Sequence[FillMatch]
    missed: Sequence[tuple[LedgerOrder, LedgerFill]]
    """Fills of the ledger, of any order of its, that the book has not."""


class _Slot(msgspec.Struct, kw_only=True, gc=False):
    """A fill of the ledger, and whether a booked one has it."""

    order: LedgerOrder
    fill: LedgerFill
    booked: BookFill | None = None
    claim: "_Entry | None" = None
    """The fill of the book that has the best claim to it so far."""


class _Entry(msgspec.Struct, kw_only=True, gc=False):
    """A fill of the book, while its counterpart is looked for."""

    fill: BookFill
    joined: JoinedOrder | None
    book: BookOrder | None
    slot: _Slot | None = None
    match: Match = Match.NONE


def match_fills(book: Book, joined: Joined, orders: Iterable[LedgerOrder], measure: Measure) -> Matched:
    """Find each booked fill's counterpart on the ledger."""
    matching = _Matching(orders, measure)
    entries = [*_entries(book, joined, matching)]
    matching.within_orders(entries)
    matching.by_amounts(entries)
    matching.on_other_orders(entries)
    matching.booked_twice(entries)
    return Matched(
        fills=[_result(entry) for entry in entries],
        missed=[(slot.order, slot.fill) for slot in matching.slots if slot.booked is None],
    )


def _result(entry: _Entry) -> FillMatch:
    own = entry.joined.ledger if entry.joined is not None else None
    return FillMatch(
        match=entry.match,
        fill=entry.fill,
        book=entry.book,
        ledger=entry.slot.order if entry.slot is not None else own,
        happened=entry.slot.fill if entry.slot is not None else None,
    )


def _entries(book: Book, joined: Joined, matching: "_Matching") -> Iterator[_Entry]:
    """Yield the fills with their orders; where two orders have one name, with the one that traded so."""
    by_id: dict[str, list[tuple[BookOrder, JoinedOrder | None]]] = defaultdict(list)
    for one in joined.orders:
        by_id[one.book.id].append((one.book, one))
    for order in joined.book_only:
        by_id[order.id].append((order, None))
    for fill in book.fills:
        named = by_id.get(fill.order, []) if fill.order is not None else []
        if not named:
            yield _Entry(fill=fill, joined=None, book=None)
            continue
        best = named[0] if len(named) == 1 else max(named, key=lambda pair: matching.likeness(fill, *pair))
        yield _Entry(fill=fill, joined=best[1], book=best[0])


class _Matching:
    def __init__(self, orders: Iterable[LedgerOrder], measure: Measure) -> None:
        self._measure = measure
        self.slots = [_Slot(order=order, fill=fill) for order in orders for fill in order.fills]
        self._by_order: dict[tuple[str, int], list[_Slot]] = defaultdict(list)
        self._by_hash: dict[str, list[_Slot]] = defaultdict(list)
        self._by_start: dict[str, list[_Slot]] | None = None
        for slot in self.slots:
            self._by_order[slot.order.key].append(slot)
            self._by_hash[slot.fill.transaction].append(slot)
        self._by_amount: dict[tuple[int, int], list[_Slot]] | None = None

    def likeness(self, fill: BookFill, book: BookOrder, joined: JoinedOrder | None) -> tuple[object, ...]:
        """Return how well a fill fits one of the orders of its name in the book: the larger, the better."""
        own = self._of_order(joined)
        by_tx = [slot for slot in own if _names(fill, slot.fill)]
        entry = _Entry(fill=fill, joined=joined, book=book)
        apart = abs(fill.quote - fill.base * book.price) if book.price is not None else fill.quote
        return (
            any(self._same(fill, slot) for slot in by_tx or own),
            bool(by_tx),
            any(self._same(fill, slot) and self._allowed(entry, slot) for slot in self._of_transaction(fill)),
            (fill.pair, fill.side) == (book.pair, book.side),
            _guessed(entry),
            -apart,
        )

    def within_orders(self, entries: Sequence[_Entry]) -> None:
        """Rule 1."""
        for entry in entries:
            for slot in self._of_order(entry.joined):
                if _names(entry.fill, slot.fill) and self._is_closer(entry, slot):
                    slot.claim = entry
        for slot in self.slots:
            if slot.claim is not None:
                _take(slot.claim, slot, Match.SAME)
                slot.claim = None

    def _is_closer(self, entry: "_Entry", slot: _Slot) -> bool:
        claim = slot.claim
        return claim is None or self._distance(entry.fill, slot) < self._distance(claim.fill, slot)

    def by_amounts(self, entries: Sequence[_Entry]) -> None:
        """Rule 2."""
        for entry in entries:
            if entry.slot is None and entry.joined is not None:
                own = self._by_order[entry.joined.ledger.key]
                free = [slot for slot in own if slot.booked is None and self._same(entry.fill, slot)]
                if free and not (entry.fill.transaction is not None and self._elsewhere(entry)):
                    _take(entry, min(free, key=lambda slot: _apart(entry.fill, slot)), Match.SAME)

    def on_other_orders(self, entries: Sequence[_Entry]) -> None:
        """Rule 3."""
        for entry in entries:
            if entry.slot is None and not _guessed(entry) and (free := self._elsewhere(entry)):
                nearest = min(
                    free, key=lambda slot: (self._distance(entry.fill, slot), _apart(entry.fill, slot))
                )
                _take(entry, nearest, Match.SAME if entry.book is None else Match.WRONG_ORDER)

    def booked_twice(self, entries: Sequence[_Entry]) -> None:
        """Rule 4."""
        for entry in entries:
            if entry.slot is None and (slot := self._booked_already(entry)) is not None:
                entry.slot, entry.match = slot, Match.TWICE

    def _elsewhere(self, entry: _Entry) -> list[_Slot]:
        """Return the free fills of other orders that the booked one can be."""
        fill = entry.fill
        if fill.transaction is not None:
            found = [
                slot
                for slot in self._of_transaction(fill)
                if slot.booked is None and self._allowed(entry, slot)
            ]
            if entry.book is None and fill.sequence is not None:
                found = [slot for slot in found if slot.order.sequence == fill.sequence] or found
            return found if entry.book is None else [slot for slot in found if self._alike(fill, slot)]
        return [
            slot
            for slot in self._of_amount(fill)
            if slot.booked is None
            and self._allowed(entry, slot)
            and self._alike(fill, slot)
            and _apart(fill, slot) <= NEAR
        ]

    def _booked_already(self, entry: _Entry) -> _Slot | None:
        fill, joined = entry.fill, entry.joined
        if _guessed(entry):
            return None
        own = [slot for slot in self._of_order(joined) if slot.booked is not None]
        named = next((slot for slot in own if _names(fill, slot.fill)), None)
        if named is not None:
            return named
        for slot in self._of_transaction(fill):
            if slot.booked is not None and self._allowed(entry, slot) and self._same(fill, slot):
                return slot
        alike = [slot for slot in own if self._same(fill, slot)]
        return min(alike, key=lambda slot: _apart(fill, slot), default=None)

    def _of_order(self, joined: JoinedOrder | None) -> list[_Slot]:
        return self._by_order[joined.ledger.key] if joined is not None else []

    def _allowed(self, entry: _Entry, slot: _Slot) -> bool:
        """Whether a fill can be of the account and pair that the book says."""
        fill = entry.fill
        account = entry.joined.ledger.account if entry.joined is not None else fill.account
        if account is not None and slot.order.account != account:
            return False
        if entry.joined is not None:
            other = entry.joined.ledger
            return slot.order.key != other.key and {slot.order.base, slot.order.quote} == {
                other.base,
                other.quote,
            }
        return True

    def _of_transaction(self, fill: BookFill) -> list[_Slot]:
        if fill.transaction is None:
            return []
        if len(fill.transaction) == WHOLE_HASH:
            return self._by_hash.get(fill.transaction, [])
        if self._by_start is None:
            self._by_start = defaultdict(list)
            for slot in self.slots:
                self._by_start[slot.fill.transaction[:_START]].append(slot)
        starts = self._by_start.get(fill.transaction[:_START], [])
        return [slot for slot in starts if _names(fill, slot.fill)]

    def _of_amount(self, fill: BookFill) -> list[_Slot]:
        if self._by_amount is None:
            self._by_amount = defaultdict(list)
            for slot in self.slots:
                self._by_amount[_leading(slot.fill.base)].append(slot)
        error = max(ROUNDED_LEAST, fill.base * ROUNDED_SHARE) * 2
        near = {_leading(fill.base + step) for step in (-error, Decimal(0), error)}
        return [slot for digits in near for slot in self._by_amount.get(digits, []) if self._same(fill, slot)]

    def _same(self, fill: BookFill, slot: _Slot) -> bool:
        return self._measure.fill(fill, slot.fill).same

    def _alike(self, fill: BookFill, slot: _Slot) -> bool:
        """Whether two fills are the same to a thousandth too: in a coarse column many are the same."""
        near = abs(fill.base - slot.fill.base) <= slot.fill.base * _THOUSANDTH
        return near and self._same(fill, slot)

    def _distance(self, fill: BookFill, slot: _Slot) -> tuple[Decimal, timedelta]:
        return abs(fill.base - slot.fill.base) + abs(fill.quote - slot.fill.quote), _apart(fill, slot)


_THOUSANDTH = Decimal("0.001")
_START = 6
"""Digits of a hash by which fills are filed: books keep at least so many."""


def _leading(amount: Decimal) -> tuple[int, int]:
    """Return an amount's power of ten and its first digits: what it is filed under."""
    power = amount.adjusted()
    return power, int(amount.scaleb(3 - power))


def _names(fill: BookFill, happened: LedgerFill) -> bool:
    return fill.transaction is not None and happened.transaction.startswith(fill.transaction)


def _apart(fill: BookFill, slot: _Slot) -> timedelta:
    return abs(fill.time - slot.fill.at.time) if fill.time is not None else timedelta(0)


def _guessed(entry: _Entry) -> bool:
    """Whether a fill is just what its order never traded, and the book calls the order filled for it."""
    if entry.joined is None:
        return False
    book, order = entry.joined.book, entry.joined.ledger
    if book.status is not BookStatus.FILLED or order.status is OrderStatus.FILLED:
        return False
    rest = order.quantity - sum((one.base for one in order.fills), Decimal(0))
    return rest > 0 and abs(entry.fill.base - rest) <= max(ROUNDED_LEAST, rest * ROUNDED_SHARE)


def _take(entry: _Entry, slot: _Slot, match: Match) -> None:
    entry.slot, entry.match = slot, match
    slot.booked = entry.fill
