"""Events: each is derived from an order and the fact that changed it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec

from offer_lifecycle.amounts import ZERO, market_of
from offer_lifecycle.order import Order
from offer_lifecycle.transaction import RIPPLE_EPOCH, Transaction
from order_events import (
    Action,
    Amount,
    Correction,
    LiquiditySide,
    OrderAccepted,
    OrderCanceled,
    OrderCorrected,
    OrderDisappeared,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    Provenance,
    RemovalReason,
    event_id,
)

_ACTIONS = {
    RemovalReason.FILLED: Action.FILL_APPLIED,
    RemovalReason.UNEXPLAINED: Action.HELD,
    RemovalReason.UNKNOWN: Action.HELD,
}
"""What is done about a disappearance, by its reason; any other reason: CLOSED."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=RIPPLE_EPOCH)


@lru_cache(maxsize=64)
def ripple_time_to_datetime(ripple_seconds: int) -> datetime:
    """Return the moment that the ledger's clock shows."""
    return _EPOCH + timedelta(seconds=ripple_seconds)


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """Where and when something was validated."""

    network_id: int
    ledger_index: int | None
    time: int
    """Ripple seconds."""
    tx: Transaction | None = None
    provenance: Provenance = Provenance.LIVE

    @property
    def transaction_hash(self) -> str | None:
        """The transaction's hash, if one did it."""
        return None if self.tx is None else self.tx.hash


def accepted(order: Order, fact: Fact) -> OrderAccepted:
    """Tell that the order rests on the book."""
    return OrderAccepted(
        **_order(order, fact, "order.accepted", named_by=None),
        taker_gets=order.gets,
        taker_pays=order.pays,
        expiration=None if order.expiration is None else ripple_time_to_datetime(order.expiration),
    )


def filled(order: Order, fact: Fact, gave: Decimal, got: Decimal, side: LiquiditySide) -> OrderFilled:
    """Tell that a transaction took so much of the order: drops for XRP, decimal tokens otherwise."""
    common = _order(order, fact, "order.filled", named_by=fact.transaction_hash)
    return OrderFilled(
        **common,
        trade_id=str(common["event_id"]),
        last_qty=order.base_of(gave, got),
        last_px=order.price_of(gave, got),
        gave=Amount(order.gets.asset, gave),
        got=Amount(order.pays.asset, got),
        liquidity_side=side,
    )


def canceled(order: Order, fact: Fact) -> OrderCanceled:
    """Tell that the order was canceled or replaced, or its rest dropped."""
    return OrderCanceled(**_order(order, fact, "order.canceled", named_by=fact.transaction_hash))


def expired(order: Order, fact: Fact) -> OrderExpired:
    """Tell that the order's Expiration passed, or that a transaction swept it away after that."""
    return OrderExpired(
        **_order(order, fact, "order.expired", named_by=fact.transaction_hash),
        expiration=ripple_time_to_datetime(order.expiration or 0),
    )


def rejected(order: Order, fact: Fact, result: str) -> OrderRejected:
    """Tell that the order's transaction was validated and left nothing."""
    return OrderRejected(
        **_order(order, fact, "order.rejected", named_by=fact.transaction_hash), result=result
    )


def disappeared(
    order: Order,
    fact: Fact,
    evidence: str,
    *,
    unfunded_since: str | None = None,
    named_by: str | None = None,
) -> OrderDisappeared:
    """Tell that the order left the book, or never reached it, without the engine's own doing.

    `named_by`: what tells it from the order's other disappearances; None: its transaction.
    """
    return OrderDisappeared(
        **_order(order, fact, "order.disappeared", named_by=named_by or fact.transaction_hash),
        anomaly=order.anomaly,
        action_taken=_ACTIONS.get(order.removal_reason or RemovalReason.UNKNOWN, Action.CLOSED),
        remaining=order.remaining,
        evidence=evidence,
        sent_by=None if fact.tx is None else fact.tx.account,
        unfunded_since=unfunded_since,
    )


def corrected(  # noqa: PLR0913 - the order, the fact, and what is corrected by what
    order: Order, fact: Fact, evidence: str, *, corrects: UUID, by: str, correction: Correction
) -> OrderCorrected:
    """Tell where the order stands at `fact`, against an earlier event; `by`: what made it known."""
    return OrderCorrected(
        **_order(order, fact, "order.corrected", named_by=f"{corrects} by {by}"),
        corrects=corrects,
        correction=correction,
        anomaly=order.anomaly,
        evidence=evidence,
    )


def _order(order: Order, fact: Fact, kind: str, *, named_by: str | None) -> dict[str, Any]:
    market, side = market_of(order.gets.asset, order.pays.asset)
    tx = fact.tx
    return {
        "event_id": event_id(
            network_id=fact.network_id,
            kind=kind,
            account=order.account,
            sequence=order.sequence,
            transaction_hash=named_by,
        ),
        "network_id": fact.network_id,
        "account": order.account,
        "sequence": order.sequence,
        "client_order_id": order.client_order_id,
        "session_id": order.session_id,
        "external": order.external,
        "market": market,
        "side": side,
        "price": order.price,
        "quantity": order.quantity,
        "status": order.status,
        "filled_qty": order.filled_qty,
        "leaves_qty": ZERO if order.ended else order.remaining,
        "avg_px": order.avg_px,
        "removal_reason": order.removal_reason,
        "removed_by": order.removed_by,
        "resolution": order.resolution,
        "missing_transactions": order.missing,
        "ledger_index": fact.ledger_index,
        "transaction_hash": None if tx is None else tx.hash,
        "transaction_index": None if tx is None else tx.index,
        "occurred_at": ripple_time_to_datetime(fact.time),
        "provenance": fact.provenance,
    }
