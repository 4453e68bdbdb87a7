"""From joined orders and matched fills to findings: one a cause, its second effects folded in.

| what is found at an order | finding | folded into it |
|---|---|---|
| the book has it under another account | wrong account | |
| book and ledger name opposite sides | wrong side | its fills, which are on that side too |
| a booked fill that never happened | phantom fill | the order called filled for it |
| a fill that is not booked | missed fill | the order still open in the book for lack of it |
| called canceled (expired, ...), and it was filled | ended otherwise | its fill that was dropped with it |
| in the book, never on the ledger | unknown order | the fills booked on it |
| on the ledger, not in the book | not in book | its fills |
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import msgspec

from console.compare.books import Book, BookOrder, BookStatus
from console.compare.books.book import Pair
from console.compare.changes import Case
from console.compare.differences import fill_differences, totals_difference
from console.compare.ends import BOOK_ENDS, End, ends_agree, ledger_end
from console.compare.findings import Finding, Kind, NotChecked
from console.compare.joining import Joined, JoinedOrder
from console.compare.ledger import LedgerFill, LedgerOrder
from console.compare.matching import FillMatch, Match, Matched
from console.compare.scope import Scope
from console.compare.writing import FindingWriter
from order_events import OrderStatus


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """All that was found, and what agrees."""

    findings: Sequence[Finding]
    not_checked: Sequence[NotChecked]
    cases: Sequence[Case]
    """The orders of the scope that book and ledger both have."""
    absent: Sequence[LedgerOrder]
    """Orders of the scope that only the ledger has."""
    booked: Sequence[tuple[Pair, FillMatch]]
    """The booked fills of the scope that could be checked, with their pairs in assets of the ledger."""
    happened: Sequence[tuple[LedgerOrder, LedgerFill]]
    """The ledger's fills of the scope that they stand against."""
    agreeing_fills: int
    rounded_fills: int
    never_placed: int
    """Orders that the book calls rejected and no ledger has: they agree."""
    other_words: int
    """Orders that are gone by both, by another cause than the book's word says."""


def judge(book: Book, joined: Joined, matched: Matched, scope: Scope, writer: FindingWriter) -> Judged:
    """Hold every order and fill of the scope against the ledger."""
    judging = _Judging(book, joined, matched, scope, writer)
    findings = [*judging.findings()]
    return Judged(
        findings=findings,
        not_checked=judging.not_checked,
        cases=judging.cases,
        absent=judging.absent,
        booked=judging.booked,
        happened=[*judging.happened()],
        agreeing_fills=judging.counts["agreeing"],
        rounded_fills=judging.counts["rounded"],
        never_placed=judging.counts["never placed"],
        other_words=judging.counts["other words"],
    )


