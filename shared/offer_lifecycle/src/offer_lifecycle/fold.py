"""The fold: (state, one ledger's facts) -> (events, next state). Pure: no clock, no I/O, no randomness.

Within a ledger: first time passes to the parent's close (expirations, announced orders that ran out),
then the transactions in the order the ledger applied them, then time passes to this ledger's close.
So it does not matter whether a ledger without transactions was looked at or skipped.
"""

from collections.abc import Mapping

import msgspec

from offer_lifecycle import events
from offer_lifecycle.amounts import XRP, is_mpt
from offer_lifecycle.anomaly import is_disappearance
from offer_lifecycle.balances import BalanceChange, balance_changes, empty_since
from offer_lifecycle.changes import OfferChange, offer_changes, ordered_amounts
from offer_lifecycle.events import Fact
from offer_lifecycle.folded_ledger import FoldedLedger
from offer_lifecycle.formats import TRADES
from offer_lifecycle.funds import NOTHING, Holding
from offer_lifecycle.nodes import Kind
from offer_lifecycle.order import Order, order_with_missing_past
from offer_lifecycle.own_transactions import fold_own_transaction, lose_not_applied, read_placement
from offer_lifecycle.passing_time import pass_time, withdraw_lost
from offer_lifecycle.removal import Case, decide_removal
from offer_lifecycle.state import AccountState, LedgerFacts, LedgerOutcome, UnexplainedRemoval
from offer_lifecycle.transaction import MalformedTransaction, Transaction
from offer_lifecycle.unknown_parts import UnknownParts, unknown_parts
from order_events import LiquiditySide, OrderStatus, RemovalReason


def fold_ledger(state: AccountState, facts: LedgerFacts) -> LedgerOutcome:
    """Return what one ledger did to the account's orders. `state` is left as it is.

    Where the outcome has questions, folding the same ledger again with their answers may explain more.

    Raises:
        ValueError: if the ledger is not after the state's cursor.

    """
    ledger = _folded_transactions(state, facts)
    pass_time(ledger, facts.header.close_time, facts.header.ledger_index)
    return ledger.outcome()


def fold_beginning(state: AccountState, facts: LedgerFacts) -> LedgerOutcome:
    """Return what a ledger did up to a transaction; `facts` holds all of the account's up to that one.

    Its events are the first of those of the whole ledger: no later transaction changes them. Its record and
    orders are those amid the ledger, and nothing to commit. `state` is left as it is.

    Raises:
        ValueError: if the ledger is not after the state's cursor.

    """
    return _folded_transactions(state, facts).outcome()


def _folded_transactions(state: AccountState, facts: LedgerFacts) -> FoldedLedger:
    header = facts.header
    if header.ledger_index <= state.record.ledger_index:
        raise ValueError(
            f"expected a ledger after {state.record.ledger_index}, the last one folded, "
            f"found {header.ledger_index}"
        )
    ledger = FoldedLedger(state, facts)
    withdraw_lost(ledger)
    pass_time(ledger, header.parent_close_time, header.ledger_index - 1)
    for tx in facts.transactions:
        _fold_transaction(ledger, tx)
    return ledger


def _fold_transaction(ledger: FoldedLedger, tx: Transaction) -> None:
    """Fold one transaction."""
    damaged_before = len(ledger.damaged)
    ledger.damaged += [f"transaction {tx.hash}: {damage}" for damage in tx.damaged]
    changes = list(offer_changes(tx, on_damage=ledger.note_damage))
    balances = list(balance_changes(tx, ledger.account, on_damage=ledger.note_damage))
    damaged = len(ledger.damaged) > damaged_before
    if damaged:
        # Any balance may be in what can't be read: none is known until a transaction shows it again
        ledger.holdings, ledger.holdings_known = {}, False
    unknown = unknown_parts(tx, ledger.account)
    ledger.unresolved += [f"transaction {tx.hash}: unknown {name}" for name in unknown.names]
    before = _balances_before(ledger, tx, balances, unknown)
    fact = ledger.fact(tx.ledger_index, ledger.facts.header.close_time, tx)
    for change in changes:
        if change.account == ledger.account and change.kind is not Kind.CREATED:
            _touch(ledger, change, fact, tx, before)
    if tx.account == ledger.account:
        placement = None if damaged else read_placement(ledger, tx, changes, balances, unknown)
        fold_own_transaction(ledger, tx, placement, fact)
    lose_not_applied(ledger, tx, fact)


def _balances_before(
    ledger: FoldedLedger, tx: Transaction, balances: list[BalanceChange], unknown: UnknownParts
) -> dict[str, Holding]:
    """Take the balances after the transaction, and return those before it."""
    if unknown.balance_fields:
        # A field that is not known may mean that not all of the balance can be given
        ledger.holdings_known = False
        for balance in balances:
            ledger.holdings.pop(balance.asset, None)
        return {}
    before = {balance.asset: _with_past(ledger, balance) for balance in balances}
    for balance in balances:
        empty = empty_since(balance, before[balance.asset], tx, ledger.facts.reserves)
        ledger.holdings[balance.asset] = _emptied(balance.after, empty)
    return before


