"""The fold: (state, one ledger's facts) -> (events, next state). Pure: no clock, no I/O, no randomness.

Within a ledger: first time passes to the parent's close (expirations, announced orders that ran out),
then the transactions in the order the ledger applied them, then time passes to this ledger's close.
So it does not matter whether a ledger without transactions was looked at or skipped.
"""

from collections.abc import Iterator, Mapping
from uuid import UUID

import msgspec

from offer_lifecycle import events
from offer_lifecycle.amounts import XRP, is_mpt
from offer_lifecycle.anomaly import is_anomaly, is_disappearance
from offer_lifecycle.balances import BalanceChange, balance_changes, empty_since
from offer_lifecycle.batches import not_applied
from offer_lifecycle.changes import OfferChange, offer_changes, ordered_amounts
from offer_lifecycle.events import Fact
from offer_lifecycle.formats import TRADES
from offer_lifecycle.funds import NOTHING, Holding
from offer_lifecycle.nodes import Kind
from offer_lifecycle.order import Order, end_cancels, order_after_placement, order_with_missing_past
from offer_lifecycle.placement import Placement, decide_placement, without_trade
from offer_lifecycle.removal import Case, Verdict, decide_removal
from offer_lifecycle.state import AccountState, LedgerFacts, LedgerOutcome, UnexplainedRemoval
from offer_lifecycle.transaction import MalformedTransaction, Transaction
from offer_lifecycle.unknown_parts import UnknownParts, unknown_parts
from order_events import Correction, LiquiditySide, OrderEvent, OrderStatus, RemovalReason, Resolution

_STATUS = {
    RemovalReason.FILLED: OrderStatus.FILLED,
    RemovalReason.CANCELED: OrderStatus.CANCELED,
    RemovalReason.REPLACED: OrderStatus.CANCELED,
    RemovalReason.KILLED: OrderStatus.CANCELED,
    RemovalReason.EXPIRED: OrderStatus.EXPIRED,
    RemovalReason.UNKNOWN: OrderStatus.LOST,
}
"""The status that an order ends with, by the reason; any other reason: REMOVED."""


def fold_ledger(state: AccountState, facts: LedgerFacts) -> LedgerOutcome:
    """Return what one ledger did to the account's orders. `state` is left as it is.

    Where the outcome has questions, folding the same ledger again with their answers may explain more.

    Raises:
        ValueError: if the ledger is not after the state's cursor.

    """
    ledger = _folded_transactions(state, facts)
    ledger.pass_time(facts.header.close_time, facts.header.ledger_index)
    return ledger.outcome()


def fold_beginning(state: AccountState, facts: LedgerFacts) -> LedgerOutcome:
    """Return what a ledger did up to a transaction; `facts` holds all of the account's up to that one.

    Its events are the first of those of the whole ledger: no later transaction changes them. Its record and
    orders are those amid the ledger, and nothing to commit. `state` is left as it is.

    Raises:
        ValueError: if the ledger is not after the state's cursor.

    """
    return _folded_transactions(state, facts).outcome()


def _folded_transactions(state: AccountState, facts: LedgerFacts) -> "_Ledger":
    header = facts.header
    if header.ledger_index <= state.record.ledger_index:
        raise ValueError(
            f"expected a ledger after {state.record.ledger_index}, the last one folded, "
            f"found {header.ledger_index}"
        )
    ledger = _Ledger(state, facts)
    ledger.withdraw_lost()
    ledger.pass_time(header.parent_close_time, header.ledger_index - 1)
    for tx in facts.transactions:
        ledger.fold_transaction(tx)
    return ledger


