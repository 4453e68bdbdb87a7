"""What the reconciler says of itself and of an account: stream `ORDERS`, `reconciler.<what>.<account>`."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from order_events.orders import OrderEvent
from order_events.vocabulary import Action, Resolution


class ReconcilerEvent(msgspec.Struct, frozen=True, kw_only=True, tag_field="event_type"):
    """What every event about an account, and not about one of its orders, carries."""

    event_id: UUID
    version: int = 1
    network_id: int
    account: str
    session_id: str | None
    ledger_index: int | None
    """The last validated ledger that was looked at for it; null: none was."""
    occurred_at: datetime
    """Close time of that ledger (UTC); where there is none, the moment at which it was done."""


class ReconcilerHalted(ReconcilerEvent, frozen=True, kw_only=True, tag="reconciler.halted"):
    """The account needs somebody to look at it: nothing is acted upon until an operator resumes it."""

    cause: str
    """`unresolved` or `balance_drift`; readers must accept words not listed here."""
    reason: str
    """What was expected and what was found."""
    unresolved: int
    """Disappearances that nothing explains, since the account was adopted or last resumed."""
    policy: str
    """What was done with those: `hold` or `presume_filled`."""


class ReconcilerResumed(ReconcilerEvent, frozen=True, kw_only=True, tag="reconciler.resumed"):
    """An operator has looked, and the account is acted upon again."""

    answers: UUID
    """The id of the `reconciler.halted` event."""
    resumed_by: str
    note: str


class BalanceDrift(ReconcilerEvent, frozen=True, kw_only=True, tag="reconciler.balance_drift"):
    """A balance is not what fills, fees and payments explain: something was not read, or an answer is wrong.

    `ledger_index` is the ledger at which it was found.
    """

    currency: str
    """`XRP`, or the token's currency."""
    issuer: str | None
    """The token's; null for XRP. What an account owes is its own issue, on whichever trust lines."""
    amount: Decimal
    """The balance has so much more than is explained (less, if negative): drops for XRP, else tokens."""
    since_ledger: int
    """The first ledger in which it may have begun: up to the ledger before, the balance was explained."""
    shown_by: str | None
    """The transaction whose metadata shows it; null: the balances that a server showed."""
    missing_transactions: tuple[str, ...] = ()
    """Hashes of transactions that changed the balance and were not among what was read, if known."""
    action_taken: str = Action.NONE


class HistoryGap(ReconcilerEvent, frozen=True, kw_only=True, tag="reconciler.history_gap"):
    """No server could show these ledgers, and the account was followed from the last of them on.

    What happened to its orders in them is not known (`pending`), or was read later (`resolved`).
    """

    first_ledger: int
    last_ledger: int
    """Of this one the account's balances and offers are known, and not how they came about."""
    resolution: Resolution
    corrects: UUID | None = None
    """Of a resolved one: the id of the pending one."""


OrdersEvent = OrderEvent | ReconcilerEvent
"""What goes to stream ORDERS."""
