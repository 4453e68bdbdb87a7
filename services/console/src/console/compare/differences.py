"""In which ways a booked fill that did happen differs from the ledger's, and an order's totals."""

from collections.abc import Iterator
from datetime import timedelta

from console.compare.books.book import Totals
from console.compare.changes import Change
from console.compare.findings import Kind
from console.compare.matching import FillMatch
from console.compare.precision import Closeness, FillCloseness, Measure

EARLY = timedelta(seconds=10)
"""A fill can't be booked before its ledger closed; close times may be rounded to 10 s."""
LATE = timedelta(seconds=60)


def fill_differences(match: FillMatch, closeness: FillCloseness, *, wrong_side: bool) -> Iterator[Kind]:
    """Yield how a fill differs; `wrong_side`: its whole order is on the other side, and that is told."""
    fill, happened = match.fill, match.happened
    if happened is None or match.ledger is None:
        return
    if closeness.base is Closeness.OFF:
        yield Kind.AMOUNT_OFF
    elif closeness.quote is Closeness.OFF:
        yield Kind.PRICE_OFF
    if not wrong_side and fill.side is not None and fill.side is not match.ledger.side:
        yield Kind.WRONG_SIDE
    if fill.time is not None and fill.time < happened.at.time - EARLY:
        yield Kind.FILL_BOOKED_EARLY
    elif fill.time is not None and fill.time > happened.at.time + LATE:
        yield Kind.FILL_BOOKED_LATE


def totals_difference(booked: Totals, happened: Change, measure: Measure) -> tuple[Kind | None, bool]:
    """Return how an order's totals differ, and whether they were rounded.

    More than the ledger's: something was booked that never happened, or twice. A sum can't say which.
    """
    closeness = measure.amounts(booked.base, booked.quote, *happened)
    kind: Kind | None = None
    if closeness.base is Closeness.OFF:
        kind = Kind.PHANTOM_FILL if booked.base > happened[0] else Kind.MISSED_FILL
    elif closeness.quote is Closeness.OFF:
        kind = Kind.PRICE_OFF
    return kind, closeness.rounded