def _with_past(ledger: FoldedLedger, balance: BalanceChange) -> Holding:
    """Return the holding before the transaction, with what is known of when it became empty."""
    known = ledger.holdings.get(balance.asset)
    return _emptied(balance.before, known.emptied_by if known else None)


def _touch(
    ledger: FoldedLedger, change: OfferChange, fact: Fact, tx: Transaction, before: Mapping[str, Holding]
) -> None:
    """Fold a transaction's change to an offer that was on the book."""
    known = ledger.order(change.sequence) or order_with_missing_past(
        change, tx.hash, ledger.state.record.session_id
    )
    traded = change.consumed and tx.type in TRADES and not change.unknown_fields
    order = known.touched(change, tx.hash, traded=traded)
    if not traded and change.consumed:
        order = msgspec.structs.replace(order, missing=(*order.missing, tx.hash))
        what = ", ".join(change.unknown_fields) or f"a trade in a transaction of type {tx.type}"
        ledger.unresolved.append(f"transaction {tx.hash}: offer {change.sequence}: unknown {what}")
    if change.kind is Kind.DELETED:
        _remove(ledger, order, change, fact, tx, before, traded=traded)
        return
    if traded:
        order = msgspec.structs.replace(order, status=OrderStatus.PARTIALLY_FILLED)
        ledger.events.append(events.filled(order, fact, change.gave, change.got, LiquiditySide.MAKER))
    ledger.put(order)


def _remove(  # noqa: PLR0913, PLR0917 - the order, what removed it, and what was known before
    ledger: FoldedLedger,
    order: Order,
    change: OfferChange,
    fact: Fact,
    tx: Transaction,
    before: Mapping[str, Holding],
    *,
    traded: bool,
) -> None:
    case = _case(ledger, tx, change, before)
    verdict = decide_removal(case)
    by_engine = _by_engine(ledger, order, tx)
    ended = ledger.end(order, verdict, tx.ledger_index, removed_by=tx.hash, by_engine=by_engine)
    if verdict.questions:
        ledger.unexplained_removals.append(
            UnexplainedRemoval(
                order=ended,
                reserves=case.reserves,
                holding_before=case.holding_before,
                holding_after=case.holding_after,
                owner_count=case.owner_count,
            )
        )
    if is_disappearance(order, verdict.reason, by_engine=by_engine):
        since = case.unfunded_since if verdict.reason is RemovalReason.UNFUNDED else None
        evidence = f"rule {verdict.rule}: {verdict.evidence}"
        ledger.events.append(events.disappeared(ended, fact, evidence, unfunded_since=since))
    if traded:
        ledger.events.append(events.filled(ended, fact, change.gave, change.got, LiquiditySide.MAKER))
    if ended.status is OrderStatus.CANCELED:
        ledger.events.append(events.canceled(ended, fact))
    if ended.status is OrderStatus.EXPIRED:
        ledger.events.append(events.expired(ended, fact))


def _case(ledger: FoldedLedger, tx: Transaction, change: OfferChange, before: Mapping[str, Holding]) -> Case:
    asset = change.gives
    known = ledger.holdings_known and (ledger.state.record.mpts_known or not is_mpt(asset))
    unseen = NOTHING if known else None
    root = before.get(XRP) or ledger.holdings.get(XRP)
    return Case(
        tx=tx,
        change=change,
        parent_close_time=ledger.facts.header.parent_close_time,
        reserves=ledger.facts.reserves,
        holding_before=before.get(asset) or ledger.holdings.get(asset, unseen),
        holding_after=ledger.holdings.get(asset, unseen),
        owner_count=root.owner_count if root else None,
        answers=ledger.facts.answers,
    )


def _by_engine(ledger: FoldedLedger, order: Order, tx: Transaction) -> bool:
    """Whether the engine announced the transaction, as a cancel or as the replacing order."""
    if tx.account == order.account and tx.offer_sequence == order.sequence:
        if order.canceled_by_engine(tx.hash, tx.sequence):
            return True
        if tx.type == "OfferCancel" and order.cancel_may_be_sent_again(tx.ledger_index):
            return True
    elif order.canceled_by_engine(tx.hash):
        return True
    replacing = ledger.order(tx.sequence)
    if replacing is None or replacing.external or tx.type != "OfferCreate":
        return False
    try:
        return replacing.is_announced_as(tx.hash, *ordered_amounts(tx))
    except MalformedTransaction:
        return replacing.submitted_hash in {None, tx.hash}  # the damage itself is noted at its placement


def _emptied(holding: Holding, by: str | None) -> Holding:
    """Return a holding as the metadata shows it, with the transaction since which it is empty."""
    return holding if by is None else msgspec.structs.replace(holding, emptied_by=by)
