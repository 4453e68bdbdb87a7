"""Which way an order goes: what may come after what, and what never changes again."""

from offer_lifecycle import Order
from order_events import OrderStatus

AFTER: dict[OrderStatus, frozenset[OrderStatus]] = {
    status: frozenset(later)
    for status, later in {
        OrderStatus.SUBMITTED: set(OrderStatus) - {OrderStatus.SUBMITTED},
        # Nothing was seen of it by its deadline: whatever is seen after all is better knowledge
        OrderStatus.LOST: set(OrderStatus) - {OrderStatus.SUBMITTED, OrderStatus.LOST},
        OrderStatus.ACCEPTED: {
            OrderStatus.PARTIALLY_FILLED,
            OrderStatus.FILLED,
            OrderStatus.CANCELED,
            OrderStatus.EXPIRED,
            OrderStatus.REMOVED,
        },
        OrderStatus.PARTIALLY_FILLED: {
            OrderStatus.FILLED,
            OrderStatus.CANCELED,
            OrderStatus.EXPIRED,
            OrderStatus.REMOVED,
        },
        # By the clock; its entry is still listed, until somebody sweeps it away
        OrderStatus.EXPIRED: {OrderStatus.CANCELED, OrderStatus.REMOVED},
        OrderStatus.FILLED: set(),
        OrderStatus.CANCELED: set(),
        OrderStatus.REJECTED: set(),
        OrderStatus.REMOVED: set(),
    }.items()
}
"""The statuses that may come later; PENDING_CANCEL is the engine's own view and never the ledger's."""


def assert_forward(before: Order, after: Order) -> None:
    """Hold an order against what it was before."""
    assert after.status is before.status or after.status in AFTER[before.status]
    assert after.gave >= before.gave
    assert after.got >= before.got
    assert after.filled_qty >= before.filled_qty
    if before.removed_by is not None:
        assert after.removed_by == before.removed_by
    if before.ended and before.status is not OrderStatus.LOST:
        assert (after.gave, after.got) == (before.gave, before.got)
    if before.status is OrderStatus.EXPIRED and after.status is not OrderStatus.EXPIRED:
        assert before.listed
        assert after.removed_by is not None
