"""The fold: (state, one ledger's facts) -> (events, next state). Pure: no clock, no I/O, no chance.

Within a ledger: first time passes to the parent's close (expirations, announced orders that ran out),
then the transactions in the order the ledger applied them, then time passes to this ledger's close.
So it does not matter whether a ledger without transactions was looked at or skipped.
"""

from collections.abc import Iterator, Mapping

import msgspec

from offer_lifecycle import events
from offer_lifecycle.amounts import EXACT, XRP, ZERO, limit_price, market_of
from offer_lifecycle.anomaly import is_anomaly, is_disappearance
from offer_lifecycle.changes import Kind, OfferChange, offer_changes
from offer_lifecycle.events import Fact
from offer_lifecycle.funds import BalanceChange, Holding, balance_changes, spendable
from offer_lifecycle.order import Order
from offer_lifecycle.placement import Placement, place
from offer_lifecycle.removal import Case, decide
from offer_lifecycle.state import AccountState, LedgerOutcome
from offer_lifecycle.transaction import LedgerFacts, Transaction
from order_events import Amount, LiquiditySide, OrderEvent, OrderStatus, RemovalReason, Resolution

_STATUS = {
    RemovalReason.FILLED: OrderStatus.FILLED,
    RemovalReason.CANCELED: OrderStatus.CANCELED,
    RemovalReason.REPLACED: OrderStatus.CANCELED,
    RemovalReason.KILLED: OrderStatus.CANCELED,
    RemovalReason.EXPIRED: OrderStatus.EXPIRED,
    RemovalReason.UNKNOWN: OrderStatus.LOST,
}
"""The status that an order ends with, by the reason; any other reason: REMOVED."""


def fold(state: AccountState, facts: LedgerFacts) -> LedgerOutcome:
    """Return what one ledger did to the account's orders. `state` is left as it is.

    Raises:
        ValueError: if the ledger is not after the state's cursor.
        MalformedTransaction: naming transaction, node and field.

    """
    header = facts.header
    if header.ledger_index <= state.record.ledger_index:
        raise ValueError(
            f"expected a ledger after {state.record.ledger_index}, the last one folded, "
            f"found {header.ledger_index}"
        )
    ledger = _Ledger(state, facts)
    ledger.pass_time(header.parent_close_time, header.ledger_index - 1)
    for tx in facts.transactions:
        ledger.take(tx)
    ledger.pass_time(header.close_time, header.ledger_index)
    return ledger.outcome()


