"""From the kernel's events of one order to how it stands."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from console.compare.ledger.record import LedgerFill, LedgerOrder, Moment
from console.lines import ledgers_order
from offer_lifecycle import units
from order_events import (
    OrderAccepted,
    OrderEvent,
    OrderFilled,
    OrderRejected,
    OrderStatus,
    Provenance,
    RemovalReason,
    Side,
)
from order_events.vocabulary import LiquiditySide

_OWN_END = frozenset({RemovalReason.CANCELED, RemovalReason.REPLACED})


def ledger_order(events: Sequence[OrderEvent]) -> LedgerOrder | None:
    """Return the order that the events tell of; None: no ledger has it (an engine's word alone)."""
    told = sorted(
        (event for event in events if event.provenance is not Provenance.PRESUMED), key=ledgers_order
    )
    if not told or all(event.status is OrderStatus.LOST for event in told):
        return None
    last, placing = told[-1], _placing(told)
    base, _, quote = last.market.partition("/")
    return LedgerOrder(
        account=last.account,
        sequence=last.sequence,
        placed_tx=None if placing is None else placing.transaction_hash,
        base=base,
        quote=quote,
        side=last.side,
        quantity=last.quantity,
        price=last.price,
        status=last.status,
        reason=last.removal_reason,
        removed_by=last.removed_by,
        ended_by_owner=last.removal_reason in _OWN_END,
        placed=None if placing is None else _moment(placing),
        ended=_end(told, last),
        expired_at=_expired_at(last),
        fills=tuple(_fill(event) for event in told if isinstance(event, OrderFilled)),
        distance_bps=_distance(told),
    )


def _placing(told: Sequence[OrderEvent]) -> OrderEvent | None:
    """Return the event of the order's own transaction; None: it is older than what was read."""
    for event in told:
        if isinstance(event, OrderFilled) and event.liquidity_side is not LiquiditySide.TAKER:
            continue
        if isinstance(event, OrderAccepted | OrderFilled | OrderRejected):
            return event if event.transaction_hash is not None else None
    return None


def _end(told: Sequence[OrderEvent], last: OrderEvent) -> Moment | None:
    if last.removed_by is None and last.status is not OrderStatus.REJECTED:
        return None
    ending = next((event for event in told if event.transaction_hash == last.removed_by), last)
    return _moment(ending)


def _expired_at(last: OrderEvent) -> datetime | None:
    lingers = last.status is OrderStatus.EXPIRED and last.removed_by is None
    return last.occurred_at if lingers else None


def _moment(event: OrderEvent) -> Moment | None:
    if event.ledger_index is None:
        return None
    return Moment(ledger_index=event.ledger_index, time=event.occurred_at)


def _fill(event: OrderFilled) -> LedgerFill:
    gave, got = units(event.gave), units(event.got)
    base, quote = (gave, got) if event.side is Side.SELL else (got, gave)
    at = _moment(event)
    assert at is not None  # noqa: S101 - a proven fill has its ledger
    return LedgerFill(transaction=event.transaction_hash or "", at=at, base=base, quote=quote)


def _distance(told: Sequence[OrderEvent]) -> Decimal | None:
    contexts = (getattr(event, "market_context", None) for event in told)
    return next((context.distance_bps for context in contexts if context is not None), None)
