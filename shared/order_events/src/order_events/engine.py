"""What an engine says of itself: stream `ENGINE`. All of it is optional."""

from datetime import datetime

import msgspec

from order_events.orders import Amount


class EngineEvent(msgspec.Struct, frozen=True, kw_only=True, tag_field="event_type"):
    """What every announcement carries."""

    version: int = 1
    account: str
    session_id: str | None = None
    validated_ledger_index: int | None = None
    """The newest validated ledger the engine knew when it sent the transaction; null: not known."""


class OrderSubmitted(EngineEvent, frozen=True, kw_only=True, tag="engine.order.submitted"):
    """The engine signed and sent an OfferCreate."""

    sequence: int
    """The transaction's Sequence, or its TicketSequence."""
    taker_gets: Amount
    taker_pays: Amount
    flags: int = 0
    """The transaction's Flags (tfPassive, tfImmediateOrCancel, tfFillOrKill, tfSell)."""
    expiration: datetime | None = None
    transaction_hash: str | None = None
    last_ledger_sequence: int | None = None
    """The last ledger that may hold it; past it, unseen, the order never reached a ledger."""
    client_order_id: str | None = None


class CancelRequested(EngineEvent, frozen=True, kw_only=True, tag="engine.order.cancel_requested"):
    """The engine sent a cancel (OfferCancel, or an OfferCreate with OfferSequence) for one of its orders."""

    sequence: int
    """The order's, not the cancel's."""
    transaction_hash: str | None = None
    """The cancel's; null: not known."""


class SessionStarted(EngineEvent, frozen=True, kw_only=True, tag="engine.session.started"):
    """An engine began to trade on the account; orders it does not name belong to this session."""
