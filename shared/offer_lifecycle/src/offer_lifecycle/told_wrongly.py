"""Corrections of events that one server told, and that the ledger, read and proven, does not hold."""

from collections.abc import Mapping

import msgspec

from offer_lifecycle import events
from offer_lifecycle.amounts import ZERO
from offer_lifecycle.events import Fact
from offer_lifecycle.order import Order
from offer_lifecycle.transaction import Header
from order_events import Correction, OrderCorrected, OrderEvent, OrderStatus, event_id


def correct_told_event(
    told: OrderEvent, read: OrderEvent | None, orders: Mapping[int, Order], header: Header
) -> OrderCorrected:
    """Return what corrects an event that was told of the ledger at `header`.

    `read`: the event of the same id that the ledger gives; None: it gives none, and the event is withdrawn.
    `orders`: the account's after the ledger. An order that is not among them never was.
    """
    what = "the ledger holds no such event" if read is None else "the ledger holds it with other contents"
    correction = Correction.WITHDRAWN if read is None else Correction.AMENDED
    evidence = f"{what}: ledger {header.ledger_index}, {header.ledger_hash}"
    order = orders.get(told.sequence)
    if order is None:
        return _of_no_order(told, header, evidence)
    fact = Fact(network_id=told.network_id, ledger_index=header.ledger_index, time=header.close_time)
    return events.corrected(
        order, fact, evidence, corrects=told.event_id, by=header.ledger_hash, correction=correction
    )


def _of_no_order(told: OrderEvent, header: Header, evidence: str) -> OrderCorrected:
    """Withdraw an event of an order that never was: it neither rested nor traded."""
    common = {name: getattr(told, name) for name in OrderEvent.__struct_fields__ if name != "version"}
    named = event_id(
        network_id=told.network_id,
        kind="order.corrected",
        account=told.account,
        sequence=told.sequence,
        transaction_hash=f"{told.event_id} by {header.ledger_hash}",
    )
    nothing = OrderCorrected(
        **common, corrects=told.event_id, correction=Correction.WITHDRAWN, anomaly=False, evidence=evidence
    )
    return msgspec.structs.replace(
        nothing,
        event_id=named,
        status=OrderStatus.REJECTED,
        filled_qty=ZERO,
        leaves_qty=ZERO,
        avg_px=None,
        removal_reason=None,
        removed_by=None,
        resolution=None,
        transaction_hash=None,
        transaction_index=None,
    )
