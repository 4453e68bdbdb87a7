"""What the reconciler says of an order: stream `ORDERS`, subjects `order.<what>.<account>`.

The descriptions of the fields, with their units, go into the JSON Schemas and the AsyncAPI document.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

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

Evidence = Annotated[str, Meta(description="The rule that applied and what in the metadata shows it.")]


class Amount(Struct, frozen=True):
    """A quantity of one asset, as the ledger counts it."""

    asset: Annotated[
        str, Meta(description="`XRP`, `<currency>.<issuer>` or an MPT issuance id (48 hexadecimal digits).")
    ]
    value: Annotated[
        Decimal,
        Meta(description="XRP in drops; tokens in decimal tokens; an MPT in its smallest unit."),
    ]


class MarketContext(Struct, frozen=True, kw_only=True):
    """The market around a disappeared order, read at one validated ledger.

    What is not known is null, and `reason` then says why.
    """

    ledger_index: Annotated[int, Meta(description="The validated ledger at which the market was read.")]
    best_bid: Annotated[
        Decimal | None, Meta(description="Highest price of the buy side's offers, in quote per base.")
    ] = None
    best_ask: Annotated[
        Decimal | None, Meta(description="Lowest price of the sell side's offers, in quote per base.")
    ] = None
    amm_price: Annotated[
        Decimal | None,
        Meta(description="Spot price of the market's AMM, in quote per base, its fee left out."),
    ] = None
    mid_price: Annotated[Decimal | None, Meta(description="Mid price, in quote per base.")] = None
    mid_source: Annotated[
        str | None, Meta(description="What the mid price was made from: `clob`, `amm` or `blended`.")
    ] = None
    spread_bps: Annotated[
        Decimal | None, Meta(description="(best ask - best bid) / mid, in basis points.")
    ] = None
    distance_bps: Annotated[
        Decimal | None,
        Meta(
            description="(the order's price - mid) / mid, in basis points; positive is away from the market."
        ),
    ] = None
    reason: Annotated[str | None, Meta(description="Why a price is not known; null if all of them are.")] = (
        None
    )


class OrderEvent(Struct, frozen=True, kw_only=True, tag_field="event_type"):
    """What every order event carries: the fact's name, the order, and the order's state after it.

    The state is that at the end of the transaction, so that all events of one transaction about one order
    agree.
    """

    event_id: Annotated[
        UUID,
        Meta(
            description="The fact's name, derived from network, transaction, order and kind; the same fact "
            "has the same id for ever. It is the message's Nats-Msg-Id and the primary key in PostgreSQL."
        ),
    ]
    version: Annotated[int, Meta(description="The version of this event type's schema.")] = 1
    network_id: Annotated[int, Meta(description="The ledger's network id; 0 is the main network.")]
    account: Annotated[str, Meta(description="The order's owner, a classic address.")]
    sequence: Annotated[
        int, Meta(description="The order's Sequence, or its TicketSequence where a ticket was used.")
    ]
    client_order_id: Annotated[
        str | None, Meta(description="The engine's own name of the order; null: the engine announced none.")
    ]
    session_id: Annotated[
        str | None, Meta(description="The engine's session; null: the engine announced none.")
    ]
    external: Annotated[
        bool, Meta(description="True: the order is on the ledger, and no engine announced it.")
    ]
    market: Annotated[
        str,
        Meta(
            description="`<base>/<quote>`; XRP is the base where it is one of the two, else the asset that "
            "sorts first."
        ),
    ]
    side: Annotated[Side, Meta(description="The order's side, seen from the base asset.")]
    price: Annotated[
        Decimal | None, Meta(description="The limit, in quote per base (XRP in XRP, not drops).")
    ]
    quantity: Annotated[Decimal, Meta(description="The quantity that was placed, in base (XRP in XRP).")]
    status: Annotated[OrderStatus, Meta(description="The order's status after the fact.")]
    filled_qty: Annotated[
        Decimal, Meta(description="The quantity that has traded so far, in base (XRP in XRP).")
    ]
    leaves_qty: Annotated[
        Decimal,
        Meta(description="The quantity that still works on the book, in base (XRP in XRP); 0 once ended."),
    ]
    avg_px: Annotated[
        Decimal | None,
        Meta(description="Average price of all trades so far, in quote per base; null before the first."),
    ]
    removal_reason: Annotated[
        RemovalReason | None,
        Meta(description="Why the order ended; null while it lives and for a rejected one, which never did."),
    ]
    removed_by: Annotated[
        str | None,
        Meta(description="Hash of the transaction that ended the order; null where none did (yet)."),
    ]
    resolution: Annotated[
        Resolution | None, Meta(description="How far the order's end is explained; null while it lives.")
    ]
    missing_transactions: Annotated[
        tuple[str, ...],
        Meta(
            description="Transactions that touched the order and were not read: each a hash, or in words "
            "the ledgers in which they are."
        ),
    ] = ()
    ledger_index: Annotated[
        int | None,
        Meta(
            description="The validated ledger of the fact; null for an Expiration that passed with no "
            "transaction."
        ),
    ]
    transaction_hash: Annotated[
        str | None, Meta(description="Hash of the transaction of the fact; null where there is none.")
    ]
    transaction_index: Annotated[
        int | None,
        Meta(description="That transaction's TransactionIndex in its ledger; null where there is none."),
    ]
    occurred_at: Annotated[
        datetime,
        Meta(
            description="Close time of that ledger (UTC); for an Expiration that passed, the Expiration "
            "itself."
        ),
    ]
    provenance: Annotated[
        Provenance, Meta(description="Whether the fact is of the time in which the account was followed.")
    ]


class OrderAccepted(OrderEvent, frozen=True, kw_only=True, tag="order.accepted"):
    """The order rests on the book: its entry was created, or found when the account was adopted."""

    taker_gets: Annotated[Amount, Meta(description="The entry's TakerGets: what the order gives.")]
    taker_pays: Annotated[Amount, Meta(description="The entry's TakerPays: what the order asks for.")]
    expiration: Annotated[
        datetime | None, Meta(description="The entry's Expiration (UTC); null: the order has none.")
    ]


class OrderFilled(OrderEvent, frozen=True, kw_only=True, tag="order.filled"):
    """One trade: one transaction's change to one order."""

    trade_id: Annotated[str, Meta(description="The trade's name: the event's id, as text.")]
    last_qty: Annotated[Decimal, Meta(description="This trade's quantity, in base (XRP in XRP).")]
    last_px: Annotated[
        Decimal | None,
        Meta(description="This trade's price, in quote per base (XRP in XRP); null: nothing in base moved."),
    ]
    gave: Annotated[
        Amount,
        Meta(
            description="What the offer gave, as the ledger counts it; a transfer fee, which the owner pays "
            "on top, is not in it."
        ),
    ]
    got: Annotated[Amount, Meta(description="What the offer got, as the ledger counts it.")]
    liquidity_side: Annotated[
        LiquiditySide, Meta(description="Whether the order rested or took others in its own transaction.")
    ]


