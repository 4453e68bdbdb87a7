"""What an engine says of itself: stream `ENGINE`. All of it is optional.

Every field is bounded by the ledger's own limits, so that no event made of an announcement is too large for
the bus or holds what a database refuses. `decode` refuses what does not fit.
"""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from order_events.orders import Amount

UINT32_MAX = 2**32 - 1
LONGEST_NAME = 128
"""Characters of a name that an engine gives to a session or an order."""
END = "$(?!\n)"
"""The end of a text; alone, Python's `$` also stands before a last line break."""

AccountName = Annotated[
    str,
    Meta(
        description="The engine's account, a classic address; the subject names it too.",
        pattern=f"^[0-9A-Za-z]{{1,35}}{END}",
    ),
]
Name = Annotated[str, Meta(max_length=LONGEST_NAME, pattern=rf"^[^\x00-\x1f\x7f-\x9f]*{END}")]
LedgerIndex = Annotated[int, Meta(ge=1, le=UINT32_MAX)]
Sequence = Annotated[int, Meta(ge=1, le=UINT32_MAX)]
TransactionHash = Annotated[str, Meta(pattern=f"^[0-9A-Fa-f]{{64}}{END}")]


class EngineEvent(Struct, frozen=True, kw_only=True, tag_field="event_type"):
    """What every announcement carries."""

    version: Annotated[int, Meta(description="The version of this event type's schema.")] = 1
    account: AccountName
    session_id: Annotated[
        Name | None, Meta(description="The engine's name of its session; null: it names none.")
    ] = None
    validated_ledger_index: Annotated[
        LedgerIndex | None,
        Meta(
            description="The newest validated ledger that the engine knew when it sent the transaction; "
            "null: not known."
        ),
    ] = None


class OrderSubmitted(EngineEvent, frozen=True, kw_only=True, tag="engine.order.submitted"):
    """The engine signed and sent an OfferCreate.

    Announced again for the same sequence (a resubmission with a higher fee), the latest deadline and amounts
    count, and every announced hash is the engine's.
    """

    sequence: Annotated[
        Sequence,
        Meta(description="The transaction's Sequence, or its TicketSequence where it uses a ticket."),
    ]
    taker_gets: Annotated[Amount, Meta(description="The transaction's TakerGets: what the order gives.")]
    taker_pays: Annotated[Amount, Meta(description="The transaction's TakerPays: what the order asks for.")]
    flags: Annotated[
        int,
        Meta(
            description="The transaction's Flags (tfPassive, tfImmediateOrCancel, tfFillOrKill, tfSell).",
            ge=0,
            le=UINT32_MAX,
        ),
    ] = 0
    expiration: Annotated[
        datetime | None,
        Meta(description="The transaction's Expiration (UTC), from 2000 to 2136; null: it has none."),
    ] = None
    transaction_hash: Annotated[
        TransactionHash | None, Meta(description="The transaction's hash; null: not known.")
    ] = None
    last_ledger_sequence: Annotated[
        LedgerIndex | None,
        Meta(
            description="The transaction's LastLedgerSequence: not in any ledger up to it, the order never "
            "reached one; null: it has none."
        ),
    ] = None
    client_order_id: Annotated[
        Name | None, Meta(description="The engine's own name of the order; null: it has none.")
    ] = None


class CancelRequested(EngineEvent, frozen=True, kw_only=True, tag="engine.order.cancel_requested"):
    """The engine sent a cancel (OfferCancel, or an OfferCreate with OfferSequence) for one of its orders.

    It may be announced before its order is.
    """

    sequence: Annotated[
        Sequence, Meta(description="Sequence (or TicketSequence) of the order, not of the cancel.")
    ]
    transaction_hash: Annotated[
        TransactionHash | None, Meta(description="The cancel's hash; null: not known.")
    ] = None
    cancel_sequence: Annotated[
        Sequence | None,
        Meta(
            description="The cancel's own Sequence, or its TicketSequence: by it a cancel that was sent "
            "again with a higher fee, and so another hash, is still the engine's; null: not known."
        ),
    ] = None
    last_ledger_sequence: Annotated[
        LedgerIndex | None,
        Meta(
            description="The cancel's LastLedgerSequence: after it the cancel is in flight no longer; null: "
            "it has none, and is taken to be in flight for 256 ledgers."
        ),
    ] = None


class SessionStarted(EngineEvent, frozen=True, kw_only=True, tag="engine.session.started"):
    """An engine began to trade on the account; orders it does not name belong to this session."""
