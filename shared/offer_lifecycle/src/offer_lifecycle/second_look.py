"""Deciding again what nothing explained: the same rules, once a server can show the ledger before."""

import msgspec

from offer_lifecycle import events
from offer_lifecycle.changes import offer_changes
from offer_lifecycle.events import Fact
from offer_lifecycle.removal import Case, Verdict, decide
from offer_lifecycle.state import AccountState, Doubt, LedgerFacts, LedgerOutcome
from offer_lifecycle.transaction import Header
from order_events import Correction, Resolution, event_id


def look_again(doubt: Doubt, facts: LedgerFacts) -> Verdict | None:
    """Decide with the answers among `facts`, the ledger in which the order was removed.

    None: the transaction that removed it is not among them.
    """
    order = doubt.order
    for tx in facts.transactions:
        for change in offer_changes(tx) if tx.hash == order.removed_by else ():
            if (change.account, change.sequence) == (order.account, order.sequence):
                return decide(
                    Case(
                        tx=tx,
                        change=change,
                        header=facts.header,
                        reserves=doubt.reserves,
                        holding_before=doubt.holding_before,
                        holding_after=doubt.holding_after,
                        owner_count=doubt.owner_count,
                        answers=facts.answers,
                    )
                )
    return None


def settled(state: AccountState, doubt: Doubt, verdict: Verdict, header: Header) -> LedgerOutcome:
    """Correct what was told of the order: it was removed as told, and now is known why.

    `header` is the cursor's. `state` is left as it is.
    """
    record, before = state.record, doubt.order
    known = state.orders.get(before.sequence)
    explained = {
        "removal_reason": verdict.reason,
        "resolution": Resolution.UNRESOLVED if (known or before).missing else Resolution.RESOLVED,
    }
    order = msgspec.structs.replace(known or before, **explained)
    correction = events.corrected(
        order,
        Fact(network_id=record.network_id, ledger_index=header.ledger_index, time=header.close_time),
        f"rule {verdict.rule}: {verdict.evidence}",
        corrects=event_id(
            network_id=record.network_id,
            kind="order.disappeared",
            account=order.account,
            sequence=order.sequence,
            transaction_hash=order.removed_by,
        ),
        by="the ledger before",
        correction=Correction.AMENDED if order.anomaly else Correction.WITHDRAWN,
    )
    return LedgerOutcome(
        events=(correction,), record=record, changed={} if known is None else {order.sequence: order}
    )
