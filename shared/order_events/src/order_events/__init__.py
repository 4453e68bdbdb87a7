"""The contracts between the engine, the reconciler and whoever listens: events, subjects, ids, schemas.

A contract only ever grows: a field that was published once keeps its name and meaning for ever, and
every golden sample in `samples` must parse for ever. Amounts are decimals in strings;
XRP is counted in drops inside an :class:`Amount` and in XRP wherever a field says quantity or price.
"""

from order_events.codec import Malformed, decode, decode_announcement, encode
from order_events.engine import CancelRequested, EngineEvent, OrderSubmitted, SessionStarted
from order_events.ids import event_id, proof_id, reconciler_event_id
from order_events.orders import (
    Amount,
    MarketContext,
    OrderAccepted,
    OrderCanceled,
    OrderCorrected,
    OrderDisappeared,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderRejected,
)
from order_events.permission import Permission, TradingPermission
from order_events.proofs import LedgerProof, ProvenOrder, ProvenTransaction, PublishedList
from order_events.reconciler import (
    BalanceDrift,
    HistoryGap,
    InvariantBroken,
    OrdersEvent,
    ReconcilerConfirmed,
    ReconcilerEvent,
    ReconcilerHalted,
    ReconcilerResumed,
)
from order_events.schemas import schemas
from order_events.vocabulary import (
    Action,
    Correction,
    LiquiditySide,
    OrderStatus,
    Provenance,
    RemovalReason,
    Resolution,
    Side,
)

__all__ = [
    "Action",
    "Amount",
    "BalanceDrift",
    "CancelRequested",
    "Correction",
    "EngineEvent",
    "HistoryGap",
    "InvariantBroken",
    "LedgerProof",
    "LiquiditySide",
    "Malformed",
    "MarketContext",
    "OrderAccepted",
    "OrderCanceled",
    "OrderCorrected",
    "OrderDisappeared",
    "OrderEvent",
    "OrderExpired",
    "OrderFilled",
    "OrderRejected",
    "OrderStatus",
    "OrderSubmitted",
    "OrdersEvent",
    "Permission",
    "ProvenOrder",
    "ProvenTransaction",
    "Provenance",
    "PublishedList",
    "ReconcilerConfirmed",
    "ReconcilerEvent",
    "ReconcilerHalted",
    "ReconcilerResumed",
    "RemovalReason",
    "Resolution",
    "SessionStarted",
    "Side",
    "TradingPermission",
    "decode",
    "decode_announcement",
    "encode",
    "event_id",
    "proof_id",
    "reconciler_event_id",
    "schemas",
]
