"""Anomalies and disappearances: ends of orders that the engine neither asked for nor planned."""

from offer_lifecycle.order import Order
from order_events import OrderStatus, RemovalReason

ORDINARY = frozenset({RemovalReason.FILLED, RemovalReason.KILLED, RemovalReason.EXPIRED})
"""Ends that are never an anomaly."""
ASKED_FOR = frozenset({RemovalReason.CANCELED, RemovalReason.REPLACED})
"""Ends that are an anomaly only where the engine did not ask for them."""


def is_anomaly(
    order: Order, reason: RemovalReason, *, by_engine: bool, ledger_index: int, lost_until: int = 0
) -> bool:
    """Return whether the end of an order in a ledger is an anomaly.

    Args:
        order: its state before the end.
        reason: why it ended.
        by_engine: whether the engine announced the transaction that ended it.
        ledger_index: the ledger in which it ended.
        lost_until: up to this ledger, a cancel of the engine's may have been announced and lost.

    """
    if reason in ORDINARY or order.status is OrderStatus.EXPIRED:
        return False  # a fill, a limit of the order's own making, or dead already by its own Expiration
    if order.cancel_in_flight(ledger_index):
        return False  # the engine wanted it gone; who was first is an ordinary race
    if reason in ASKED_FOR:
        # Nobody can tell who cancels what no engine announced, or what it announced and nobody heard
        return not by_engine and not order.external and ledger_index > lost_until
    return True


def is_disappearance(order: Order, reason: RemovalReason, *, by_engine: bool) -> bool:
    """Whether an engine that believes the order active would miss it, not having ended it itself."""
    if reason in ASKED_FOR:
        return not by_engine and not order.external
    return reason not in {RemovalReason.KILLED, RemovalReason.EXPIRED}
