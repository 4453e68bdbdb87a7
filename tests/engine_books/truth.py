"""What an engine that makes no mistake would have booked over a recorded session."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path

from console.compare.ledger import Coverage, LedgerOrder, Reading
from console.compare.ledger.record import Watch
from console.compare.ledger.sessions import RecordedSessions
from console.sessions import find_session
from order_events import OrderStatus, Side

LIVE = {OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED}


@dataclass(kw_only=True)
class BookedFill:
    """One fill of a book; `transaction` None: the engine has inferred it."""

    transaction: str | None
    base: Decimal
    quote: Decimal
    time: datetime
    side: Side
    maker: bool = True


@dataclass(kw_only=True)
class BookedOrder:
    """One order of a book."""

    account: str
    sequence: int
    placed_tx: str
    base: str
    quote: str
    side: Side
    quantity: Decimal
    price: Decimal
    end: str
    """`open`, `partially_filled`, `filled`, `canceled`, `expired`, `removed`, `rejected`."""
    time: datetime
    fills: list[BookedFill] = field(default_factory=list)
    number: int = 0
    """Makes the engine's own name for it."""

    @property
    def codes(self) -> str:
        """The pair as people write it."""
        return f"{self.base.partition('.')[0]}/{self.quote.partition('.')[0]}"

    @property
    def pair(self) -> tuple[str, str]:
        """Base and quote."""
        return self.base, self.quote


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A session's orders by the ledger, and the session to compare with."""

    record: RecordedSessions
    reading: Reading
    accounts: tuple[str, ...]

    @property
    def covered(self) -> Coverage:
        """The ledgers."""
        return self.reading.coverage[0]


@cache
def recorded(session: str) -> Recorded:
    """Fold a session once: the record answers later readings from what it said first."""
    record = Remembering([find_session(session)])
    accounts = tuple(dict.fromkeys(record.accounts()))
    return Recorded(
        record=record, reading=record.read(accounts, None, None, lambda *_: None), accounts=accounts
    )


class Remembering(RecordedSessions):
    """Sessions that are folded once, however many books are held against them."""

    def read(self, accounts: Sequence[str], first: int | None, last: int | None, watch: Watch) -> Reading:
        """Return what was read before, of these accounts."""
        if first is not None or last is not None or not set(accounts) <= set(self.accounts()):
            return super().read(accounts, first, last, watch)
        if not hasattr(self, "_whole"):
            self._whole = super().read(list(dict.fromkeys(self.accounts())), None, None, watch)
        whole = self._whole
        return Reading(
            source=whole.source,
            orders=[order for order in whole.orders if order.account in accounts],
            coverage=[covered for covered in whole.coverage if covered.account in accounts],
            explain=whole.explain,
        )


def right_book(session: str, seed: int, accounts: tuple[str, ...] | None = None) -> list[BookedOrder]:
    """Return what is right, in the engine's own times."""
    dice = random.Random(f"{session} {seed}")  # noqa: S311
    found = recorded(session)
    orders = [
        order
        for order in found.reading.orders
        if order.placed is not None
        and order.price is not None
        and order.account in (accounts or found.accounts)
    ]
    orders.sort(key=lambda order: (order.placed.ledger_index, order.account, order.sequence))
    return [replace(_booked(order, dice), number=number) for number, order in enumerate(orders, 1)]


def _booked(order: LedgerOrder, dice: random.Random) -> BookedOrder:
    return BookedOrder(
        account=order.account,
        sequence=order.sequence,
        placed_tx=order.placed_tx,
        base=order.base,
        quote=order.quote,
        side=order.side,
        quantity=order.quantity,
        price=order.price,
        end=_end(order),
        time=order.placed.time - timedelta(milliseconds=dice.randrange(100, 900)),
        fills=[
            BookedFill(
                transaction=fill.transaction,
                base=fill.base,
                quote=fill.quote,
                time=fill.at.time + timedelta(milliseconds=dice.randrange(0, 2000)),
                side=order.side,
                maker=fill.transaction != order.placed_tx,
            )
            for fill in order.fills
        ],
    )


def _end(order: LedgerOrder) -> str:
    words = {
        OrderStatus.ACCEPTED: "open",
        OrderStatus.PARTIALLY_FILLED: "partially_filled",
        OrderStatus.LOST: "removed",
    }
    return words.get(order.status, order.status.lower())


def ledger_order(session: str, order: BookedOrder) -> LedgerOrder:
    """Return the ledger's order that a booked one is."""
    key = order.account, order.sequence
    return next(one for one in recorded(session).reading.orders if one.key == key)


def sessions_in(folder: Path) -> list[str]:
    """Return the recorded sessions of a folder whose engine traded."""
    return sorted(str(path) for path in folder.glob("*.json.gz"))
