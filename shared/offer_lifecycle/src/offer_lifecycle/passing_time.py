"""Time that passes in a ledger: orders expire, and announced ones run out of ledgers that may hold them."""

import msgspec

from offer_lifecycle import events
from offer_lifecycle.events import Fact
from offer_lifecycle.folded_ledger import FoldedLedger
from offer_lifecycle.order import Order
from offer_lifecycle.removal import Verdict
from order_events import OrderStatus, RemovalReason


def withdraw_lost(ledger: FoldedLedger) -> None:
    """Withdraw that an order is LOST where it was announced again in time."""
    fact = ledger.fact(ledger.state.record.ledger_index, ledger.facts.header.parent_close_time)
    for sequence in sorted(ledger.state.announced_again):
        order = ledger.state.orders[sequence]
        evidence = f"it was announced again, and may come until ledger {order.last_ledger_sequence}"
        ledger.withdraw(order, order.lost_event, fact, evidence)
        ledger.put(msgspec.structs.replace(order, lost_event=None))


def pass_time(ledger: FoldedLedger, until: int, ledger_index: int) -> None:
    """Let the ledger's clock go to `until`, and its index to `ledger_index`."""
    for order in ledger.live(ledger.state.expiring(until)):
        if order.listed and order.expiration is not None and order.expiration <= until:
            _expire(ledger, order)
    for order in ledger.live(ledger.state.overdue(ledger_index)):
        deadline = order.last_ledger_sequence
        if order.status is OrderStatus.SUBMITTED and deadline is not None and deadline <= ledger_index:
            evidence = "its LastLedgerSequence passed, and no ledger up to it holds its transaction"
            _lose_at_deadline(ledger, order, ledger.fact(deadline, until), evidence)


def _expire(ledger: FoldedLedger, order: Order) -> None:
    header = ledger.facts.header
    evidence = f"a ledger has closed at or after its Expiration {order.expiration}"
    verdict = Verdict(reason=RemovalReason.EXPIRED, rule="expiration_passed", evidence=evidence)
    ended = ledger.end(order, verdict, header.ledger_index, removed_by=None, by_engine=False)
    # The fact is the Expiration itself, whichever ledger was the first to be looked at after it
    ledger.events.append(events.expired(ended, ledger.fact(None, order.expiration or 0)))


def _lose_at_deadline(ledger: FoldedLedger, order: Order, fact: Fact, evidence: str) -> None:
    """End an order whose LastLedgerSequence has passed; announced again in time, it lives again."""
    verdict = Verdict(reason=RemovalReason.UNKNOWN, rule="deadline_passed", evidence=evidence)
    deadline = order.last_ledger_sequence or ledger.facts.header.ledger_index
    ended = ledger.end(order, verdict, deadline, removed_by=None, by_engine=False)
    named_by = f"deadline {deadline}" if order.times_lost else None
    event = events.disappeared(ended, fact, evidence, named_by=named_by)
    times_lost = order.times_lost + 1
    ledger.put(msgspec.structs.replace(ended, lost_event=event.event_id, times_lost=times_lost))
    ledger.events.append(event)