class _Ledger:
    """One ledger being folded: the state stays as it is, changes gather here."""

    def __init__(self, state: AccountState, facts: LedgerFacts) -> None:
        self._state = state
        self._facts = facts
        self._account = state.record.account
        self._changed: dict[int, Order] = {}
        self._holdings = dict(state.record.holdings)
        self._events: list[OrderEvent] = []

    def outcome(self) -> LedgerOutcome:
        header = self._facts.header
        forgotten = [order.sequence for order in self._state.forgettable(header.ledger_index)]
        record = msgspec.structs.replace(
            self._state.record,
            ledger_index=header.ledger_index,
            ledger_hash=header.ledger_hash,
            transactions=tuple(tx.hash for tx in self._facts.transactions),
            holdings=self._holdings,
        )
        return LedgerOutcome(
            events=tuple(self._events),
            record=record,
            changed=self._changed,
            forgotten=tuple(sequence for sequence in forgotten if sequence not in self._changed),
        )

    def pass_time(self, until: int, ledger_index: int) -> None:
        """Let the ledger's clock go to `until`, and its index to `ledger_index`."""
        for order in self._live(self._state.expiring(until)):
            if order.listed and order.expiration is not None and order.expiration <= until:
                self._expire(order)
        for order in self._live(self._state.overdue(ledger_index)):
            deadline = order.last_ledger_sequence
            if order.status is OrderStatus.SUBMITTED and deadline is not None and deadline <= ledger_index:
                evidence = "its LastLedgerSequence passed, and no ledger up to it holds its transaction"
                self._lose(order, self._at(deadline, until), evidence)

    def take(self, tx: Transaction) -> None:
        """Fold one transaction."""
        changes = list(offer_changes(tx))
        balances = list(balance_changes(tx, self._account))
        before = dict(self._holdings)
        for balance in balances:
            before[balance.asset] = balance.before
            self._holdings[balance.asset] = balance.after
        fact = self._at(tx.ledger_index, self._facts.header.close_time, tx)
        for change in changes:
            if change.account == self._account and change.kind is not Kind.CREATED:
                self._touch(change, fact, tx, before)
        if tx.account == self._account:
            self._own(tx, changes, balances, fact)

    def _touch(self, change: OfferChange, fact: Fact, tx: Transaction, before: Mapping[str, Holding]) -> None:
        """Fold a transaction's change to an offer that was on the book."""
        known = self._get(change.sequence) or _never_seen(change, self._state.record.session_id)
        missed = known.last_txn_id is not None and change.previous_txn_id != known.last_txn_id
        order = msgspec.structs.replace(
            known.traded(change.gave, change.got),
            listed=change.kind is not Kind.DELETED,
            gets_left=change.gets_left.value,
            pays_left=change.pays_left.value,
            last_txn_id=tx.hash,
            chain_broken=known.chain_broken or missed,
        )
        if change.kind is Kind.DELETED:
            self._remove(order, change, fact, tx, before)
            return
        if change.consumed:
            order = msgspec.structs.replace(order, status=OrderStatus.PARTIALLY_FILLED)
            self._events.append(events.filled(order, fact, change.gave, change.got, LiquiditySide.MAKER))
        self._put(order)

    def _remove(
        self, order: Order, change: OfferChange, fact: Fact, tx: Transaction, before: Mapping[str, Holding]
    ) -> None:
        reserves, asset = self._facts.reserves, change.gets_left.asset
        # The offer still counts towards the owner's reserve at the moment it is tried
        owners = before[XRP].owner_count if XRP in before else None
        case = Case(
            tx=tx,
            change=change,
            header=self._facts.header,
            funds_before=spendable(asset, self._account, before, reserves),
            funds_after=spendable(asset, self._account, self._holdings, reserves, owners),
        )
        verdict = decide(case)
        by_engine = self._by_engine(order, tx)
        ended = self._end(order, verdict.reason, tx.ledger_index, removed_by=tx.hash, by_engine=by_engine)
        if is_disappearance(order, verdict.reason, by_engine=by_engine):
            evidence = f"rule {verdict.rule}: {verdict.evidence}"
            self._events.append(events.disappeared(ended, fact, evidence))
        if change.consumed:
            self._events.append(events.filled(ended, fact, change.gave, change.got, LiquiditySide.MAKER))
        if ended.status is OrderStatus.CANCELED:
            self._events.append(events.canceled(ended, fact))
        if ended.status is OrderStatus.EXPIRED:
            self._events.append(events.expired(ended, fact))

    def _own(
        self, tx: Transaction, changes: list[OfferChange], balances: list[BalanceChange], fact: Fact
    ) -> None:
        """Fold what a transaction of the account's own means for its announced orders and cancels."""
        known = self._get(tx.sequence)
        if tx.type == "OfferCreate":
            self._place(place(tx, changes, balances, self._facts.reserves), tx, fact)
        elif known is not None and known.status is OrderStatus.SUBMITTED:
            self._lose(known, fact, f"its sequence was used by {tx.type} {tx.hash}")
        named = self._get(tx.offer_sequence or 0)
        if named is not None and named.canceled_by_engine(tx.hash):
            self._put(named.cancel_validated(tx.hash))

    def _place(self, placement: Placement, tx: Transaction, fact: Fact) -> None:
        known = self._get(tx.sequence)
        order = _placed(placement, tx, known, self._state.record.session_id)
        reason, entry = placement.reason, placement.entry
        if reason is not None:
            order = self._end(order, reason, tx.ledger_index, removed_by=tx.hash, by_engine=False)
        self._put(order)
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
        ended = self._end(order, RemovalReason.EXPIRED, header.ledger_index, removed_by=None, by_engine=False)
        # The fact is the Expiration itself, whichever ledger was the first to be looked at after it
        self._events.append(events.expired(ended, self._at(None, order.expiration or 0)))

    def _lose(self, order: Order, fact: Fact, evidence: str) -> None:
        ledger_index = fact.ledger_index or self._facts.header.ledger_index
        ended = self._end(order, RemovalReason.UNKNOWN, ledger_index, removed_by=None, by_engine=False)
        self._events.append(events.disappeared(ended, fact, evidence))

    def _end(
        self,
        order: Order,
        reason: RemovalReason,
        ledger_index: int,
        *,
        removed_by: str | None,
        by_engine: bool,
    ) -> Order:
        open_ends = {RemovalReason.UNEXPLAINED, RemovalReason.UNKNOWN}
        unresolved = reason in open_ends or order.chain_broken
        ended = msgspec.structs.replace(
            order,
            status=_STATUS.get(reason, OrderStatus.REMOVED),
            removal_reason=reason,
            removed_by=removed_by,
            resolution=Resolution.UNRESOLVED if unresolved else Resolution.RESOLVED,
            anomaly=is_anomaly(order, reason, by_engine=by_engine, ledger_index=ledger_index),
            ended_at=ledger_index,
        )
        self._put(ended)
        return ended

    def _by_engine(self, order: Order, tx: Transaction) -> bool:
        """Whether the engine announced the transaction, as a cancel or as the replacing order."""
        replacing = self._get(tx.sequence)
        announced = replacing is not None and not replacing.external
        same = replacing is not None and replacing.submitted_hash in {None, tx.hash}
        return order.canceled_by_engine(tx.hash) or (tx.type == "OfferCreate" and announced and same)

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


