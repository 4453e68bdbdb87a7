"""What the reconciler says of itself and of an account: stream `ORDERS`, `reconciler.<what>.<account>`."""

from datetime import datetime
from uuid import UUID

import msgspec

from order_events.orders import OrderEvent
from order_events.vocabulary import Resolution


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