class _Judging:
    def __init__(
        self, book: Book, joined: Joined, matched: Matched, scope: Scope, writer: FindingWriter
    ) -> None:
        self.not_checked: list[NotChecked] = []
        self.booked: list[tuple[Pair, FillMatch]] = []
        self.counts: Counter[str] = Counter()
        self._book = book
        self._scope = scope
        self._writer = writer
        self._measure = writer.measure
        missed: dict[tuple[str, int], list[LedgerFill]] = defaultdict(list)
        for order, fill in matched.missed:
            if scope.has_fill(fill):
                missed[order.key].append(fill)
        self._missed = missed
        self._fills: dict[int, list[FillMatch]] = defaultdict(list)
        self._alone: list[FillMatch] = []
        for match in matched.fills:
            if match.book is not None:
                self._fills[id(match.book)].append(match)
            else:
                self._alone.append(match)
        self.cases = [self._case(one) for one in joined.orders if self._in_scope(one)]
        self._unknown = [order for order in joined.book_only if self._book_in_scope(order)]
        self.absent = [order for order in joined.ledger_only if scope.has_order(order)]

    def _in_scope(self, one: JoinedOrder) -> bool:
        order = one.ledger
        if order.account not in self._scope.accounts or not self._scope.has_pair(order.base, order.quote):
            return False
        if order.placed is None:
            return self._scope.first is None
        return self._scope.has_ledger(order.placed.ledger_index)

    def _book_in_scope(self, order: BookOrder) -> bool:
        if order.account is not None and order.account not in self._scope.accounts:
            return False
        pair = self._writer.pair_of(order.pair)
        return pair is None or self._scope.has_pair(pair.base, pair.quote)

    def _case(self, one: JoinedOrder) -> Case:
        missed = self._missed.pop(one.ledger.key, [])  # of two rows for one order the first has them
        return Case(book=one.book, ledger=one.ledger, fills=self._fills[id(one.book)], missed=missed)

    def findings(self) -> Iterator[Finding]:
        """Yield all findings."""
        for case in self.cases:
            if case.book is not None:
                yield from self._of_case(case, case.book)
        for match in self._alone:
            yield from self._of_fill_alone(match)
        for order in self._unknown:
            yield from self._of_unknown(order)
        if self._scope.complete:
            yield from self._not_in_book()

    def happened(self) -> Iterator[tuple[LedgerOrder, LedgerFill]]:
        """Yield the ledger's fills that the book should hold."""
        seen: set[tuple[str, int]] = set()
        for case in self.cases:
            if case.ledger.key not in seen:
                seen.add(case.ledger.key)
                yield from ((case.ledger, fill) for fill in case.ledger.fills if self._scope.has_fill(fill))
        if self._scope.complete:
            yield from (
                (order, fill) for order in self.absent for fill in order.fills if self._scope.has_fill(fill)
            )
            return
        for match in self._alone:
            order, fill = match.ledger, match.happened
            if match.match is not Match.SAME or order is None or fill is None:
                continue
            if order.key not in seen and self._fill_in_scope(match):
                yield order, fill

    def _count(self, match: FillMatch, pair: Pair | None = None) -> None:
        """Note a booked fill as a part of the book's position."""
        order = match.ledger
        found = pair or (Pair(order.base, order.quote) if order is not None else None)
        self.booked.append((found or self._writer.pair_of(match.fill.pair) or Pair("?", "?"), match))

    def _of_case(self, case: Case, book: BookOrder) -> Iterator[Finding]:
        write = self._writer
        if case.wrong_account:
            yield write.of_order(Kind.WRONG_ACCOUNT, case)
        wrong_side = case.booked_side is not None and case.booked_side is not case.ledger.side
        if wrong_side:
            yield write.wrong_side(case)
        counted = [m for m in case.fills if m.match is not Match.NONE or self._checkable(m, case)]
        for match in counted:
            self._count(match)
        ends_differ = self._ends_differ(book, case.ledger)
        if self._book.has_fill_rows:
            yield from self._of_money(case, [m for m in counted if m.match is Match.NONE], ends_differ)
        else:
            yield from self._of_totals(case, book, ends_differ)
        for match in case.fills:
            yield from self._of_fill(case, match, wrong_side=wrong_side)

    def _ends_differ(self, book: BookOrder, order: LedgerOrder) -> Kind | None:
        status = book.status
        if ends_agree(status, order):
            gone = ledger_end(order) is End.GONE and status is not BookStatus.UNKNOWN
            self.counts["other words"] += gone and status.upper() != order.status
            return None
        covered = self._scope.range_of(order.account)
        if ledger_end(order) is End.OPEN and book.time is not None and book.time > covered.last.time:
            self._leave(book, "how it ended", f"it is newer than ledger {covered.last.ledger_index}")
            return None
        return Kind.OPEN_IN_BOOK_GONE_ON_LEDGER if BOOK_ENDS[status] is End.OPEN else Kind.ENDED_OTHERWISE

    def _of_money(
        self, case: Case, phantoms: Sequence[FillMatch], ends_differ: Kind | None
    ) -> Iterator[Finding]:
        """Yield fills that never happened and fills that are missed, with the end that follows from them."""
        write, missed = self._writer, list(case.missed)
        folded = (ends_differ,) if ends_differ is not None else ()
        if ends_differ is Kind.ENDED_OTHERWISE and ledger_end(case.ledger) is End.FILLED:
            yield write.of_order(ends_differ, case, missed=missed)
            missed, folded = [], ()
        for match in phantoms:
            yield write.of_fill(Kind.PHANTOM_FILL, case, match, effects=folded)
            folded = ()
        for fill in missed:
            yield write.missed(case, fill, effects=folded if fill is missed[-1] else ())
        if folded and not missed:
            yield write.of_order(folded[0], case)

    def _of_totals(self, case: Case, book: BookOrder, ends_differ: Kind | None) -> Iterator[Finding]:
        """Hold what an order has traded altogether against the ledger, where there is no row a fill."""
        folded = (ends_differ,) if ends_differ is not None else ()
        kind: Kind | None = None
        if book.traded is not None:
            kind, rounded = totals_difference(book.traded, case.ledger_totals, self._measure)
            self.counts["rounded"] += rounded
            self.counts["agreeing"] += kind is None and bool(case.ledger.fills)
        if kind is not None:
            yield self._writer.of_totals(kind, case, effects=folded)
        elif ends_differ is not None:
            yield self._writer.of_order(ends_differ, case)

    def _of_fill(self, case: Case, match: FillMatch, *, wrong_side: bool) -> Iterator[Finding]:
        write = self._writer
        if match.match is Match.TWICE:
            yield write.of_fill(Kind.DOUBLE_BOOKING, case, match)
        elif match.match is Match.WRONG_ORDER:
            yield write.of_fill(Kind.FILL_ON_WRONG_ORDER, case, match, moves=self._moves(match))
        if match.match not in {Match.SAME, Match.WRONG_ORDER} or match.happened is None:
            return
        closeness = self._measure.fill(match.fill, match.happened)
        self.counts["rounded"] += closeness.rounded
        told = wrong_side or match.match is Match.WRONG_ORDER
        self.counts["agreeing"] += not told
        for kind in fill_differences(match, closeness, wrong_side=wrong_side):
            yield write.of_fill(kind, case, match, moves=not told)
            self.counts["agreeing"] -= not told
            told = True

    def _moves(self, match: FillMatch) -> bool:
        """Whether a fill on the wrong order changes the position by more than digits that the book lacks."""
        return match.happened is not None and not self._measure.fill(match.fill, match.happened).same

    def _of_fill_alone(self, match: FillMatch) -> Iterator[Finding]:
        """Judge a fill whose order the book does not name, or does not have."""
        if not self._fill_in_scope(match):
            return
        order = match.ledger
        if match.match is Match.NONE or order is None:
            if (why := self._scope.why_fill_unchecked(match.fill, None)) is not None:
                self._leave_fill(match, why)
            else:
                self._count(match)
                yield self._writer.fill_alone(match)
            return
        self._count(match)
        case = Case(book=None, ledger=order, fills=[match], missed=[])
        yield from self._of_fill(case, match, wrong_side=False)

    def _fill_in_scope(self, match: FillMatch) -> bool:
        account = match.ledger.account if match.ledger is not None else match.fill.account
        if account is not None and account not in self._scope.accounts:
            return False
        pair = self._writer.pair_of(match.fill.pair)
        return pair is None or self._scope.has_pair(pair.base, pair.quote)

    def _of_unknown(self, order: BookOrder) -> Iterator[Finding]:
        fills = self._fills[id(order)]
        if order.status is BookStatus.REJECTED and not fills:
            self.counts["never placed"] += 1
        elif (why := self._scope.why_order_unchecked(order)) is not None:
            self._leave(order, "order", why)
        else:
            for match in fills:
                self._count(match, self._writer.pair_of(order.pair))
            yield self._writer.unknown(order, fills)

    def _not_in_book(self) -> Iterator[Finding]:
        booked_alone = {
            match.ledger.key for match in self._alone if match.ledger is not None and match.happened
        }
        for order in self.absent:
            missed = self._missed.get(order.key, [])
            if order.key in booked_alone:  # its fills are there, whatever became of its row
                case = Case(book=None, ledger=order, fills=[], missed=missed)
                for fill in missed:
                    yield self._writer.missed(case, fill)
            elif missed or self._should_have(order):
                yield self._writer.not_in_book(order, missed)

    def _should_have(self, order: LedgerOrder) -> bool:
        """Whether the book would have a row of an order that never traded."""
        return bool(self._book.orders) and (
            order.status is not OrderStatus.REJECTED or self._book.keeps_rejected
        )

    def _checkable(self, match: FillMatch, case: Case) -> bool:
        why = self._scope.why_fill_unchecked(match.fill, case.ledger)
        if why is not None:
            self._leave_fill(match, why)
        return why is None

    def _leave(self, order: BookOrder, what: str, why: str) -> None:
        self.not_checked.append(NotChecked(what=what, order_id=order.id, row=order.row.place, why=why))

    def _leave_fill(self, match: FillMatch, why: str) -> None:
        order_id = match.book.id if match.book is not None else match.fill.order
        self.not_checked.append(NotChecked(what="fill", order_id=order_id, row=match.fill.row.place, why=why))
