"""State of one account at its cursor: its orders and its balances.

`AccountState` is what the fold reads. Only `announce` and `apply` change it, and both say what changed,
so that a store writes just that.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator

import msgspec

from offer_lifecycle.announced_terms import upper_case, with_announced_hash, with_announced_terms
from offer_lifecycle.funds import Holding, Reserves
from offer_lifecycle.order import CANCEL_LEDGERS, Cancel, Order, canonical, with_cancel
from offer_lifecycle.removal import Verdict
from offer_lifecycle.state_before import StateAnswer, StateRequest
from offer_lifecycle.transaction import Header, Transaction
from order_events import CancelRequested, OrderEvent, OrderStatus, OrderSubmitted, SessionStarted

KEEP_ENDED_LEDGERS = 256
"""How long an ended order is remembered, so that an engine's late announcement finds it."""


_MOST_EARLY_CANCELS = 64
"""Orders of which a cancel is remembered before anything is known of them: those announced last."""


class AccountRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An account's cursor and balances. The ledger named here is the last one fully folded."""

    network_id: int
    account: str
    adopted_at: int
    """The ledger at which the account began to be followed."""
    followed_since: int | None = None
    """The ledger at which it was adopted before its state was lost; None: it never was."""
    ledger_index: int
    ledger_hash: str
    transactions: tuple[str, ...] = ()
    """Hashes of that ledger's transactions of the account: reading it again must find the same."""
    holdings: dict[str, Holding] = {}
    holdings_known: bool = True
    """What is not among the holdings is nothing, and not merely unknown."""
    mpts_known: bool = False
    """The same of MPTs: an earlier version, or a server that does not list them, leaves them unknown."""
    session_id: str | None = None
    early_cancels: dict[int, tuple[Cancel, ...]] = {}
    """By the order's sequence: cancels that were announced before anything was known of the order."""
    announcements_lost_until: int = 0
    """Up to this ledger a cancel of the engine's may have been announced and lost on its way here."""


class LedgerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One validated ledger, as far as one account is concerned."""

    header: Header
    reserves: Reserves
    transactions: tuple[Transaction, ...]
    """Those that touch the account, by TransactionIndex (see `in_order`); others do no harm."""
    answers: tuple[StateAnswer, ...] = ()
    """To an earlier outcome's questions about this ledger."""
    proven: bool = False
    """Whether the bytes of these transactions hash up to the ledger's hash; it changes no outcome."""


class UnexplainedRemoval(msgspec.Struct, frozen=True, kw_only=True):
    """A removal that no rule explained, with what is needed to decide it again later."""

    order: Order
    """As it ended."""
    reserves: Reserves
    holding_before: Holding | None
    """The owner's holding of TakerGets before the removing transaction; None: not known."""
    holding_after: Holding | None
    owner_count: int | None


class LedgerOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What one ledger did: the events to publish, and the state to commit after them."""

    events: tuple[OrderEvent, ...]
    record: AccountRecord
    changed: dict[int, Order]
    forgotten: tuple[int, ...] = ()
    """Sequences of orders that ended long ago and are remembered no longer."""
    verdicts: dict[int, Verdict] = {}
    """Why the orders that ended in it did, by sequence."""
    questions: tuple[StateRequest, ...] = ()
    """What would tell why an unexplained one did."""
    unexplained_removals: tuple[UnexplainedRemoval, ...] = ()
    """The unexplained ones that those are about."""
    unresolved: tuple[str, ...] = ()
    """What could not be concluded, by transaction: sides that do not meet, and unknown parts."""
    damaged: tuple[str, ...] = ()
    """Nodes that could not be read: what they did to the account's orders and balances is not known."""


