"""The account's own transactions: what they mean for the orders and cancels that the engine announced."""

import msgspec

from offer_lifecycle import events
from offer_lifecycle.balances import BalanceChange
from offer_lifecycle.batches import not_applied
from offer_lifecycle.changes import OfferChange
from offer_lifecycle.events import Fact
from offer_lifecycle.folded_ledger import FoldedLedger
from offer_lifecycle.order import Order, end_cancels, order_after_placement
from offer_lifecycle.placement import Placement, decide_placement, without_trade
from offer_lifecycle.removal import Verdict
from offer_lifecycle.transaction import MalformedTransaction, Transaction
from offer_lifecycle.unknown_parts import UnknownParts
from order_events import LiquiditySide, OrderStatus, RemovalReason, Resolution


def read_placement(
    ledger: FoldedLedger,
    tx: Transaction,
    changes: list[OfferChange],
    balances: list[BalanceChange],
    unknown: UnknownParts,
) -> Placement | None:
    """Decide what became of the account's own order; None: there is none, or it can't be read."""
    if tx.type != "OfferCreate":
        return None
    try:
        placement = decide_placement(tx, changes, balances, ledger.facts.reserves)
    except MalformedTransaction as damage:
        ledger.note_damage(damage)
        return None
    if unknown.about_order is not None:
        placement = without_trade(placement, unknown.about_order)
    if placement.problem is not None:
        ledger.unresolved.append(f"transaction {tx.hash}: {placement.problem}")
    return placement


def fold_own_transaction(
    ledger: FoldedLedger, tx: Transaction, placement: Placement | None, fact: Fact
) -> None:
    """Fold what a transaction of the account's own means for its announced orders and cancels."""
    known = ledger.order(tx.sequence)
    if tx.type == "OfferCreate":
        if placement is None:
            _leave_open(ledger, tx, known)
        else:
            _place(ledger, placement, tx, fact)
    elif known is not None and known.status is OrderStatus.SUBMITTED:
        _lose(ledger, known, fact, "sequence_used", f"its sequence was used by {tx.type} {tx.hash}")
    _end_cancels(ledger, tx)


def _end_cancels(ledger: FoldedLedger, tx: Transaction) -> None:
    """Note which of the engine's cancels are in flight no longer: this one, and those of its Sequence."""
    named = ledger.order(tx.offer_sequence or 0)
    if named is not None and named.canceled_by_engine(tx.hash):
        ledger.put(named.cancel_validated(tx.hash))
    for sequence in ledger.state.canceling:
        order = ledger.order(sequence)
        if order is not None and order.canceled_by_engine(tx.hash, tx.sequence):
            ledger.put(order.cancel_validated(tx.hash, tx.sequence))
    ledger.early_cancels = {
        sequence: end_cancels(cancels, tx.hash, tx.sequence)
        for sequence, cancels in ledger.early_cancels.items()
    }


def _leave_open(ledger: FoldedLedger, tx: Transaction, known: Order | None) -> None:
    """Say nothing of an order whose own transaction can't be read in full, but that it can't."""
    if known is not None:
        missing = (*known.missing, tx.hash)
        ledger.put(msgspec.structs.replace(known, missing=missing, last_ledger_sequence=None))


def _place(ledger: FoldedLedger, placement: Placement, tx: Transaction, fact: Fact) -> None:
    known = ledger.order(tx.sequence)
    early = ledger.early_cancels.get(tx.sequence, ())
    order = order_after_placement(placement, tx, known, ledger.state.record.session_id, early)
    reason, entry = placement.reason, placement.entry
    if reason is not None:
        verdict = Verdict(reason=reason, rule="own_transaction", evidence=placement.evidence)
        order = ledger.end(order, verdict, tx.ledger_index, removed_by=tx.hash, by_engine=False)
    if placement.problem is not None:
        order = msgspec.structs.replace(
            order, missing=(*order.missing, tx.hash), resolution=Resolution.UNRESOLVED
        )
    ledger.put(order)
    if known is not None and known.status is OrderStatus.LOST:
        ledger.withdraw(order, known.lost_event, fact, f"its transaction {tx.hash} was validated")
    if order.status is OrderStatus.REJECTED:
        ledger.events.append(events.rejected(order, fact, tx.result))
        return
    if order.status is OrderStatus.REMOVED:
        ledger.events.append(events.disappeared(order, fact, placement.evidence))
    if entry is not None:
        ledger.events.append(events.accepted(order, fact))
    if placement.traded:
        trade = events.filled(order, fact, placement.gave, placement.got, LiquiditySide.TAKER)
        ledger.events.append(trade)
    if order.status is OrderStatus.CANCELED:
        ledger.events.append(events.canceled(order, fact))


def lose_not_applied(ledger: FoldedLedger, batch: Transaction, fact: Fact) -> None:
    """Fold what a Batch did not apply: announced inner orders were never placed, cancels never sent."""
    for inner in not_applied(batch, ledger.facts.transactions, ledger.account):
        order = ledger.order(inner.sequence)
        if inner.type == "OfferCreate" and order is not None and order.status is OrderStatus.SUBMITTED:
            evidence = f"Batch {batch.hash} was validated and did not apply it"
            _lose(ledger, order, fact, "batch_not_applied", evidence, proven=True)
        named = ledger.order(inner.offer_sequence or 0)
        pending = [] if named is None else [cancel for cancel in named.cancels if not cancel.validated]
        if named is not None and len(pending) == 1 and pending[0].transaction_hash is not None:
            ledger.put(named.cancel_validated(pending[0].transaction_hash))


def _lose(  # noqa: PLR0913 - the order, the fact that ends it, and how that is known
    ledger: FoldedLedger, order: Order, fact: Fact, rule: str, evidence: str, *, proven: bool = False
) -> None:
    """End an order that never reached a ledger; `proven`: a transaction proves that it never will."""
    ledger_index = fact.ledger_index or ledger.facts.header.ledger_index
    verdict = Verdict(reason=RemovalReason.UNKNOWN, rule=rule, evidence=evidence)
    ended = ledger.end(order, verdict, ledger_index, removed_by=None, by_engine=False)
    if proven and not order.missing:
        ended = msgspec.structs.replace(ended, resolution=Resolution.RESOLVED)
        ledger.put(ended)
    ledger.events.append(events.disappeared(ended, fact, evidence))