class _Ledger:
    """One ledger being folded: the state stays as it is, changes gather here."""

    def __init__(self, state: AccountState, facts: LedgerFacts) -> None:
        self._state = state
        self._facts = facts
        self._account = state.record.account
        self._changed: dict[int, Order] = {}
        self._early_cancels = dict(state.record.early_cancels)
        self._holdings = dict(state.record.holdings)
        self._holdings_known = state.record.holdings_known
        self._events: list[OrderEvent] = []
        self._verdicts: dict[int, Verdict] = {}
        self._damaged: list[str] = []
        self._unresolved: list[str] = []
        self._unexplained_removals: list[UnexplainedRemoval] = []

    def outcome(self) -> LedgerOutcome:
        header = self._facts.header
        forgotten = [order.sequence for order in self._state.forgettable(header.ledger_index)]
        record = msgspec.structs.replace(
            self._state.record,
            ledger_index=header.ledger_index,
            ledger_hash=header.ledger_hash,
            transactions=tuple(tx.hash for tx in self._facts.transactions),
            holdings=self._holdings,
            holdings_known=self._holdings_known,
            early_cancels={
                sequence: cancels
                for sequence, cancels in self._early_cancels.items()
                if self._get(sequence) is None
                and any(cancel.in_flight(header.ledger_index + 1) for cancel in cancels)
            },
        )
        return LedgerOutcome(
            events=tuple(self._events),
            record=record,
            changed=self._changed,
            forgotten=tuple(sequence for sequence in forgotten if sequence not in self._changed),
            verdicts=self._verdicts,
            questions=tuple(q for verdict in self._verdicts.values() for q in verdict.questions),
            unexplained_removals=tuple(self._unexplained_removals),
            unresolved=tuple(self._unresolved),
            damaged=tuple(self._damaged),
        )

    def withdraw_lost(self) -> None:
        """Withdraw that an order is LOST where it was announced again in time."""
        fact = self._at(self._state.record.ledger_index, self._facts.header.parent_close_time)
        for sequence in sorted(self._state.announced_again):
            order = self._state.orders[sequence]
            evidence = f"it was announced again, and may come until ledger {order.last_ledger_sequence}"
            self._withdraw(order, order.lost_event, fact, evidence)
            self._put(msgspec.structs.replace(order, lost_event=None))

    def pass_time(self, until: int, ledger_index: int) -> None:
        """Let the ledger's clock go to `until`, and its index to `ledger_index`."""
        for order in self._live(self._state.expiring(until)):
            if order.listed and order.expiration is not None and order.expiration <= until:
                self._expire(order)
        for order in self._live(self._state.overdue(ledger_index)):
            deadline = order.last_ledger_sequence
            if order.status is OrderStatus.SUBMITTED and deadline is not None and deadline <= ledger_index:
                evidence = "its LastLedgerSequence passed, and no ledger up to it holds its transaction"
                self._lose_at_deadline(order, self._at(deadline, until), evidence)

    def fold_transaction(self, tx: Transaction) -> None:
        """Fold one transaction."""
        damaged_before = len(self._damaged)
        self._damaged += [f"transaction {tx.hash}: {damage}" for damage in tx.damaged]
        changes = list(offer_changes(tx, on_damage=self._damage))
        balances = list(balance_changes(tx, self._account, on_damage=self._damage))
        damaged = len(self._damaged) > damaged_before
        if damaged:
            # Any balance may be in what can't be read: none is known until a transaction shows it again
            self._holdings, self._holdings_known = {}, False
        unknown = unknown_parts(tx, self._account)
        self._unresolved += [f"transaction {tx.hash}: unknown {name}" for name in unknown.names]
        before = self._balances_before(tx, balances, unknown)
        fact = self._at(tx.ledger_index, self._facts.header.close_time, tx)
        for change in changes:
            if change.account == self._account and change.kind is not Kind.CREATED:
                self._touch(change, fact, tx, before)
        if tx.account == self._account:
            placement = None if damaged else self._placement(tx, changes, balances, unknown)
            self._own(tx, placement, fact)
        self._lose_not_applied(tx, fact)

    def _balances_before(
        self, tx: Transaction, balances: list[BalanceChange], unknown: UnknownParts
    ) -> dict[str, Holding]:
        """Take the balances after the transaction, and return those before it."""
        if unknown.balance_fields:
            # A field that is not known may mean that not all of the balance can be given
            self._holdings_known = False
            for balance in balances:
                self._holdings.pop(balance.asset, None)
            return {}
        before = {balance.asset: self._with_past(balance) for balance in balances}
        for balance in balances:
            empty = empty_since(balance, before[balance.asset], tx, self._facts.reserves)
            self._holdings[balance.asset] = _emptied(balance.after, empty)
        return before

    def _damage(self, damage: MalformedTransaction) -> None:
        self._damaged.append(str(damage))

    def _with_past(self, balance: BalanceChange) -> Holding:
        """Return the holding before the transaction, with what is known of when it became empty."""
        known = self._holdings.get(balance.asset)
        return _emptied(balance.before, known.emptied_by if known else None)

    def _touch(self, change: OfferChange, fact: Fact, tx: Transaction, before: Mapping[str, Holding]) -> None:
        """Fold a transaction's change to an offer that was on the book."""
        known = self._get(change.sequence) or order_with_missing_past(
            change, tx.hash, self._state.record.session_id
        )
        traded = change.consumed and tx.type in TRADES and not change.unknown_fields
        order = known.touched(change, tx.hash, traded=traded)
        if not traded and change.consumed:
            order = msgspec.structs.replace(order, missing=(*order.missing, tx.hash))
            what = ", ".join(change.unknown_fields) or f"a trade in a transaction of type {tx.type}"
            self._unresolved.append(f"transaction {tx.hash}: offer {change.sequence}: unknown {what}")
        if change.kind is Kind.DELETED:
            self._remove(order, change, fact, tx, before, traded=traded)
            return
        if traded:
            order = msgspec.structs.replace(order, status=OrderStatus.PARTIALLY_FILLED)
            self._events.append(events.filled(order, fact, change.gave, change.got, LiquiditySide.MAKER))
        self._put(order)

    def _remove(  # noqa: PLR0913 - the order, what removed it, and what was known before
        self,
        order: Order,
        change: OfferChange,
        fact: Fact,
        tx: Transaction,
        before: Mapping[str, Holding],
        *,
        traded: bool,
    ) -> None:
        case = self._case(tx, change, before)
        verdict = decide_removal(case)
        by_engine = self._by_engine(order, tx)
        ended = self._end(order, verdict, tx.ledger_index, removed_by=tx.hash, by_engine=by_engine)
        if verdict.questions:
            self._unexplained_removals.append(
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
            self._events.append(events.disappeared(ended, fact, evidence, unfunded_since=since))
        if traded:
            self._events.append(events.filled(ended, fact, change.gave, change.got, LiquiditySide.MAKER))
        if ended.status is OrderStatus.CANCELED:
            self._events.append(events.canceled(ended, fact))
        if ended.status is OrderStatus.EXPIRED:
            self._events.append(events.expired(ended, fact))

    def _case(self, tx: Transaction, change: OfferChange, before: Mapping[str, Holding]) -> Case:
        asset = change.gives
        known = self._holdings_known and (self._state.record.mpts_known or not is_mpt(asset))
        unseen = NOTHING if known else None
        root = before.get(XRP) or self._holdings.get(XRP)
        return Case(
            tx=tx,
            change=change,
            parent_close_time=self._facts.header.parent_close_time,
            reserves=self._facts.reserves,
            holding_before=before.get(asset) or self._holdings.get(asset, unseen),
            holding_after=self._holdings.get(asset, unseen),
            owner_count=root.owner_count if root else None,
            answers=self._facts.answers,
        )

    def _placement(
        self,
        tx: Transaction,
        changes: list[OfferChange],
        balances: list[BalanceChange],
        unknown: UnknownParts,
    ) -> Placement | None:
        """Decide what became of the account's own order; None: there is none, or it can't be read."""
        if tx.type != "OfferCreate":
            return None
        try:
            placement = decide_placement(tx, changes, balances, self._facts.reserves)
        except MalformedTransaction as damage:
            self._damage(damage)
            return None
        if unknown.about_order is not None:
            placement = without_trade(placement, unknown.about_order)
        if placement.problem is not None:
            self._unresolved.append(f"transaction {tx.hash}: {placement.problem}")
        return placement

    def _own(self, tx: Transaction, placement: Placement | None, fact: Fact) -> None:
        """Fold what a transaction of the account's own means for its announced orders and cancels."""
        known = self._get(tx.sequence)
        if tx.type == "OfferCreate":
            if placement is None:
                self._leave_open(tx, known)
            else:
                self._place(placement, tx, fact)
        elif known is not None and known.status is OrderStatus.SUBMITTED:
            self._lose(known, fact, "sequence_used", f"its sequence was used by {tx.type} {tx.hash}")
        self._end_cancels(tx)

    def _end_cancels(self, tx: Transaction) -> None:
        """Note which of the engine's cancels are in flight no longer: this one, and those of its Sequence."""
        named = self._get(tx.offer_sequence or 0)
        if named is not None and named.canceled_by_engine(tx.hash):
            self._put(named.cancel_validated(tx.hash))
        for sequence in self._state.canceling:
            order = self._get(sequence)
            if order is not None and order.canceled_by_engine(tx.hash, tx.sequence):
                self._put(order.cancel_validated(tx.hash, tx.sequence))
        self._early_cancels = {
            sequence: end_cancels(cancels, tx.hash, tx.sequence)
            for sequence, cancels in self._early_cancels.items()
        }

    def _lose_not_applied(self, batch: Transaction, fact: Fact) -> None:
        """Fold what a Batch did not apply: announced inner orders were never placed, cancels never sent."""
        for inner in not_applied(batch, self._facts.transactions, self._account):
            order = self._get(inner.sequence)
            if inner.type == "OfferCreate" and order is not None and order.status is OrderStatus.SUBMITTED:
                evidence = f"Batch {batch.hash} was validated and did not apply it"
                self._lose(order, fact, "batch_not_applied", evidence, proven=True)
            named = self._get(inner.offer_sequence or 0)
            pending = [] if named is None else [cancel for cancel in named.cancels if not cancel.validated]
            if named is not None and len(pending) == 1 and pending[0].transaction_hash is not None:
                self._put(named.cancel_validated(pending[0].transaction_hash))

    def _leave_open(self, tx: Transaction, known: Order | None) -> None:
        """Say nothing of an order whose own transaction can't be read in full, but that it can't."""
        if known is not None:
            missing = (*known.missing, tx.hash)
            self._put(msgspec.structs.replace(known, missing=missing, last_ledger_sequence=None))

    def _place(self, placement: Placement, tx: Transaction, fact: Fact) -> None:
        known = self._get(tx.sequence)
        early = self._early_cancels.get(tx.sequence, ())
        order = order_after_placement(placement, tx, known, self._state.record.session_id, early)
        reason, entry = placement.reason, placement.entry
        if reason is not None:
            verdict = Verdict(reason=reason, rule="own_transaction", evidence=placement.evidence)
            order = self._end(order, verdict, tx.ledger_index, removed_by=tx.hash, by_engine=False)
        if placement.problem is not None:
            order = msgspec.structs.replace(
                order, missing=(*order.missing, tx.hash), resolution=Resolution.UNRESOLVED
            )
        self._put(order)
        if known is not None and known.status is OrderStatus.LOST:
            self._withdraw(order, known.lost_event, fact, f"its transaction {tx.hash} was validated")
        if order.status is OrderStatus.REJECTED:
            self._events.append(events.rejected(order, fact, tx.result))
            return
        if order.status is OrderStatus.REMOVED:
            self._events.append(events.disappeared(order, fact, placement.evidence))
        if entry is not None:
            self._events.append(events.accepted(order, fact))
        if placement.traded:
            trade = events.filled(order, fact, placement.gave, placement.got, LiquiditySide.TAKER)
            self._events.append(trade)
        if order.status is OrderStatus.CANCELED:
            self._events.append(events.canceled(order, fact))

    def _expire(self, order: Order) -> None:
        header = self._facts.header
        evidence = f"a ledger has closed at or after its Expiration {order.expiration}"
        verdict = Verdict(reason=RemovalReason.EXPIRED, rule="expiration_passed", evidence=evidence)
        ended = self._end(order, verdict, header.ledger_index, removed_by=None, by_engine=False)
        # The fact is the Expiration itself, whichever ledger was the first to be looked at after it
        self._events.append(events.expired(ended, self._at(None, order.expiration or 0)))

    def _withdraw(self, order: Order, lost_event: UUID | None, fact: Fact, evidence: str) -> None:
        """Withdraw the event that told the order to be LOST; None: none told so by its deadline."""
        if lost_event is None:
            return
        by = fact.transaction_hash or f"deadline {order.last_ledger_sequence}"
        correction = events.corrected(
            order, fact, evidence, corrects=lost_event, by=by, correction=Correction.WITHDRAWN
        )
        self._events.append(correction)

    def _lose_at_deadline(self, order: Order, fact: Fact, evidence: str) -> None:
        """End an order whose LastLedgerSequence has passed; announced again in time, it lives again."""
        verdict = Verdict(reason=RemovalReason.UNKNOWN, rule="deadline_passed", evidence=evidence)
        deadline = order.last_ledger_sequence or self._facts.header.ledger_index
        ended = self._end(order, verdict, deadline, removed_by=None, by_engine=False)
        named_by = f"deadline {deadline}" if order.times_lost else None
        event = events.disappeared(ended, fact, evidence, named_by=named_by)
        times_lost = order.times_lost + 1
        self._put(msgspec.structs.replace(ended, lost_event=event.event_id, times_lost=times_lost))
        self._events.append(event)

    def _lose(self, order: Order, fact: Fact, rule: str, evidence: str, *, proven: bool = False) -> None:
        """End an order that never reached a ledger; `proven`: a transaction proves that it never will."""
        ledger_index = fact.ledger_index or self._facts.header.ledger_index
        verdict = Verdict(reason=RemovalReason.UNKNOWN, rule=rule, evidence=evidence)
        ended = self._end(order, verdict, ledger_index, removed_by=None, by_engine=False)
        if proven and not order.missing:
            ended = msgspec.structs.replace(ended, resolution=Resolution.RESOLVED)
            self._put(ended)
        self._events.append(events.disappeared(ended, fact, evidence))

    def _end(
        self, order: Order, verdict: Verdict, ledger_index: int, *, removed_by: str | None, by_engine: bool
    ) -> Order:
        open_ends = {RemovalReason.UNEXPLAINED, RemovalReason.UNKNOWN}
        unresolved = verdict.reason in open_ends or bool(order.missing)
        ended = msgspec.structs.replace(
            order,
            status=_STATUS.get(verdict.reason, OrderStatus.REMOVED),
            removal_reason=verdict.reason,
            removed_by=removed_by,
            resolution=Resolution.UNRESOLVED if unresolved else Resolution.RESOLVED,
            anomaly=is_anomaly(
                order,
                verdict.reason,
                by_engine=by_engine,
                ledger_index=ledger_index,
                lost_until=self._state.record.announcements_lost_until,
            ),
            ended_at=ledger_index,
        )
        self._verdicts[order.sequence] = verdict
        self._put(ended)
        return ended

    def _by_engine(self, order: Order, tx: Transaction) -> bool:
        """Whether the engine announced the transaction, as a cancel or as the replacing order."""
        if tx.account == order.account and tx.offer_sequence == order.sequence:
            if order.canceled_by_engine(tx.hash, tx.sequence):
                return True
            if tx.type == "OfferCancel" and order.cancel_may_be_sent_again(tx.ledger_index):
                return True
        elif order.canceled_by_engine(tx.hash):
            return True
        replacing = self._get(tx.sequence)
        if replacing is None or replacing.external or tx.type != "OfferCreate":
            return False
        try:
            return replacing.is_announced_as(tx.hash, *ordered_amounts(tx))
        except MalformedTransaction:
            return replacing.submitted_hash in {None, tx.hash}  # the damage itself is noted at its placement

    def _at(self, ledger_index: int | None, time: int, tx: Transaction | None = None) -> Fact:
        network_id = self._state.record.network_id
        return Fact(network_id=network_id, ledger_index=ledger_index, time=time, tx=tx)

    def _get(self, sequence: int) -> Order | None:
        return self._changed.get(sequence) or self._state.orders.get(sequence)

    def _put(self, order: Order) -> None:
        self._changed[order.sequence] = order

    def _live(self, due: Iterator[Order]) -> list[Order]:
        """Return the orders that are due or changed in this ledger, as they stand now, if they live."""
        sequences = dict.fromkeys([*(order.sequence for order in due), *self._changed])
        orders = (self._get(sequence) for sequence in sequences)
        return [order for order in orders if order is not None and not order.ended]


def _emptied(holding: Holding, by: str | None) -> Holding:
    """Return a holding as the metadata shows it, with the transaction since which it is empty."""
    return holding if by is None else msgspec.structs.replace(holding, emptied_by=by)