class AccountState:
    """An account's record and its orders, by sequence, with what is due at which time or ledger."""

    def __init__(self, record: AccountRecord, orders: Iterable[Order] = ()) -> None:
        """Take what a store has kept."""
        self.record = record
        self.orders: dict[int, Order] = {}
        self.lost: set[int] = set()
        """Sequences of the orders that are LOST."""
        self.open: set[int] = set()
        """Sequences of the orders that have not ended."""
        self.announced_again: set[int] = set()
        """Sequences of the orders that were told to be LOST and were then announced again in time."""
        self.canceling: set[int] = set()
        """Sequences of the orders with a cancel in flight whose own Sequence is known."""
        self._expirations: list[tuple[int, int]] = []
        self._deadlines: list[tuple[int, int]] = []
        self._endings: list[tuple[int, int]] = []
        for order in orders:
            self._put(canonical(order))

    def expiring(self, until: int) -> Iterator[Order]:
        """Yield the live orders whose Expiration is not after `until` (ripple seconds)."""
        return self._due(self._expirations, until)

    def overdue(self, ledger_index: int) -> Iterator[Order]:
        """Yield the announced orders that no ledger up to this one may hold any more."""
        return self._due(self._deadlines, ledger_index)

    def forgettable(self, ledger_index: int) -> Iterator[Order]:
        """Yield the orders that ended so long ago that they need not be remembered."""
        return self._due(self._endings, ledger_index - KEEP_ENDED_LEDGERS)

    def deadlines(self, until: int) -> list[int]:
        """Return the ledgers up to `until` at which an announced order runs out: their headers are wanted."""
        return sorted({ledger for ledger, _ in self._deadlines if ledger <= until})

    def announce(self, event: OrderSubmitted | CancelRequested | SessionStarted) -> Order | None:
        """Take what the engine says of itself; return the order that it changed, None if none.

        Saying it again changes nothing.
        """
        match event:
            case SessionStarted():
                self.record = msgspec.structs.replace(self.record, session_id=event.session_id)
                return None
            case OrderSubmitted():
                order: Order | None = self._submitted(event)
            case CancelRequested():
                order = self._cancel_requested(event)
        if order is not None:
            self._put(order)
        return order

    def mark_incomplete(self, sequences: Iterable[int], what: str) -> list[int]:
        """Note that `what` is missing in the history of some orders; return the sequences that are known.

        The end of such an order is unresolved.
        """
        known = [self.orders[sequence] for sequence in sequences if sequence in self.orders]
        for order in known:
            self._put(msgspec.structs.replace(order, missing=(*order.missing, what)))
        return [order.sequence for order in known]

    def apply(self, outcome: LedgerOutcome) -> None:
        """Go on to the state after a ledger."""
        self.record = outcome.record
        for order in outcome.changed.values():
            self._put(order)
        for sequence in outcome.forgotten:
            self._drop(sequence)

    def _submitted(self, event: OrderSubmitted) -> Order | None:
        known = self.orders.get(event.sequence)
        if known is not None:
            return self._announced_again(known, event)
        deadline = event.last_ledger_sequence
        seen = self._would_have_been_seen(event)
        if deadline is not None and deadline <= self.record.ledger_index and not seen:
            return None  # its ledgers are past and were not all read, or are forgotten: nothing can be said
        return with_announced_terms(
            Order(
                account=event.account,
                sequence=event.sequence,
                gets=event.taker_gets,
                pays=event.taker_pays,
                price=None,
                expiration=None,
                status=OrderStatus.SUBMITTED,
                external=False,
                client_order_id=event.client_order_id,
                session_id=event.session_id or self.record.session_id,
                last_ledger_sequence=deadline if seen else None,
                cancels=self.record.early_cancels.get(event.sequence, ()),
            ),
            event,
        )

    def _announced_again(self, known: Order, event: OrderSubmitted) -> Order:
        """Return a known order after one more announcement: the latest deadline and amounts count.

        One that was told to be LOST lives again if its new deadline has not passed; the next ledger tells so.
        """
        order = msgspec.structs.replace(
            known,
            external=False,
            client_order_id=event.client_order_id,
            session_id=event.session_id or known.session_id,
        )
        deadline, cursor = event.last_ledger_sequence, self.record.ledger_index
        if known.status is OrderStatus.LOST and known.lost_event and (deadline is None or deadline > cursor):
            order = msgspec.structs.replace(
                order,
                status=OrderStatus.SUBMITTED,
                removal_reason=None,
                resolution=None,
                anomaly=False,
                ended_at=None,
            )
        elif known.status is not OrderStatus.SUBMITTED:
            return with_announced_hash(order, event, latest=True)
        until = known.last_ledger_sequence
        if until is None or (deadline is not None and deadline < until):
            return with_announced_hash(order, event, latest=until is None)
        return with_announced_terms(msgspec.structs.replace(order, last_ledger_sequence=deadline), event)

    def _would_have_been_seen(self, event: OrderSubmitted) -> bool:
        """Whether every ledger that may hold the order is one whose end of it would still be known here."""
        if event.last_ledger_sequence is None:
            return False
        forgotten_up_to = max(self.record.adopted_at, self.record.ledger_index - KEEP_ENDED_LEDGERS)
        sent_after = event.validated_ledger_index
        first = self.record.adopted_at if sent_after is None else sent_after
        return first >= self.record.adopted_at and event.last_ledger_sequence > forgotten_up_to

    def _cancel_requested(self, event: CancelRequested) -> Order | None:
        sent_after, last = event.validated_ledger_index, event.last_ledger_sequence
        if sent_after is None and last is None:
            last = self.record.ledger_index + CANCEL_LEDGERS
        cancel = Cancel(
            transaction_hash=upper_case(event.transaction_hash),
            sent_after=sent_after,
            sequence=event.cancel_sequence,
            last_ledger_sequence=last,
        )
        order = self.orders.get(event.sequence)
        if order is None:
            self._remember_early(event.sequence, cancel)
            return None
        cancels = with_cancel(order.cancels, cancel)
        return None if cancels == order.cancels else msgspec.structs.replace(order, cancels=cancels)

    def _remember_early(self, sequence: int, cancel: Cancel) -> None:
        early = dict(self.record.early_cancels)
        early[sequence] = with_cancel(early.pop(sequence, ()), cancel)
        kept = dict(list(early.items())[-_MOST_EARLY_CANCELS:])
        self.record = msgspec.structs.replace(self.record, early_cancels=kept)

    def _put(self, order: Order) -> None:
        self._drop(order.sequence)
        self.orders[order.sequence] = order
        if order.status is OrderStatus.LOST:
            self.lost.add(order.sequence)
        if not order.ended:
            self.open.add(order.sequence)
        if order.lost_event is not None and order.status is not OrderStatus.LOST:
            self.announced_again.add(order.sequence)
        if any(cancel.sequence is not None and not cancel.validated for cancel in order.cancels):
            self.canceling.add(order.sequence)
        for agenda, key in self._places(order):
            insort(agenda, (key, order.sequence))

    def _drop(self, sequence: int) -> None:
        order = self.orders.pop(sequence, None)
        if order is None:
            return
        for sequences in (self.lost, self.open, self.announced_again, self.canceling):
            sequences.discard(sequence)
        for agenda, key in self._places(order):
            del agenda[bisect_left(agenda, (key, sequence))]

    def _places(self, order: Order) -> Iterator[tuple[list[tuple[int, int]], int]]:
        if order.listed and not order.ended and order.expiration is not None:
            yield self._expirations, order.expiration
        if order.status is OrderStatus.SUBMITTED and order.last_ledger_sequence is not None:
            yield self._deadlines, order.last_ledger_sequence
        if order.ended and not order.listed and order.ended_at is not None:
            yield self._endings, order.ended_at

    def _due(self, agenda: list[tuple[int, int]], until: int) -> Iterator[Order]:
        for key, sequence in agenda:
            if key > until:
                return
            yield self.orders[sequence]
