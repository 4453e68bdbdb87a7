"""A ledger being folded for one account: the state before it stays as it is, what changes gathers here."""

from collections.abc import Iterator
from uuid import UUID

import msgspec

from offer_lifecycle import events
from offer_lifecycle.anomaly import is_anomaly
from offer_lifecycle.events import Fact
from offer_lifecycle.order import Order
from offer_lifecycle.removal import Verdict
from offer_lifecycle.state import AccountState, LedgerFacts, LedgerOutcome, UnexplainedRemoval
from offer_lifecycle.transaction import MalformedTransaction, Transaction
from order_events import Correction, OrderEvent, OrderStatus, RemovalReason, Resolution

_STATUS = {
    RemovalReason.FILLED: OrderStatus.FILLED,
    RemovalReason.CANCELED: OrderStatus.CANCELED,
    RemovalReason.REPLACED: OrderStatus.CANCELED,
    RemovalReason.KILLED: OrderStatus.CANCELED,
    RemovalReason.EXPIRED: OrderStatus.EXPIRED,
    RemovalReason.UNKNOWN: OrderStatus.LOST,
}
"""The status that an order ends with, by the reason; any other reason: REMOVED."""


class FoldedLedger:
    """What one ledger has done to an account so far."""

    def __init__(self, state: AccountState, facts: LedgerFacts) -> None:
        """Begin with nothing changed."""
        self.state = state
        self.facts = facts
        self.account = state.record.account
        self.changed: dict[int, Order] = {}
        self.early_cancels = dict(state.record.early_cancels)
        self.holdings = dict(state.record.holdings)
        self.holdings_known = state.record.holdings_known
        self.events: list[OrderEvent] = []
        self.verdicts: dict[int, Verdict] = {}
        self.damaged: list[str] = []
        self.unresolved: list[str] = []
        self.unexplained_removals: list[UnexplainedRemoval] = []

    def outcome(self) -> LedgerOutcome:
        """Return the events to publish, and the state to commit after them."""
        header = self.facts.header
        forgotten = [order.sequence for order in self.state.forgettable(header.ledger_index)]
        record = msgspec.structs.replace(
            self.state.record,
            ledger_index=header.ledger_index,
            ledger_hash=header.ledger_hash,
            transactions=tuple(tx.hash for tx in self.facts.transactions),
            holdings=self.holdings,
            holdings_known=self.holdings_known,
            early_cancels={
                sequence: cancels
                for sequence, cancels in self.early_cancels.items()
                if self.order(sequence) is None
                and any(cancel.in_flight(header.ledger_index + 1) for cancel in cancels)
            },
        )
        return LedgerOutcome(
            events=tuple(self.events),
            record=record,
            changed=self.changed,
            forgotten=tuple(sequence for sequence in forgotten if sequence not in self.changed),
            verdicts=self.verdicts,
            questions=tuple(q for verdict in self.verdicts.values() for q in verdict.questions),
            unexplained_removals=tuple(self.unexplained_removals),
            unresolved=tuple(self.unresolved),
            damaged=tuple(self.damaged),
        )

    def order(self, sequence: int) -> Order | None:
        """Return the order as it stands now; None: it is not known."""
        return self.changed.get(sequence) or self.state.orders.get(sequence)

    def put(self, order: Order) -> None:
        """Take an order as it stands now."""
        self.changed[order.sequence] = order

    def live(self, due: Iterator[Order]) -> list[Order]:
        """Return the orders that are due or changed in this ledger, as they stand now, if they live."""
        sequences = dict.fromkeys([*(order.sequence for order in due), *self.changed])
        orders = (self.order(sequence) for sequence in sequences)
        return [order for order in orders if order is not None and not order.ended]

    def fact(self, ledger_index: int | None, time: int, tx: Transaction | None = None) -> Fact:
        """Return where and when something was validated; `time` in ripple seconds."""
        network_id = self.state.record.network_id
        return Fact(network_id=network_id, ledger_index=ledger_index, time=time, tx=tx)

    def note_damage(self, damage: MalformedTransaction) -> None:
        """Note what can't be read."""
        self.damaged.append(str(damage))

    def end(
        self, order: Order, verdict: Verdict, ledger_index: int, *, removed_by: str | None, by_engine: bool
    ) -> Order:
        """End an order, and return it as it ended."""
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
                lost_until=self.state.record.announcements_lost_until,
            ),
            ended_at=ledger_index,
        )
        self.verdicts[order.sequence] = verdict
        self.put(ended)
        return ended

    def withdraw(self, order: Order, lost_event: UUID | None, fact: Fact, evidence: str) -> None:
        """Withdraw the event that told the order to be LOST; None: none told so by its deadline."""
        if lost_event is None:
            return
        by = fact.transaction_hash or f"deadline {order.last_ledger_sequence}"
        correction = events.corrected(
            order, fact, evidence, corrects=lost_event, by=by, correction=Correction.WITHDRAWN
        )
        self.events.append(correction)
