"""Late explanations: an unexplained removal is decided again once a server can show the ledger before."""

import msgspec

from offer_lifecycle import events
from offer_lifecycle.changes import offer_changes
from offer_lifecycle.events import Fact
from offer_lifecycle.removal import Case, Verdict, decide_removal
from offer_lifecycle.state import AccountState, LedgerFacts, LedgerOutcome, UnexplainedRemoval
from offer_lifecycle.transaction import Header
from order_events import Correction, Resolution, event_id


def explain_again(removal: UnexplainedRemoval, facts: LedgerFacts) -> Verdict | None:
    """Decide a removal again with the answers in `facts`, the ledger in which the order was removed.

    None: the removing transaction is not in `facts`.
    """
    order = removal.order
    for tx in facts.transactions:
        for change in offer_changes(tx) if tx.hash == order.removed_by else ():
            if (change.account, change.sequence) == (order.account, order.sequence):
                return decide_removal(
                    Case(
                        tx=tx,
                        change=change,
                        parent_close_time=facts.header.parent_close_time,
                        reserves=removal.reserves,
                        holding_before=removal.holding_before,
                        holding_after=removal.holding_after,
                        owner_count=removal.owner_count,
                        answers=facts.answers,
                    )
                )
    return None


def correct_disappearance(
    state: AccountState, removal: UnexplainedRemoval, verdict: Verdict, header: Header
) -> LedgerOutcome:
    """Return the outcome that corrects `order.disappeared`: the removal stands, its cause is now known.

    `header` is the cursor's. `state` is left as it is.
    """
    record, before = state.record, removal.order
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
