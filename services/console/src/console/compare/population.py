"""The phantom population beside all ended orders: by cause, age, distance from the market and size.

An order is a phantom where the book calls it filled, by a fill or by its status, and the ledger does
not. Without the orders that ended beside them, and were booked rightly, their numbers mean nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

import msgspec

from console.compare.books import BookStatus
from console.compare.findings import Finding, Kind
from console.compare.ledger import LedgerOrder, LedgerRecord
from console.compare.verdicts import Judged
from offer_lifecycle import RATIO
from order_events import OrderStatus, Side

UNKNOWN = "not known"
_AGES = ((10, "under 10 s"), (60, "under 1 min"), (600, "under 10 min"), (3600, "under 1 h"))
_DISTANCES = ((0, "inside the market"), (10, "0 to 10 bps"), (50, "10 to 50 bps"), (200, "50 to 200 bps"))
_SIZES = ((10, "under 10"), (100, "under 100"), (1000, "under 1,000"), (10_000, "under 10,000"))
_BPS = 10_000


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """Ended orders that are alike in all four ways."""

    cause: str
    age: str
    distance: str
    size: str
    """Of what was placed, in quote."""
    ended: int
    phantoms: int


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Ended orders that are alike in one way."""

    name: str
    ended: int
    phantoms: int


class Population(msgspec.Struct, frozen=True, kw_only=True):
    """All ended orders of the scope, and the phantoms among them."""

    cells: Sequence[Cell]
    ages: Sequence[int]
    """Seconds, of all ended orders whose placement was read."""
    phantom_ages: Sequence[int]
    distances: Sequence[Decimal]
    """Basis points, where the market is known."""
    phantom_distances: Sequence[Decimal]

    @property
    def ended(self) -> int:
        """How many ended."""
        return sum(cell.ended for cell in self.cells)

    @property
    def phantoms(self) -> int:
        """How many of them the book calls filled wrongly."""
        return sum(cell.phantoms for cell in self.cells)

    def by(self, way: Callable[[Cell], str]) -> list[Group]:
        """Add up the cells in one way, the largest first."""
        ended: Counter[str] = Counter()
        phantoms: Counter[str] = Counter()
        for cell in self.cells:
            ended[way(cell)] += cell.ended
            phantoms[way(cell)] += cell.phantoms
        return [Group(name=name, ended=count, phantoms=phantoms[name]) for name, count in ended.most_common()]


def distance_of(
    order: LedgerOrder, record: LedgerRecord, ledger_index: int
) -> tuple[Decimal | None, str | None]:
    """Return an order's distance from the mid in basis points at a ledger, else why it is not known."""
    if order.price is None:
        return None, "the order has no price"
    market = record.market(order, ledger_index)
    if market is None:
        return None, "the market of that ledger is not on record"
    if market.mid is None:
        return None, "one side of the book is empty"
    away = RATIO.divide(order.price - market.mid, market.mid) * _BPS
    return round(away if order.side is Side.SELL else -away, 1), None


def population(judged: Judged, record: LedgerRecord, count: Callable[[int, int], None]) -> Population:
    """Sort all ended orders of the scope; `count` is told how far it is."""
    phantoms = _phantoms(judged)
    orders = [
        order
        for order in (*(case.ledger for case in judged.cases), *judged.absent)
        if order.end is not None and order.status is not OrderStatus.REJECTED
    ]
    ended: Counter[tuple[str, str, str, str]] = Counter()
    wrong: Counter[tuple[str, str, str, str]] = Counter()
    ages: dict[bool, list[int]] = defaultdict(list)
    distances: dict[bool, list[Decimal]] = defaultdict(list)
    for number, order in enumerate(orders, 1):
        count(number, len(orders))
        is_phantom = order.key in phantoms
        distance = ended_distance(order, record)
        key = _sorted_into(order, distance)
        ended[key] += 1
        wrong[key] += is_phantom
        if order.age_seconds is not None:
            ages[is_phantom].append(order.age_seconds)
        if distance is not None:
            distances[is_phantom].append(distance)
    return Population(
        cells=[
            Cell(cause=key[0], age=key[1], distance=key[2], size=key[3], ended=many, phantoms=wrong[key])
            for key, many in sorted(ended.items())
        ],
        ages=[*ages[False], *ages[True]],
        phantom_ages=ages[True],
        distances=[*distances[False], *distances[True]],
        phantom_distances=distances[True],
    )


def ended_distance(order: LedgerOrder, record: LedgerRecord) -> Decimal | None:
    """Return an order's distance from the market when it ended, where that costs no question."""
    if order.distance_bps is not None:
        return order.distance_bps
    if order.ended is None or not record.knows_markets:
        return None
    return distance_of(order, record, order.ended.ledger_index - 1)[0]


def _phantoms(judged: Judged) -> set[tuple[str, int]]:
    called_filled = {
        case.ledger.key
        for case in judged.cases
        if case.book is not None
        and case.book.status is BookStatus.FILLED
        and case.ledger.end is not None
        and case.ledger.status is not OrderStatus.FILLED
    }
    return called_filled | {_key(one) for one in judged.findings if one.kind is Kind.PHANTOM_FILL}


def _key(finding: Finding) -> tuple[str, int]:
    return finding.account, finding.sequence or 0


def _sorted_into(order: LedgerOrder, distance: Decimal | None) -> tuple[str, str, str, str]:
    size = None if order.price is None else order.quantity * order.price
    return (
        str(order.reason or order.status),
        _step(order.age_seconds, _AGES, "1 h and more"),
        _step(distance, _DISTANCES, "200 bps and more"),
        _step(size, _SIZES, "10,000 and more"),
    )


def _step(value: Decimal | int | None, limits: Iterable[tuple[int, str]], above: str) -> str:
    if value is None:
        return UNKNOWN
    return next((name for limit, name in limits if value < limit), above)
