"""The watermark of one account, `reconciler.confirmed`: up to where all that was told of it is certain.

| something was told of the ledger | it is proven and confirmed | the watermark |
|---|---|---|
| yes | yes | is published, up to this ledger |
| yes | no | goes on after this ledger, which it leaves out |
| no | confirmed, and one in `LEDGERS_BETWEEN` | is published, up to this ledger |
| no | otherwise | is not published |

So its rate is bounded by the account's own events, and by one in `LEDGERS_BETWEEN` ledgers where there are
none: a thousand quiet accounts publish four of them a ledger.
"""

import zlib
from collections.abc import Sequence

from offer_lifecycle import AccountRecord, Header, ripple_time_to_datetime
from order_events import OrderEvent, OrdersEvent, ReconcilerConfirmed, reconciler_event_id
from reconciler.following.confirmed_reading import ConfirmedLedger

LEDGERS_BETWEEN = 256
"""Between two watermarks of an account of which nothing is told: about a quarter of an hour."""
_KIND = "reconciler.confirmed"


class Watermark:
    """One account's watermark since this replica follows it."""

    def __init__(self, account: str) -> None:
        self._offset = zlib.crc32(account.encode()) % LEDGERS_BETWEEN
        self._first_ledger: int | None = None
        """The first ledger that the next watermark covers; None: the one after the cursor."""

    def after_ledger(
        self, record: AccountRecord, ledger: ConfirmedLedger, events: Sequence[OrdersEvent]
    ) -> list[ReconcilerConfirmed]:
        """Return the watermark that is published with a ledger's events, if one is.

        `record`: the account's, before the ledger.
        """
        header, is_told = ledger.facts.header, _tell_of_orders(events)
        first_ledger = self._first_ledger or record.ledger_index + 1
        if not ledger.confirmed_by or (is_told and not ledger.facts.proven):
            return []
        if not is_told and not self._is_due(first_ledger, header.ledger_index):
            return []
        return [_confirmed(record, header, first_ledger, ledger.confirmed_by)]

    def note_committed(self, record: AccountRecord, header: Header, events: Sequence[OrdersEvent]) -> None:
        """Note the events with which a ledger is committed; `record`: the account's, before it."""
        if self._first_ledger is None:
            self._first_ledger = record.ledger_index + 1
        if _tell_of_orders(events) or any(isinstance(event, ReconcilerConfirmed) for event in events):
            self._first_ledger = header.ledger_index + 1

    def restart_after(self, ledger_index: int) -> None:
        """Cover no ledger up to this one: what happened in them is not known."""
        self._first_ledger = ledger_index + 1

    def _is_due(self, first_ledger: int, ledger_index: int) -> bool:
        """Whether the account's turn among the quiet ones lies in these ledgers."""
        before = (first_ledger - 1 + self._offset) // LEDGERS_BETWEEN
        return (ledger_index + self._offset) // LEDGERS_BETWEEN > before


def _tell_of_orders(events: Sequence[OrdersEvent]) -> bool:
    return any(isinstance(event, OrderEvent) for event in events)


def _confirmed(
    record: AccountRecord, header: Header, first_ledger: int, confirmed_by: Sequence[str]
) -> ReconcilerConfirmed:
    return ReconcilerConfirmed(
        event_id=reconciler_event_id(
            network_id=record.network_id, kind=_KIND, account=record.account, about=(header.ledger_hash,)
        ),
        network_id=record.network_id,
        account=record.account,
        session_id=record.session_id,
        ledger_index=header.ledger_index,
        occurred_at=ripple_time_to_datetime(header.close_time),
        first_ledger=first_ledger,
        ledger_hash=header.ledger_hash,
        confirmed_by=tuple(confirmed_by),
    )
