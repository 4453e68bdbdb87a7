"""Writing findings: amounts of both sides, what they are worth, the position they leave, and one sentence."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from console.compare.assets import code_of
from console.compare.books import BookFill, BookOrder, Row
from console.compare.books.book import Pair
from console.compare.changes import (
    Case,
    Change,
    added,
    booked_change,
    change_of,
    missed_change,
    totals_change,
)
from console.compare.findings import BookSide, Finding, Kind, LedgerSide, Position, finding_id
from console.compare.ledger import LedgerFill, LedgerOrder
from console.compare.matching import FillMatch, Match
from console.compare.precision import Measure
from console.compare.wording import sentence
from console.invocation import pasteable
from offer_lifecycle import RATIO, ZERO
from order_events import Side


class FindingWriter:
    """Writes findings of one comparison."""

    def __init__(self, measure: Measure, pair_of: Callable[[Pair], Pair], explain: Sequence[str]) -> None:
        """`explain`: the options with which `fillproof explain` asks the same source; empty: it can't."""
        self.measure = measure
        self._pair_of = pair_of
        self._explain = explain

    def pair_of(self, pair: Pair | None) -> Pair | None:
        """Return a book's pair in assets of the ledger."""
        return None if pair is None else self._pair_of(pair)

    def of_order(self, kind: Kind, case: Case, missed: Sequence[LedgerFill] = ()) -> Finding:
        """Write a finding about an order as a whole, with fills that were dropped with it."""
        return self._of_case(
            kind,
            case,
            change=missed_change(case.ledger, missed),
            effects=(Kind.MISSED_FILL,) if missed else (),
            transaction=case.ledger.removed_by or case.ledger.placed_tx,
            time=case.ledger.end,
        )

    def wrong_side(self, case: Case) -> Finding:
        """Write that an order is on the other side, with all its fills."""
        same = [match for match in case.fills if match.match in {Match.SAME, Match.WRONG_ORDER}]
        return self._of_case(
            Kind.WRONG_SIDE,
            case,
            change=added((*(change_of(match) for match in same), totals_change(case))),
            transaction=case.ledger.placed_tx,
            time=_placed(case.ledger),
        )

    def of_fill(
        self, kind: Kind, case: Case, match: FillMatch, effects: tuple[Kind, ...] = (), *, moves: bool = True
    ) -> Finding:
        """Write a finding about one booked fill; `moves`: no other one tells what it does to the position."""
        fill, happened = match.fill, match.happened
        about = (
            case if match.match is not Match.WRONG_ORDER or match.ledger is None else _of(case, match.ledger)
        )
        keeps_position = {Kind.FILL_BOOKED_EARLY, Kind.FILL_BOOKED_LATE}
        change = change_of(match) if moves and kind not in keeps_position else (ZERO, ZERO)
        return self._of_case(
            kind,
            about,
            change=change,
            effects=effects,
            fill=fill,
            happened=happened,
            transaction=happened.transaction if happened is not None else fill.transaction,
            time=happened.at.time if happened is not None else fill.time,
        )

    def missed(self, case: Case, fill: LedgerFill, effects: tuple[Kind, ...] = ()) -> Finding:
        """Write that a fill is not booked."""
        return self._of_case(
            Kind.MISSED_FILL,
            case,
            change=missed_change(case.ledger, [fill]),
            effects=effects,
            happened=fill,
            transaction=fill.transaction,
            time=fill.at.time,
        )

    def of_totals(self, kind: Kind, case: Case, effects: tuple[Kind, ...] = ()) -> Finding:
        """Write that an order's total differs."""
        change = totals_change(case) if case.booked_side in {None, case.ledger.side} else (ZERO, ZERO)
        return self._of_case(
            kind,
            case,
            change=change,
            effects=effects,
            transaction=case.ledger.removed_by,
            time=case.ledger.end,
        )

    def not_in_book(self, order: LedgerOrder, missed: Sequence[LedgerFill]) -> Finding:
        """Write that the book lacks an order."""
        case = Case(book=None, ledger=order, fills=[], missed=missed)
        return self._of_case(
            Kind.NOT_IN_BOOK,
            case,
            change=missed_change(order, missed),
            effects=(Kind.MISSED_FILL,) if missed else (),
            transaction=order.placed_tx,
            time=_placed(order),
        )

    def unknown(self, order: BookOrder, fills: Sequence[FillMatch]) -> Finding:
        """Write that no ledger has an order of the book."""
        pair = self.pair_of(order.pair) or Pair("?", "?")
        booked = added((match.fill.base, match.fill.quote) for match in fills)
        return self._finished(
            Kind.UNKNOWN_ORDER,
            pair,
            change=added(change_of(match) for match in fills),
            price=order.price,
            facts=(order.account, order.sequence, order.placed_tx, order.id),
            account=order.account or "",
            sequence=order.sequence,
            placed_tx=order.placed_tx,
            transaction=None,
            side=order.side,
            time=order.time,
            cause=None,
            age_seconds=None,
            explain=None,
            effects=(Kind.PHANTOM_FILL,) if fills else (),
            book=_book_side(order, None, booked, [order.row, *(match.fill.row for match in fills)]),
            ledger=LedgerSide(),
        )

    def fill_alone(self, match: FillMatch) -> Finding:
        """Write that a fill without an order never happened."""
        fill = match.fill
        pair = self.pair_of(fill.pair) or Pair("?", "?")
        price = RATIO.divide(fill.quote, fill.base) if fill.base else None
        return self._finished(
            Kind.PHANTOM_FILL,
            pair,
            change=booked_change(match),
            price=price,
            facts=(fill.account, fill.sequence, fill.transaction, fill.trade_id, fill.row.place),
            account=fill.account or "",
            sequence=fill.sequence,
            placed_tx=None,
            transaction=fill.transaction,
            side=fill.side,
            time=fill.time,
            cause=None,
            age_seconds=None,
            explain=None,
            effects=(),
            book=_book_side(None, fill, (fill.base, fill.quote), [fill.row]),
            ledger=LedgerSide(),
        )

    def _of_case(  # noqa: PLR0913 - what differs between findings about one order
        self,
        kind: Kind,
        case: Case,
        *,
        change: Change,
        transaction: str | None,
        time: datetime | None,
        effects: tuple[Kind, ...] = (),
        fill: BookFill | None = None,
        happened: LedgerFill | None = None,
    ) -> Finding:
        order, book = case.ledger, case.book
        rows = [part.row for part in (book, fill) if part is not None]
        booked = (fill.base, fill.quote) if fill is not None else _booked_totals(case, kind)
        sold = (happened.base, happened.quote) if happened is not None else case.ledger_totals
        about_order = fill is None and happened is None
        return self._finished(
            kind,
            Pair(order.base, order.quote),
            change=change,
            price=_price(order, happened),
            facts=(
                order.account,
                order.sequence,
                transaction,
                book and book.id,
                fill and fill.trade_id,
                fill and fill.row.place,
            ),
            account=order.account,
            sequence=order.sequence,
            placed_tx=order.placed_tx,
            transaction=transaction,
            side=order.side,
            time=time or (fill.time if fill is not None else None),
            cause=_cause(order),
            age_seconds=order.age_seconds,
            explain=self._command(order),
            effects=effects,
            book=_book_side(book, fill, booked, rows, side=case.booked_side),
            ledger=_ledger_side(order, happened, sold if happened is not None or about_order else None),
        )

    def _command(self, order: LedgerOrder) -> str | None:
        if not self._explain:
            return None
        return pasteable("explain", order.account, order.sequence, *self._explain)

    def _finished(  # noqa: PLR0913 - a finding's fields
        self,
        kind: Kind,
        pair: Pair,
        *,
        change: Change,
        price: Decimal | None,
        facts: Sequence[object],
        effects: tuple[Kind, ...],
        account: str,
        sequence: int | None,
        placed_tx: str | None,
        transaction: str | None,
        side: Side | None,
        book: BookSide,
        ledger: LedgerSide,
        time: datetime | None,
        cause: str | None,
        age_seconds: int | None,
        explain: str | None,
    ) -> Finding:
        base, quote = change
        changes = ((pair.base, base), (pair.quote, quote))
        worth = abs(RATIO.multiply(base, price)) if base and price is not None else abs(quote)
        finding = Finding(
            id=finding_id(kind, *facts),
            kind=kind,
            effects=effects,
            account=account,
            sequence=sequence,
            placed_tx=placed_tx,
            transaction=transaction,
            pair=f"{code_of(pair.base)}/{code_of(pair.quote)}",
            base=pair.base,
            quote=pair.quote,
            side=side,
            book=book,
            ledger=ledger,
            position=tuple(Position(asset=asset, value=value) for asset, value in changes if value),
            worth=worth,
            time=time,
            cause=cause,
            age_seconds=age_seconds,
            explain=explain,
            text="",
        )
        return msgspec.structs.replace(finding, text=sentence(finding))


