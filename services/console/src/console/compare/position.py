"""The position: what trading did to each asset by the book and by the ledger, and since when they differ."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from console.compare.books.book import Pair
from console.compare.changes import Change, booked_change, signed
from console.compare.findings import Finding
from console.compare.ledger import LedgerFill, LedgerOrder
from console.compare.verdicts import Judged
from offer_lifecycle import EXACT, XRP, ZERO, exact_sum


class AssetPosition(msgspec.Struct, frozen=True, kw_only=True):
    """Of one asset, in units: what trading did to it. Fees and payments are in neither."""

    asset: str
    book: Decimal
    ledger: Decimal
    explained: Decimal
    """Of the difference: what the findings add up to. The rest is digits that the book does not keep."""

    @property
    def error(self) -> Decimal:
        """Book less ledger, exact."""
        return EXACT.subtract(self.book, self.ledger)

    @property
    def rounding(self) -> Decimal:
        """Of the error: what no finding explains."""
        return EXACT.subtract(self.error, self.explained)


class PositionStep(msgspec.Struct, frozen=True, kw_only=True):
    """A moment at which the error of an asset changed, and the finding that did it."""

    time: datetime | None
    asset: str
    change: Decimal
    after: Decimal
    finding: str


def positions(judged: Judged) -> list[AssetPosition]:
    """Add up what trades did to each asset, XRP first."""
    booked, happened = _by_asset(_booked(judged)), _by_asset(_happened(judged))
    explained: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for finding in judged.findings:
        for one in finding.position:
            explained[one.asset] = EXACT.add(explained[one.asset], one.value)
    assets = sorted({*booked, *happened, *explained}, key=lambda asset: (asset != XRP, asset))
    return [
        AssetPosition(asset=asset, book=booked[asset], ledger=happened[asset], explained=explained[asset])
        for asset in assets
    ]


def position_errors(judged: Judged) -> dict[Pair, Change]:
    """Return book less ledger of each pair, in base and quote."""
    booked, happened = _by_pair(_booked(judged)), _by_pair(_happened(judged))
    return {
        pair: (
            EXACT.subtract(booked[pair][0], happened[pair][0]),
            EXACT.subtract(booked[pair][1], happened[pair][1]),
        )
        for pair in sorted({*booked, *happened}, key=str)
    }


def steps(findings: Sequence[Finding]) -> list[PositionStep]:
    """Return how the error of each asset grew, finding by finding in the order of time."""
    after: dict[str, Decimal] = defaultdict(lambda: ZERO)
    taken = []
    timed = sorted(findings, key=lambda finding: (finding.time is None, finding.time, finding.id))
    for finding in timed:
        for one in finding.position:
            after[one.asset] = EXACT.add(after[one.asset], one.value)
            taken.append(
                PositionStep(
                    time=finding.time,
                    asset=one.asset,
                    change=one.value,
                    after=after[one.asset],
                    finding=finding.id,
                )
            )
    return taken


_Trade = tuple[Pair, Change]


def _booked(judged: Judged) -> Iterable[_Trade]:
    for pair, match in judged.booked:
        yield pair, booked_change(match)
    for case in judged.cases:
        if case.book is not None and case.book.traded is not None:
            traded = case.book.traded
            pair = Pair(case.ledger.base, case.ledger.quote)
            yield pair, signed(case.booked_side or case.ledger.side, traded.base, traded.quote)


def _happened(judged: Judged) -> Iterable[_Trade]:
    for order, fill in judged.happened:
        yield Pair(order.base, order.quote), _ledger_change(order, fill)


def _ledger_change(order: LedgerOrder, fill: LedgerFill) -> Change:
    return signed(order.side, fill.base, fill.quote)


def _by_pair(trades: Iterable[_Trade]) -> dict[Pair, Change]:
    base: dict[Pair, list[Decimal]] = defaultdict(list)
    quote: dict[Pair, list[Decimal]] = defaultdict(list)
    for pair, change in trades:
        base[pair].append(change[0])
        quote[pair].append(change[1])
    summed = {pair: (exact_sum(base[pair]), exact_sum(quote[pair])) for pair in base}
    return defaultdict(lambda: (ZERO, ZERO), summed)


def _by_asset(trades: Iterable[_Trade]) -> dict[str, Decimal]:
    changes: dict[str, list[Decimal]] = defaultdict(list)
    for pair, (base, quote) in _by_pair(trades).items():
        changes[pair.base].append(base)
        changes[pair.quote].append(quote)
    return defaultdict(lambda: ZERO, {asset: exact_sum(values) for asset, values in changes.items()})