class OrderCanceled(OrderEvent, frozen=True, kw_only=True, tag="order.canceled"):
    """Ended by an OfferCancel, by a replacement, or as the dropped rest of an IOC or FOK that traded."""


class OrderExpired(OrderEvent, frozen=True, kw_only=True, tag="order.expired"):
    """Past its Expiration: `removed_by` is null while the dead entry is still listed."""

    expiration: Annotated[datetime, Meta(description="The order's Expiration (UTC).")]


class OrderRejected(OrderEvent, frozen=True, kw_only=True, tag="order.rejected"):
    """Validated, and neither rested nor traded."""

    result: Annotated[str, Meta(description="The transaction's result code, as `tecKILLED`.")]


class OrderDisappeared(OrderEvent, frozen=True, kw_only=True, tag="order.disappeared"):
    """An order left the book, or never reached it, without the engine's own doing."""

    anomaly: Annotated[bool, Meta(description="True: the engine neither asked for this end nor planned it.")]
    action_taken: Annotated[
        str,
        Meta(
            description="What the reconciler did about it: `none`, `closed`, `fill_applied`, `held`, "
            "`presumed_filled`, `halted`; readers must accept words not listed here."
        ),
    ] = Action.NONE
    remaining: Annotated[
        Decimal, Meta(description="The quantity that was left when the order ended, in base (XRP in XRP).")
    ]
    evidence: Evidence
    sent_by: Annotated[
        str | None,
        Meta(description="The account whose transaction ended the order; null where none did (yet)."),
    ] = None
    unfunded_since: Annotated[
        str | None,
        Meta(
            description="Of an unfunded order: hash of the transaction after which its owner had nothing to "
            "give; null: not known."
        ),
    ] = None
    market_context: Annotated[
        MarketContext | None, Meta(description="The market at that moment; null: it was not read.")
    ] = None


class OrderCorrected(OrderEvent, frozen=True, kw_only=True, tag="order.corrected"):
    """An earlier event of the order is wrong or incomplete: this is the order's state as it is known now.

    `ledger_index` is the ledger up to which that holds. What happened to the order has events of its own,
    also where it became known late. Both the event that is corrected and this one stay on record.
    """

    version: Annotated[
        int,
        Meta(
            description="The version of this event type's schema. Version 1 had `stands` instead of "
            "`correction`: true for `amended`, false for `withdrawn`."
        ),
    ] = 2
    corrects: Annotated[UUID, Meta(description="The id of the earlier event that is now wrong.")]
    correction: Annotated[
        Correction,
        Meta(
            description="What becomes of that event: `amended` (it happened; amounts or the cause were "
            "incomplete) or `withdrawn` (it did not happen)."
        ),
    ]
    anomaly: Annotated[bool, Meta(description="True: the order's end, as it is known now, is an anomaly.")]
    evidence: Annotated[str, Meta(description="What is known now and was not known then.")]
