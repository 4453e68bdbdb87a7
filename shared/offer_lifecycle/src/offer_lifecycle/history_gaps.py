"""History gaps: ledgers that no server has; the account goes on from a snapshot after them.

Nothing is guessed: an order that is no longer there is LOST, and one that was touched or placed meanwhile
goes on with its history marked as incomplete. Such orders keep the gap's name among their missing
transactions until the gap is backfilled (see `gap_backfill`).
"""

from uuid import UUID

import msgspec

from offer_lifecycle import events
from offer_lifecycle.anomaly import is_anomaly
from offer_lifecycle.events import Fact, ripple_time_to_datetime
from offer_lifecycle.order import Order
from offer_lifecycle.state import AccountState, LedgerOutcome
from offer_lifecycle.transaction import Header
from order_events import (
    HistoryGap,
    OrderEvent,
    OrderStatus,
    Provenance,
    RemovalReason,
    Resolution,
    reconciler_event_id,
)


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Ledgers of an account that no server could show, both ends included."""

    first: int
    last: int
    """Here the account was seen again: its balances and offers at the end of this ledger are known."""
    last_hash: str

    @property
    def name(self) -> str:
        """What stands for its transactions, as long as they are missing."""
        return f"ledgers {self.first}-{self.last}"

    @property
    def fact(self) -> str:
        """What events that it caused are named by: where it begins, since it may end here or there."""
        return f"from ledger {self.first}"


def history_gap_event(state: AccountState, gap: Gap, header: Header, resolution: Resolution) -> HistoryGap:
    """Return the gap's event: `pending` at the ledger after which it ends, `resolved` at the cursor's."""
    network_id, account = state.record.network_id, state.record.account

    def name(of: Resolution) -> UUID:
        kind, about = "reconciler.history_gap", (gap.first, of)
        return reconciler_event_id(network_id=network_id, kind=kind, account=account, about=about)

    return HistoryGap(
        event_id=name(resolution),
        network_id=network_id,
        account=account,
        session_id=state.record.session_id,
        ledger_index=header.ledger_index,
        occurred_at=ripple_time_to_datetime(header.close_time),
        first_ledger=gap.first,
        last_ledger=gap.last,
        resolution=resolution,
        corrects=name(Resolution.PENDING) if resolution is Resolution.RESOLVED else None,
    )


def cross_history_gap(
    state: AccountState, seen: AccountState, header: Header, next_sequence: int | None, gap: Gap
) -> LedgerOutcome:
    """Return the outcome of going on from `seen`: the account as a server shows it at the gap's last ledger.

    `next_sequence`: the account's Sequence there; None: it is not on the ledger. `state` is left as it is.
    """
    record = state.record
    fact = Fact(network_id=record.network_id, ledger_index=header.ledger_index, time=header.close_time)
    changed: dict[int, Order] = {}
    told: list[OrderEvent] = []
    for order in state.orders.values():
        listed = seen.orders.get(order.sequence)
        after = _gone(order, gap, next_sequence) if listed is None else _still_there(order, listed, gap)
        if after != order:
            changed[order.sequence] = after
        if after.status is OrderStatus.LOST and not order.ended:
            told.append(events.disappeared(after, fact, _not_there(order, gap), named_by=gap.fact))
    found = msgspec.structs.replace(fact, provenance=Provenance.BACKFILL)
    for order in seen.orders.values():
        if order.sequence not in state.orders:
            missing = (gap.name,)
            changed[order.sequence] = msgspec.structs.replace(
                order, missing=missing, session_id=record.session_id
            )
    told += [
        events.accepted(order, found)
        for order in changed.values()
        if order.listed and _placed_in_it(state.orders.get(order.sequence))
    ]
    going_on = msgspec.structs.replace(seen.record, session_id=record.session_id)
    return LedgerOutcome(events=tuple(told), record=going_on, changed=changed)


def _still_there(order: Order, listed: Order, gap: Gap) -> Order:
    if order.listed and (order.gets_left, order.pays_left) == (listed.gets_left, listed.pays_left):
        return order  # if it was touched after all, the next change to it names what was missed
    return msgspec.structs.replace(
        order,
        status=OrderStatus.ACCEPTED if order.status is OrderStatus.SUBMITTED else order.status,
        expiration=listed.expiration,
        listed=True,
        gets_left=listed.gets_left,
        pays_left=listed.pays_left,
        missing=(*order.missing, gap.name),
    )


def _gone(order: Order, gap: Gap, next_sequence: int | None) -> Order:
    if order.ended:
        return msgspec.structs.replace(order, listed=False)
    if order.status is OrderStatus.SUBMITTED and not _due_in_it(order, gap, next_sequence):
        return order
    return msgspec.structs.replace(
        order,
        status=OrderStatus.LOST,
        listed=False,
        removal_reason=RemovalReason.UNKNOWN,
        resolution=Resolution.UNRESOLVED,
        anomaly=is_anomaly(order, RemovalReason.UNKNOWN, by_engine=False, ledger_index=gap.last),
        ended_at=gap.last,
        missing=(*order.missing, gap.name),
    )


def _due_in_it(order: Order, gap: Gap, next_sequence: int | None) -> bool:
    """Whether the gap decided an order that was only announced: it may be on its way still."""
    deadline = order.last_ledger_sequence
    used = next_sequence is not None and order.sequence < next_sequence
    return used or (deadline is not None and deadline <= gap.last)


def _not_there(order: Order, gap: Gap) -> str:
    before = "announced" if order.status is OrderStatus.SUBMITTED else "on the book"
    return f"it was {before} before {gap.name}, which no server had, and is not on the book after them"


def _placed_in_it(before: Order | None) -> bool:
    return before is None or before.status is OrderStatus.SUBMITTED


def keep_incomplete_orders(outcome: LedgerOutcome, state: AccountState) -> LedgerOutcome:
    """Return the outcome without forgetting orders of incomplete history: a gap may be backfilled later."""
    forgotten = tuple(sequence for sequence in outcome.forgotten if not state.orders[sequence].missing)
    return msgspec.structs.replace(outcome, forgotten=forgotten)
