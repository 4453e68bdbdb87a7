"""What an engine says of itself: stream `ENGINE`. All of it is optional."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from order_events.orders import Amount


class EngineEvent(Struct, frozen=True, kw_only=True, tag_field="event_type"):
    """What every announcement carries."""

    version: Annotated[int, Meta(description="The version of this event type's schema.")] = 1
    account: Annotated[str, Meta(description="The engine's account, a classic address.")]
    session_id: Annotated[
        str | None, Meta(description="The engine's name of its session; null: it names none.")
    ] = None
    validated_ledger_index: Annotated[
        int | None,
        Meta(
            description="The newest validated ledger that the engine knew when it sent the transaction; "
            "null: not known."
        ),
    ] = None


class OrderSubmitted(EngineEvent, frozen=True, kw_only=True, tag="engine.order.submitted"):
    """The engine signed and sent an OfferCreate."""

    sequence: Annotated[
        int, Meta(description="The transaction's Sequence, or its TicketSequence where it uses a ticket.")
    ]
    taker_gets: Annotated[Amount, Meta(description="The transaction's TakerGets: what the order gives.")]
    taker_pays: Annotated[Amount, Meta(description="The transaction's TakerPays: what the order asks for.")]
    flags: Annotated[
        int,
        Meta(description="The transaction's Flags (tfPassive, tfImmediateOrCancel, tfFillOrKill, tfSell)."),
    ] = 0
    expiration: Annotated[
        datetime | None, Meta(description="The transaction's Expiration (UTC); null: it has none.")
    ] = None
    transaction_hash: Annotated[str | None, Meta(description="The transaction's hash; null: not known.")] = (
        None
    )
    last_ledger_sequence: Annotated[
        int | None,
        Meta(
            description="The transaction's LastLedgerSequence: not in any ledger up to it, the order never "
            "reached one; null: it has none."
        ),
    ] = None
    client_order_id: Annotated[
        str | None, Meta(description="The engine's own name of the order; null: it has none.")
    ] = None


class CancelRequested(EngineEvent, frozen=True, kw_only=True, tag="engine.order.cancel_requested"):
    """The engine sent a cancel (OfferCancel, or an OfferCreate with OfferSequence) for one of its orders."""

    sequence: Annotated[
        int, Meta(description="Sequence (or TicketSequence) of the order, not of the cancel.")
    ]
    transaction_hash: Annotated[str | None, Meta(description="The cancel's hash; null: not known.")] = None


class SessionStarted(EngineEvent, frozen=True, kw_only=True, tag="engine.session.started"):
    """An engine began to trade on the account; orders it does not name belong to this session."""
