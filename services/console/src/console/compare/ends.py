"""How an order ended by the book and by the ledger, and whether the two agree.

Formats have no word for some ends (Hummingbot calls an expired order canceled), so the words for an
order that is gone without being filled are one end. Which cause it was is shown beside, and is no fault.
"""

from decimal import Decimal
from enum import StrEnum

from console.compare.books import BookStatus
from console.compare.ledger import LedgerOrder
from console.compare.precision import ROUNDED_SHARE
from order_events import OrderStatus


class End(StrEnum):
    """How an order stands, as far as money goes."""

    OPEN = "open"
    FILLED = "filled"
    GONE = "gone"
    """Ended, and not filled to its end."""


BOOK_ENDS = {
    BookStatus.OPEN: End.OPEN,
    BookStatus.FILLED: End.FILLED,
    BookStatus.CANCELED: End.GONE,
    BookStatus.EXPIRED: End.GONE,
    BookStatus.REMOVED: End.GONE,
    BookStatus.REJECTED: End.GONE,
}
_LEDGER_ENDS = {
    OrderStatus.SUBMITTED: End.OPEN,
    OrderStatus.ACCEPTED: End.OPEN,
    OrderStatus.PARTIALLY_FILLED: End.OPEN,
    OrderStatus.PENDING_CANCEL: End.OPEN,
    OrderStatus.FILLED: End.FILLED,
    OrderStatus.CANCELED: End.GONE,
    OrderStatus.EXPIRED: End.GONE,
    OrderStatus.REJECTED: End.GONE,
    OrderStatus.REMOVED: End.GONE,
    OrderStatus.LOST: End.GONE,
}


def ledger_end(order: LedgerOrder) -> End:
    """Return how the ledger's order stands."""
    return _LEDGER_ENDS[order.status]


def ends_agree(status: BookStatus, order: LedgerOrder) -> bool:
    """Whether the book's status and the ledger's are the same end, as far as the book's words go."""
    booked = BOOK_ENDS.get(status)
    happened = ledger_end(order)
    if booked is None or booked is happened:
        return True
    return booked is End.FILLED and happened is End.GONE and _all_but_dust(order)


def _all_but_dust(order: LedgerOrder) -> bool:
    """Whether what never traded is too little for a book to show: the ledger drops such rests."""
    traded = sum((fill.base for fill in order.fills), Decimal(0))
    return bool(order.quantity) and order.quantity - traded <= order.quantity * ROUNDED_SHARE
