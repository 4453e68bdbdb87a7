"""Faults of every kind, each on an order of its own."""

import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import ROUND_DOWN, Decimal

from console.compare.findings import Kind
from console.compare.ledger import LedgerOrder
from engine_books.truth import LIVE, BookedFill, BookedOrder, recorded, right_book
from order_events import OrderStatus, RemovalReason, Side


@dataclass(frozen=True, kw_only=True)
class Injected:
    """What was done to a book, and what must be found."""

    fault: str
    kind: Kind | None
    """None: a decoy, which must not be found."""
    account: str
    sequence: int
    placed_tx: str


@dataclass(kw_only=True)
class FaultyBook:
    """A book with its faults."""

    session: str
    accounts: tuple[str, ...]
    orders: list[BookedOrder]
    injected: list[Injected]


class _Making:
    """A book while faults are put in."""

    def __init__(
        self, session: str, seed: int, accounts: tuple[str, ...] | None, pair: tuple[str, str] | None
    ) -> None:
        self.dice = random.Random(f"faults {session} {seed}")  # noqa: S311
        self.found = recorded(session)
        self.accounts = accounts or self.found.accounts
        codes = ["/".join(pair)] if pair is not None else None
        self.orders = [
            order
            for order in right_book(session, seed, self.accounts)
            if codes is None or order.codes in codes
        ]
        by_key = {order.key: order for order in self.found.reading.orders}
        self.ledger = {order.number: by_key[order.account, order.sequence] for order in self.orders}
        self.touched: set[int] = set()
        self.injected: list[Injected] = []

    def free(self, fits: Callable[[BookedOrder, LedgerOrder], bool]) -> BookedOrder | None:
        """Pick an untouched order that fits."""
        fitting = [
            order for order in self.orders if order.number not in self.touched and fits(order, self.of(order))
        ]
        if not fitting:
            return None
        order = self.dice.choice(fitting)
        self.touched.add(order.number)
        return order

    def of(self, order: BookedOrder) -> LedgerOrder:
        """Return the ledger's order."""
        return self.ledger[order.number]

    def note(self, fault: str, kind: Kind | None, order: BookedOrder) -> None:
        """Note what was done."""
        self.injected.append(
            Injected(
                fault=fault,
                kind=kind,
                account=order.account,
                sequence=order.sequence,
                placed_tx=order.placed_tx,
            )
        )


def faulty_book(  # noqa: PLR0913 - what a book is made of
    session: str,
    seed: int,
    each: int,
    *,
    without: set[str] = frozenset(),
    accounts: tuple[str, ...] | None = None,
    pair: tuple[str, str] | None = None,
) -> FaultyBook:
    """Put `each` faults of every kind that the session has orders for into its book."""
    making = _Making(session, seed, accounts, pair)
    for _ in range(each):
        for name, inject in FAULTS.items():
            if name not in without:
                inject(making)
    return FaultyBook(
        session=session, accounts=making.accounts, orders=making.orders, injected=making.injected
    )


def _phantom_full_fill(making: _Making) -> None:
    order = making.free(
        lambda _, ledger: _gone(ledger) and ledger.removed_by is not None and _rest(ledger) > 0
    )
    if order is None:
        return
    ledger = making.of(order)
    rest = _rest(ledger)
    transaction = making.dice.choice([None, ledger.removed_by])
    time = ledger.end + timedelta(seconds=1)
    quote = rest * order.price
    order.fills.append(
        BookedFill(transaction=transaction, base=rest, quote=quote, time=time, side=order.side)
    )
    order.end = "filled"
    making.note("phantom_full_fill", Kind.PHANTOM_FILL, order)


def _missed_whole_fill(making: _Making) -> None:
    order = making.free(lambda booked, ledger: booked.end == "filled" and len(ledger.fills) == 1)
    if order is not None:
        order.fills.clear()
        order.end = making.dice.choice(["filled", "open"])
        making.note("missed_whole_fill", Kind.MISSED_FILL, order)


def _missed_partial_fill(making: _Making) -> None:
    order = making.free(lambda _, ledger: len(ledger.fills) > 1)
    if order is not None:
        del order.fills[making.dice.randrange(len(order.fills))]
        making.note("missed_partial_fill", Kind.MISSED_FILL, order)