def _of(case: Case, order: LedgerOrder) -> Case:
    """Return the order whose fill was booked on another, with the book's row of that other one."""
    return Case(book=case.book, ledger=order, fills=case.fills, missed=[])


def _placed(order: LedgerOrder) -> datetime | None:
    return order.placed.time if order.placed is not None else None


def _cause(order: LedgerOrder) -> str | None:
    return str(order.reason) if order.reason is not None else None


def _price(order: LedgerOrder, happened: LedgerFill | None) -> Decimal | None:
    if happened is not None and happened.base:
        return RATIO.divide(happened.quote, happened.base)
    return order.price


def _booked_totals(case: Case, kind: Kind) -> Change | None:
    if case.book is None or kind is Kind.MISSED_FILL:
        return None
    if case.book.traded is not None and not case.fills:
        return case.book.traded.base, case.book.traded.quote
    return added((match.fill.base, match.fill.quote) for match in case.fills)


def _book_side(
    order: BookOrder | None,
    fill: BookFill | None,
    amounts: Change | None,
    rows: Sequence[Row],
    side: Side | None = None,
) -> BookSide:
    time = fill.time if fill is not None else (order.time if order is not None else None)
    return BookSide(
        order_id=order.id if order is not None else (fill.order if fill is not None else None),
        account=order.account if order is not None else (fill.account if fill is not None else None),
        sequence=order.sequence if order is not None else (fill.sequence if fill is not None else None),
        side=side or (order.side if order is not None else (fill.side if fill is not None else None)),
        status=order.word if order is not None else None,
        base=amounts[0] if amounts is not None else None,
        quote=amounts[1] if amounts is not None else None,
        time=time,
        trade_id=(fill.trade_id or fill.transaction) if fill is not None else None,
        rows=tuple((row.place, row.shown()) for row in rows),
    )


def _ledger_side(order: LedgerOrder, happened: LedgerFill | None, amounts: Change | None) -> LedgerSide:
    at = happened.at if happened is not None else order.ended
    return LedgerSide(
        account=order.account,
        sequence=order.sequence,
        side=order.side,
        status=order.status,
        reason=order.reason,
        removed_by=order.removed_by,
        base=amounts[0] if amounts is not None else None,
        quote=amounts[1] if amounts is not None else None,
        ledger_index=at.ledger_index if at is not None else None,
        time=at.time if at is not None else order.expired_at,
    )
