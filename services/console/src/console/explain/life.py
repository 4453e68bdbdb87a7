"""One order's life: the account's history folded through the kernel, from the placement to the newest ledger.

Nothing is known of the account before; what the metadata leaves open is asked of the node at the ledger
before, and the same ledger is folded again with the answers.
"""

from itertools import groupby

import msgspec

from console.explain.history import History, Newest, ledger_entry, ledger_header, reserves_at
from console.explain.node import Node, Refused
from offer_lifecycle import (
    AccountState,
    Header,
    LedgerFacts,
    LedgerOutcome,
    Order,
    Reserves,
    StateAnswer,
    StateRequest,
    Transaction,
    Verdict,
    adopt_without_snapshot,
    fold_ledger,
)
from order_events import OrderDisappeared, OrderEvent

_ROUNDS = 3
"""A domain's answer asks for credentials; nothing asks further than that."""


class Touch(msgspec.Struct, frozen=True, kw_only=True):
    """One transaction that touched the order or named it, and what the kernel tells of the order in it."""

    tx: Transaction
    header: Header
    events: tuple[OrderEvent, ...]


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an order up to the newest ledger."""

    order: Order | None
    """None: nothing of it was read."""
    verdict: Verdict | None
    """Why it ended; None: it has not, or was refused in its own transaction."""
    touches: tuple[Touch, ...]
    unfunded_since: str | None
    reserves: Reserves
    reserves_known: bool
    """They are those of the ledger in which it ended, not today's."""
    answers: tuple[StateAnswer, ...]
    """What the node said of the ledger before."""
    unanswered: tuple[str, ...]
    damaged: tuple[str, ...]
    """Nodes of its transactions that could not be read."""


def follow(node: Node, account: str, sequence: int, history: History, newest: Newest) -> Life:
    """Fold the history as far as it concerns the order.

    Raises:
        Refused, NodeSilent, NodeMisbehaves: what was asked for is not to be had.

    """
    touching = [tx for tx in history.transactions if tx.hash in history.touching]
    reserves = reserves_at(node, touching[-1].ledger_index) if touching else None
    follower = _Follower(node, account, sequence, newest, reserves)
    for ledger_index, group in groupby(history.transactions, key=lambda tx: tx.ledger_index):
        transactions = tuple(group)
        touched = [tx for tx in transactions if tx.hash in history.touching]
        follower.take(ledger_index, transactions, touched)
    follower.close()
    return follower.life()


class _Follower:
    """The account's state on its way through the history, and what gathers about the one order."""

    def __init__(
        self, node: Node, account: str, sequence: int, newest: Newest, reserves: Reserves | None
    ) -> None:
        self._node = node
        self._account = account
        self._sequence = sequence
        self._reserves = reserves or newest.reserves
        self._reserves_known = reserves is not None
        self._newest = newest.ledger_index
        self._network_id = newest.network_id
        self._state: AccountState | None = None
        self._order: Order | None = None
        self._verdict: Verdict | None = None
        self._unfunded_since: str | None = None
        self._touches: list[Touch] = []
        self._answers: dict[bytes, StateAnswer] = {}
        self._unanswered: dict[bytes, str] = {}
        self._damaged: list[str] = []

    def take(
        self, ledger_index: int, transactions: tuple[Transaction, ...], touched: list[Transaction]
    ) -> None:
        """Fold one ledger of the history."""
        times_count = touched or ledger_index == self._newest
        header = ledger_header(self._node, ledger_index) if times_count else _timeless(ledger_index)
        events = self._fold(header, transactions)
        for tx in touched:
            told = tuple(event for event in events if event.transaction_hash == tx.hash)
            self._touches.append(Touch(tx=tx, header=header, events=told))

    def close(self) -> None:
        """Let time pass to the newest ledger: an Expiration may have."""
        if self._state is not None and self._state.record.ledger_index < self._newest and not self._gone:
            self._fold(ledger_header(self._node, self._newest), ())

    def life(self) -> Life:
        return Life(
            order=self._order,
            verdict=self._verdict,
            touches=tuple(self._touches),
            unfunded_since=self._unfunded_since,
            reserves=self._reserves,
            reserves_known=self._reserves_known,
            answers=tuple(self._answers.values()),
            unanswered=tuple(self._unanswered.values()),
            damaged=tuple(self._damaged),
        )

    @property
    def _gone(self) -> bool:
        """It has ended and is not listed: nothing can happen to it any more."""
        return self._order is not None and self._order.ended and not self._order.listed

    def _fold(self, header: Header, transactions: tuple[Transaction, ...]) -> list[OrderEvent]:
        if self._gone:
            return []
        if self._state is None:
            before = _timeless(header.ledger_index - 1)
            self._state = adopt_without_snapshot(
                network_id=self._network_id, account=self._account, header=before
            )
        facts = LedgerFacts(header=header, reserves=self._reserves, transactions=transactions)
        outcome = self._explained(self._state, facts)
        self._state.apply(outcome)
        self._order = outcome.changed.get(self._sequence, self._order)
        self._verdict = outcome.verdicts.get(self._sequence, self._verdict)
        self._damaged += outcome.damaged
        events = [event for event in outcome.events if event.sequence == self._sequence]
        for event in events:
            if isinstance(event, OrderDisappeared):
                self._unfunded_since = event.unfunded_since
        return events

    def _explained(self, state: AccountState, facts: LedgerFacts) -> LedgerOutcome:
        outcome = fold_ledger(state, facts)
        for _ in range(_ROUNDS):
            verdict = outcome.verdicts.get(self._sequence)
            asked = [self._answer(question) for question in (verdict.questions if verdict else ())]
            known = tuple(answer for answer in asked if answer is not None)
            if not known:
                break
            facts = msgspec.structs.replace(facts, answers=(*facts.answers, *known))
            outcome = fold_ledger(state, facts)
        return outcome

    def _answer(self, request: StateRequest) -> StateAnswer | None:
        key = msgspec.json.encode(request)
        try:
            fields = ledger_entry(self._node, request.ledger_index, request.entry)
        except Refused as refusal:
            self._unanswered[key] = f"{request.why}, at ledger {request.ledger_index} ({refusal})"
            return None
        answer = self._answers[key] = StateAnswer(request=request, fields=fields)
        return answer


def _timeless(ledger_index: int) -> Header:
    """Stand in for a ledger in which nothing happened to the order: time need not pass in it."""
    return Header(
        ledger_index=ledger_index, ledger_hash="", parent_hash="", close_time=0, parent_close_time=0
    )
