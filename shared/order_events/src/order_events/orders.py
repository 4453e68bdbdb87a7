"""What the reconciler says of an order: stream `ORDERS`, subjects `order.<what>.<account>`."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec

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


class Amount(msgspec.Struct, frozen=True):
    """So much of one asset.

    `asset` is `XRP`, `<currency>.<issuer>` or `MPT.<issuance id>`. `value` is in drops for XRP and in
    decimal tokens (for an MPT: in its smallest unit) otherwise.
    """

    asset: str
    value: Decimal


class MarketContext(msgspec.Struct, frozen=True, kw_only=True):
    """The market around a disappeared order, read at one validated ledger.

    Prices are in quote per base. What is not known is null, and `reason` then says why.
    """

    ledger_index: int
    best_bid: Decimal | None = None
    best_ask: Decimal | None = None
    amm_price: Decimal | None = None
    mid_price: Decimal | None = None
    mid_source: str | None = None
    """`clob`, `amm` or `blended`: what the mid was made from."""
    spread_bps: Decimal | None = None
    distance_bps: Decimal | None = None
    """(our price - mid) / mid in basis points, signed so that positive is away from the market."""
    reason: str | None = None


class OrderEvent(msgspec.Struct, frozen=True, kw_only=True, tag_field="event_type"):
    """What every order event carries: the fact's name, the order, and where the order stands after it.

    Where it stands is told as of the end of the transaction, so that all events of one transaction
    about one order agree.
    """

    event_id: UUID
    version: int = 1
    network_id: int
    account: str
    sequence: int
    """The transaction's Sequence, or its TicketSequence where a ticket was used."""
    client_order_id: str | None
    session_id: str | None
    external: bool
    """True: it is on the ledger, and no engine announced it."""
    market: str
    """`<base>/<quote>`; XRP is the base where it is one of the two, else the asset that sorts first."""
    side: Side
    price: Decimal | None
    """The limit, in quote per base (XRP in XRP, not drops)."""
    quantity: Decimal
    """What was placed, in base."""
    status: OrderStatus
    filled_qty: Decimal
    leaves_qty: Decimal
    """What is left working on the book, in base; 0 once the order has ended."""
    avg_px: Decimal | None
    removal_reason: RemovalReason | None
    """Why it has ended; null while it lives and for a rejected one, which never did."""
    removed_by: str | None
    """Hash of the transaction that ended it; null where none did (yet)."""
    resolution: Resolution | None
    """How far its end is explained; null while it lives."""
    missing_transactions: tuple[str, ...] = ()
    """What touched the order and was not among what was read: a transaction's hash, or where in words."""
    ledger_index: int | None
    """The validated ledger of the fact; null for an Expiration that passed with no transaction."""
    transaction_hash: str | None
    transaction_index: int | None
    occurred_at: datetime
    """Close time of that ledger (UTC); for an Expiration that passed, the Expiration itself."""
    provenance: Provenance


class OrderAccepted(OrderEvent, frozen=True, kw_only=True, tag="order.accepted"):
    """The order rests on the book: its entry was created, or found when the account was adopted."""

    taker_gets: Amount
    taker_pays: Amount
    expiration: datetime | None


class OrderFilled(OrderEvent, frozen=True, kw_only=True, tag="order.filled"):
    """One trade: one transaction's change to one order."""

    trade_id: str
    last_qty: Decimal
    last_px: Decimal | None
    gave: Amount
    """What the offer gave (a transfer fee, which the owner pays on top, is not in it)."""
    got: Amount
    liquidity_side: LiquiditySide


class OrderCanceled(OrderEvent, frozen=True, kw_only=True, tag="order.canceled"):
    """Ended by an OfferCancel, by a replacement, or as the dropped rest of an IOC or FOK that traded."""


class OrderExpired(OrderEvent, frozen=True, kw_only=True, tag="order.expired"):
    """Past its Expiration: `removed_by` is null while the dead entry is still listed."""

    expiration: datetime


class OrderRejected(OrderEvent, frozen=True, kw_only=True, tag="order.rejected"):
    """Validated, and neither rested nor traded."""

    result: str
    """The transaction's result code, as `tecKILLED`."""


class OrderDisappeared(OrderEvent, frozen=True, kw_only=True, tag="order.disappeared"):
    """An order left the book, or never reached it, without the engine's own doing."""

    anomaly: bool
    action_taken: str = Action.NONE
    remaining: Decimal
    """What was left of it when it ended, in base."""
    evidence: str
    """The rule that applied and what in the metadata shows it."""
    sent_by: str | None = None
    """The account whose transaction ended it; null where none did (yet)."""
    unfunded_since: str | None = None
    """Of an unfunded one: the transaction after which its owner had nothing to give; null: not known."""
    market_context: MarketContext | None = None


class OrderCorrected(OrderEvent, frozen=True, kw_only=True, tag="order.corrected"):
    """What was told of the order before is not the whole truth: this is where it stands, as is known now.

    `ledger_index` is the ledger up to which that holds. What happened to the order has events of its own,
    also where it became known late. Both the event that is corrected and this one stay on record.
    """

    version: int = 2
    """Version 1 had `stands` instead of `correction`: true for amended, false for withdrawn."""
    corrects: UUID
    """The id of the earlier event that is now wrong."""
    correction: Correction
    """What becomes of that event: `amended` (only amounts or the cause were incomplete) or `withdrawn`."""
    anomaly: bool
    evidence: str
    """What is known now and was not then."""
