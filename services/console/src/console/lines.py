"""What became of each order, as one line: the answer that `replay` and `demo` both give.

Both get it from the events alone, `replay` from the fold's and `demo` from those that PostgreSQL holds,
so that the two can be held against each other.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from offer_lifecycle import format_decimal
from order_events import (
    Correction,
    OrderCorrected,
    OrderDisappeared,
    OrderEvent,
    OrderFilled,
    OrderStatus,
    RemovalReason,
    Resolution,
)


class FillLine(msgspec.Struct, frozen=True, kw_only=True):
    """One trade in the owner's terms: drops for XRP, decimal tokens otherwise."""

    tx_hash: str
    ledger_index: int
    gave: str
    got: str


class OrderLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One order's end, or where it stands."""

    session: str
    account: str
    sequence: int
    status: OrderStatus
    removal_reason: RemovalReason | None
    removed_by: str | None
    fills: list[FillLine]
    resolution: Resolution | None
    anomaly: bool
    lacks_state: tuple[str, ...] = ()
    """Ledger entries that a live node would be asked for, and that the recording does not have."""


class MissingOrder(LookupError):
    """No event tells of an order that the session placed."""


def order_lines(
    session: str, orders: Iterable[dict[str, Any]], events: Iterable[OrderEvent]
) -> Iterator[OrderLine]:
    """Yield a line for each of the session's orders, in their order.

    Raises:
        MissingOrder: naming the order.

    """
    by_order: dict[tuple[str, int], list[OrderEvent]] = defaultdict(list)
    for event in events:
        by_order[event.account, event.sequence].append(event)
    for order in orders:
        told = sorted(by_order[order["account"], order["sequence"]], key=ledgers_order)
        if not told:
            raise MissingOrder(
                f"session {session}: expected an event for order {order['sequence']} of {order['account']}, "
                "found none"
            )
        last = told[-1]
        yield OrderLine(
            session=session,
            account=last.account,
            sequence=last.sequence,
            status=last.status,
            removal_reason=last.removal_reason,
            removed_by=last.removed_by,
            fills=[_fill(event) for event in told if isinstance(event, OrderFilled)],
            resolution=last.resolution,
            anomaly=_was_anomaly(told),
        )


def _was_anomaly(told: list[OrderEvent]) -> bool:
    withdrawn = {
        event.corrects
        for event in told
        if isinstance(event, OrderCorrected) and event.correction is Correction.WITHDRAWN
    }
    return any(
        isinstance(event, OrderDisappeared) and event.anomaly and event.event_id not in withdrawn
        for event in told
    )


def ledgers_order(event: OrderEvent) -> tuple[bool, bool, int, bool, int]:
    """Return the key that sorts an order's events as the ledger has them, whenever they were learned."""
    # An Expiration that passed has no ledger of its own: it comes after all trades, and before the
    # transaction that sweeps the dead entry away. A correction holds at the end of its ledger
    swept = event.removed_by is not None
    corrected = isinstance(event, OrderCorrected)
    passed = event.ledger_index is None or (corrected and event.status is OrderStatus.EXPIRED)
    return swept, passed, event.ledger_index or 0, corrected, event.transaction_index or 0


def _fill(event: OrderFilled) -> FillLine:
    return FillLine(
        tx_hash=event.transaction_hash or "",
        ledger_index=event.ledger_index or 0,
        gave=format_decimal(event.gave.value),
        got=format_decimal(event.got.value),
    )