def _double_booking(making: _Making) -> None:
    order = making.free(lambda _, ledger: bool(ledger.fills) and _alone(ledger))
    if order is not None:
        fill = making.dice.choice(order.fills)
        order.fills.append(replace(fill, time=fill.time + timedelta(milliseconds=300)))
        making.note("double_booking", Kind.DOUBLE_BOOKING, order)


def _amount_off(making: _Making) -> None:
    order = making.free(lambda _, ledger: any(fill.base > 1 and fill.quote > 1 for fill in ledger.fills))
    if order is None:
        return
    fill = next(fill for fill in order.fills if fill.base > 1 and fill.quote > 1)
    factor = 1 + Decimal(making.dice.choice([-1, 1])) * Decimal(making.dice.randrange(5, 300)) / 1000
    fill.quote *= factor
    if making.dice.random() < 0.5:
        fill.base *= factor
        making.note("amount_off base", Kind.AMOUNT_OFF, order)
    else:
        making.note("amount_off quote", Kind.PRICE_OFF, order)


def _amount_truncated(making: _Making) -> None:
    order = making.free(lambda _, ledger: any(fill.base > 10 for fill in ledger.fills))
    if order is not None:
        fill = next(fill for fill in order.fills if fill.base > 10)
        price = fill.quote / fill.base
        fill.base = fill.base.quantize(Decimal("0.0001"), ROUND_DOWN)
        fill.quote = fill.base * price
        making.note("amount_truncated", None, order)


def _fill_on_wrong_order(making: _Making) -> None:
    order = making.free(lambda _, ledger: any(fill.base > 1 for fill in ledger.fills))
    if order is None:
        return
    other = making.free(
        lambda booked, _: booked.account == order.account and booked.pair == order.pair
        and booked.side is order.side and booked.end != "rejected"
    )  # fmt: skip
    if other is None:
        making.touched.discard(order.number)
        return
    fill = next(fill for fill in order.fills if fill.base > 1)
    order.fills.remove(fill)
    other.fills.append(fill)
    making.note("fill_on_wrong_order", Kind.FILL_ON_WRONG_ORDER, order)


def _canceled_that_was_filled(making: _Making) -> None:
    order = making.free(lambda booked, ledger: booked.end == "filled" and bool(ledger.fills))
    if order is not None:
        order.end = "canceled"
        if making.dice.random() < 0.5:
            order.fills.pop()
        making.note("canceled_that_was_filled", Kind.ENDED_OTHERWISE, order)


def _filled_that_was(reason: RemovalReason) -> Callable[[_Making], None]:
    def inject(making: _Making) -> None:
        order = making.free(
            lambda _, ledger: ledger.reason is reason and _rest(ledger) > ledger.quantity / 1000
        )
        if order is not None:
            order.end = "filled"
            making.note(f"filled_that_was_{reason.lower()}", Kind.ENDED_OTHERWISE, order)

    return inject


def _open_in_book(making: _Making) -> None:
    order = making.free(lambda _, ledger: _gone(ledger) or ledger.status is OrderStatus.FILLED)
    if order is not None:
        order.end = "open"
        making.note("open_in_book_gone_on_ledger", Kind.OPEN_IN_BOOK_GONE_ON_LEDGER, order)


def _unknown_order(making: _Making) -> None:
    if not making.orders:
        return
    covered = making.found.covered
    ledgers = covered.last.ledger_index - covered.first.ledger_index
    latest = covered.last.time - (covered.last.time - covered.first.time) / ledgers * 3
    early = [order for order in making.orders if covered.first.time < order.time < latest]
    if not early:
        return
    like = making.dice.choice(early)
    numbers = {order.sequence for order in (*making.found.reading.orders, *making.orders)}
    sequence = max(numbers) + 100 + making.dice.randrange(100)
    order = replace(
        like,
        sequence=sequence,
        placed_tx=_some_hash(making.dice),
        fills=[],
        end="open",
        number=10_000 + sequence,
    )
    making.ledger[order.number] = making.of(like)
    making.touched.add(order.number)
    making.orders.append(order)
    making.note("unknown_order", Kind.UNKNOWN_ORDER, order)


