"""What the reconciler says of itself and of an account: stream `ORDERS`, `reconciler.<what>.<account>`.

What it says of the ledger itself is there too: `ledger.invariant_broken.<account>`.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from order_events.orders import OrderEvent
from order_events.vocabulary import Action, Resolution


class ReconcilerEvent(Struct, frozen=True, kw_only=True, tag_field="event_type"):
    """What every event about an account, and not about one of its orders, carries."""

    event_id: Annotated[
        UUID,
        Meta(
            description="The fact's name; the same fact has the same id for ever. It is the message's "
            "Nats-Msg-Id and the primary key in PostgreSQL."
        ),
    ]
    version: Annotated[int, Meta(description="The version of this event type's schema.")] = 1
    network_id: Annotated[int, Meta(description="The ledger's network id; 0 is the main network.")]
    account: Annotated[str, Meta(description="The account, a classic address.")]
    session_id: Annotated[
        str | None, Meta(description="The engine's session; null: the engine announced none.")
    ]
    ledger_index: Annotated[
        int | None,
        Meta(description="The last validated ledger that was read for the account; null: none was."),
    ]
    occurred_at: Annotated[
        datetime,
        Meta(description="Close time of that ledger (UTC); without one, the moment of the event itself."),
    ]


class ReconcilerHalted(ReconcilerEvent, frozen=True, kw_only=True, tag="reconciler.halted"):
    """The account needs a person to look at it: nothing is acted upon until an operator resumes it."""

    cause: Annotated[
        str,
        Meta(
            description="`unresolved`, `balance_drift`, `state_lost`, `state_rolled_back`, `state_damaged` "
            "or `announcements_lost`; readers must accept words not listed here."
        ),
    ]
    reason: Annotated[str, Meta(description="What was expected and what was found.")]
    unresolved: Annotated[
        int,
        Meta(
            description="Number of disappearances that nothing explains, since the account was adopted or "
            "last resumed."
        ),
    ]
    policy: Annotated[
        str, Meta(description="What was done with those disappearances: `hold` or `presume_filled`.")
    ]


class ReconcilerResumed(ReconcilerEvent, frozen=True, kw_only=True, tag="reconciler.resumed"):
    """An operator has looked, and the reconciler acts on the account again."""

    answers: Annotated[UUID, Meta(description="The id of the `reconciler.halted` event.")]
    resumed_by: Annotated[str, Meta(description="The operator's name, as given.")]
    note: Annotated[str, Meta(description="What the operator found, as given.")]


class BalanceDrift(ReconcilerEvent, frozen=True, kw_only=True, tag="reconciler.balance_drift"):
    """A balance is not what fills, fees and payments explain: something was not read, or an answer is wrong.

    `ledger_index` is the ledger at which the reconciler found it.
    """

    currency: Annotated[str, Meta(description="`XRP`, or the token's currency.")]
    issuer: Annotated[
        str | None,
        Meta(
            description="The token's issuer; null for XRP. What an account owes is its own issue, on "
            "whichever trust lines."
        ),
    ]
    amount: Annotated[
        Decimal,
        Meta(
            description="What the balance has beyond what is explained (less, if negative): drops for XRP, "
            "else decimal tokens."
        ),
    ]
    since_ledger: Annotated[
        int,
        Meta(
            description="The first ledger in which the drift may have begun: up to the ledger before, the "
            "balance was explained."
        ),
    ]
    shown_by: Annotated[
        str | None,
        Meta(
            description="Hash of the transaction whose metadata shows the drift; null: the balances that a "
            "server showed."
        ),
    ]
    missing_transactions: Annotated[
        tuple[str, ...],
        Meta(description="Hashes of transactions that changed the balance and were not read, if known."),
    ] = ()
    action_taken: Annotated[
        str,
        Meta(
            description="What the reconciler did about it: `none` or `halted`; readers must accept words "
            "not listed here."
        ),
    ] = Action.NONE


class HistoryGap(ReconcilerEvent, frozen=True, kw_only=True, tag="reconciler.history_gap"):
    """No server could show these ledgers, and the account was followed from the last of them on.

    What happened to its orders in them is not known (`pending`), or was read later (`resolved`).
    """

    first_ledger: Annotated[int, Meta(description="The first ledger that no server could show.")]
    last_ledger: Annotated[
        int,
        Meta(
            description="The last one. Of it the account's balances and offers are known, and not how they "
            "came about."
        ),
    ]
    resolution: Annotated[Resolution, Meta(description="`pending`: not read so far. `resolved`: read later.")]
    corrects: Annotated[
        UUID | None, Meta(description="Of a resolved gap: the id of the pending event; else null.")
    ] = None


class ReconcilerConfirmed(ReconcilerEvent, frozen=True, kw_only=True, tag="reconciler.confirmed"):
    """What was told of the account's transactions in ledgers `first_ledger` to `ledger_index` is certain.

    Their bytes hash up to the ledgers' hashes (proven), and a second server or validators have named these
    hashes (confirmed). It follows each ledger of which something was told, and one quiet ledger in 256. What
    was told of a ledger that no such event covers is one server's word: the server gives no whole ledgers, or
    nobody confirmed the ledger in time.
    """

    first_ledger: Annotated[int, Meta(description="The first ledger that it covers; of no earlier one.")]
    ledger_hash: Annotated[str, Meta(description="The hash of ledger `ledger_index`: 64 hexadecimal digits.")]
    confirmed_by: Annotated[
        tuple[str, ...],
        Meta(
            description="`validators`: a quorum of the configured lists has signed for the hash. Otherwise "
            "the servers that name it, by address without credentials."
        ),
    ]


class InvariantBroken(ReconcilerEvent, frozen=True, kw_only=True, tag="ledger.invariant_broken"):
    """An asset does not add up over a transaction: the ledger is broken, or the server that shows it lies.

    `account` is the account that sent the transaction, whether it is followed or not; `session_id` is null.
    """

    transaction_hash: Annotated[
        str, Meta(description="Hash of the transaction over which it does not add up.")
    ]
    transaction_type: Annotated[str, Meta(description="Its TransactionType, as `Payment`.")]
    asset: Annotated[
        str,
        Meta(
            description="`XRP`, an MPT's issuance id, or `<currency>.<account>`: the tokens that this "
            "account owes or holds."
        ),
    ]
    expected: Annotated[
        str, Meta(description="The change that the transaction's own fields allow, in words.")
    ]
    found: Annotated[
        Decimal,
        Meta(
            description="The change of the asset over all entries together: drops of XRP, units of an MPT, "
            "or decimal tokens."
        ),
    ]


OrdersEvent = OrderEvent | ReconcilerEvent
"""What goes to stream ORDERS."""