def _never_seen(change: OfferChange, session_id: str | None) -> Order:
    """Begin an order at a change to an entry whose creation was not read: its past is missing."""
    return Order(
        account=change.account,
        sequence=change.sequence,
        gets=Amount(change.gets_left.asset, EXACT.add(change.gets_left.value, change.gave)),
        pays=Amount(change.pays_left.asset, EXACT.add(change.pays_left.value, change.got)),
        price=None,
        expiration=change.expiration,
        status=OrderStatus.ACCEPTED,
        listed=True,
        chain_broken=True,
        session_id=session_id,
    )


def _placed(placement: Placement, tx: Transaction, known: Order | None, session_id: str | None) -> Order:
    """Return the order after its own transaction; what an engine announced of it is kept."""
    gets, pays, entry = placement.gets, placement.pays, placement.entry
    announced = known if known is not None and not known.external else None
    return Order(
        account=tx.account,
        sequence=tx.sequence,
        gets=gets,
        pays=pays,
        price=limit_price(market_of(gets.asset, pays.asset)[1], gets, pays),
        expiration=tx.expiration,
        status=placement.status,
        listed=entry is not None,
        gets_left=entry.gets_left.value if entry else max(EXACT.subtract(gets.value, placement.gave), ZERO),
        pays_left=entry.pays_left.value if entry else max(EXACT.subtract(pays.value, placement.got), ZERO),
        gave=placement.gave,
        got=placement.got,
        resolution=Resolution.RESOLVED if placement.status is OrderStatus.REJECTED else None,
        ended_at=tx.ledger_index if placement.status is OrderStatus.REJECTED else None,
        last_txn_id=tx.hash,
        external=announced is None,
        client_order_id=announced.client_order_id if announced else None,
        session_id=announced.session_id if announced else session_id,
        submitted_hash=announced.submitted_hash if announced else None,
        cancels=announced.cancels if announced else (),
    )