def _not_in_book(making: _Making) -> None:
    order = making.free(lambda booked, _: booked.end != "rejected")
    if order is not None:
        making.orders.remove(order)
        making.note("not_in_book", Kind.NOT_IN_BOOK, order)


def _booked_at_another_time(name: str, kind: Kind, least: int, most: int) -> Callable[[_Making], None]:
    def inject(making: _Making) -> None:
        order = making.free(lambda _, ledger: bool(ledger.fills))
        if order is not None:
            fill = making.dice.choice(order.fills)
            fill.time += timedelta(seconds=making.dice.randrange(least, most))
            making.note(name, kind, order)

    return inject


def _wrong_side(making: _Making) -> None:
    order = making.free(lambda booked, _: booked.end != "rejected")
    if order is not None:
        order.side = Side.BUY if order.side is Side.SELL else Side.SELL
        for fill in order.fills:
            fill.side = order.side
        making.note("wrong_side", Kind.WRONG_SIDE, order)


def _wrong_account(making: _Making) -> None:
    others = making.accounts
    if len(others) < 2:
        return
    order = making.free(lambda booked, _: booked.end != "rejected")
    if order is not None:
        making.note("wrong_account", Kind.WRONG_ACCOUNT, order)
        order.account = making.dice.choice([account for account in others if account != order.account])


FAULTS: dict[str, Callable[[_Making], None]] = {
    "phantom_full_fill": _phantom_full_fill,
    "missed_whole_fill": _missed_whole_fill,
    "missed_partial_fill": _missed_partial_fill,
    "double_booking": _double_booking,
    "amount_off": _amount_off,
    "amount_truncated": _amount_truncated,
    "fill_on_wrong_order": _fill_on_wrong_order,
    "canceled_that_was_filled": _canceled_that_was_filled,
    "filled_that_was_canceled": _filled_that_was(RemovalReason.CANCELED),
    "filled_that_was_replaced": _filled_that_was(RemovalReason.REPLACED),
    "filled_that_was_expired": _filled_that_was(RemovalReason.EXPIRED),
    "filled_that_was_unfunded": _filled_that_was(RemovalReason.UNFUNDED),
    "filled_that_was_self_crossed": _filled_that_was(RemovalReason.SELF_CROSSED),
    "open_in_book_gone_on_ledger": _open_in_book,
    "unknown_order": _unknown_order,
    "not_in_book": _not_in_book,
    "fill_booked_late": _booked_at_another_time("fill_booked_late", Kind.FILL_BOOKED_LATE, 120, 9000),
    "fill_booked_early": _booked_at_another_time("fill_booked_early", Kind.FILL_BOOKED_EARLY, -600, -15),
    "wrong_side": _wrong_side,
    "wrong_account": _wrong_account,
}


def inferred(book: FaultyBook, share: float, seed: int) -> Iterator[BookedFill]:
    """Take the transactions of a share of the right fills away, as engines do that infer fills."""
    dice = random.Random(f"inferred {seed}")  # noqa: S311
    faulty = {(one.account, one.sequence) for one in book.injected}
    for order in book.orders:
        if (order.account, order.sequence) not in faulty:
            for fill in order.fills:
                if dice.random() < share:
                    fill.transaction = None
                    yield fill


def _gone(ledger: LedgerOrder) -> bool:
    return ledger.status not in LIVE and ledger.status not in {OrderStatus.FILLED, OrderStatus.REJECTED}


def _rest(ledger: LedgerOrder) -> Decimal:
    return ledger.quantity - sum((fill.base for fill in ledger.fills), Decimal(0))


def _alone(ledger: LedgerOrder) -> bool:
    """Whether no two of its fills have the same amounts."""
    return len({(fill.base, fill.quote) for fill in ledger.fills}) == len(ledger.fills)


def _some_hash(dice: random.Random) -> str:
    return (uuid.UUID(int=dice.getrandbits(128)).hex + uuid.UUID(int=dice.getrandbits(128)).hex).upper()
