"""One order's life: the account's history folded through the kernel, from the placement to the newest ledger.

Nothing is known of the account before; what the metadata leaves open is asked of the node at the ledger
before, and the same ledger is folded again with the answers.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby

import msgspec

from console.explain.history import History
from ledger_client import (
    InvalidRequest,
    LedgerServer,
    ProtocolViolation,
    Refused,
    ServerStatus,
    decide_with_questions,
    ledger_entry,
    ledger_header,
    reserves_after,
    reserves_between,
)
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


async def follow(
    server: LedgerServer, account: str, sequence: int, history: History, status: ServerStatus
) -> Life:
    """Fold the history as far as it concerns the order.

    Raises:
        ServerError: what was asked for is not to be had.

    """
    touched_in = [tx.ledger_index for tx in history.transactions if tx.hash in history.touching]
    reserves = await _reserves(server, touched_in)
    follower = _Follower(server, account, sequence, status, reserves)
    for ledger_index, group in groupby(history.transactions, key=lambda tx: tx.ledger_index):
        transactions = tuple(group)
        touched = [tx for tx in transactions if tx.hash in history.touching]
        await follower.follow_ledger(ledger_index, transactions, touched)
    await follower.pass_time()
    return follower.life()


async def _reserves(server: LedgerServer, ledgers: Sequence[int]) -> Mapping[int, Reserves]:
    """Return the reserves that these ledgers' transactions were held to; none: the server can't say.

    Where it has lost the state before the first of them, those of the last one are taken for all.
    """
    if not ledgers:
        return {}
    try:
        return await reserves_between(server, ledgers[0] - 1, ledgers[-1], ledgers)
    except (Refused, InvalidRequest, ProtocolViolation):
        pass
    try:
        return dict.fromkeys(ledgers, await reserves_after(server, ledgers[-1] - 1))
    except (Refused, InvalidRequest, ProtocolViolation):
        return {}


class _Follower:
    """The account's state on its way through the history, and what gathers about the one order."""

    def __init__(
        self,
        server: LedgerServer,
        account: str,
        sequence: int,
        status: ServerStatus,
        reserves: Mapping[int, Reserves],
    ) -> None:
        self._server = server
        self._account = account
        self._sequence = sequence
        self._status = status
        self._reserves_of = reserves
        self._reserves = reserves.get(max(reserves, default=0), status.reserves)
        self._state: AccountState | None = None
        self._order: Order | None = None
        self._verdict: Verdict | None = None
        self._unfunded_since: str | None = None
        self._touches: list[Touch] = []
        self._answers: dict[bytes, StateAnswer] = {}
        self._unanswered: dict[bytes, str] = {}
        self._damaged: list[str] = []

    async def follow_ledger(
        self, ledger_index: int, transactions: tuple[Transaction, ...], touched: list[Transaction]
    ) -> None:
        """Fold one ledger of the history."""
        times_count = touched or ledger_index == self._status.validated
        header = await ledger_header(self._server, ledger_index) if times_count else _timeless(ledger_index)
        events = await self._fold(header, transactions)
        for tx in touched:
            told = tuple(event for event in events if event.transaction_hash == tx.hash)
            self._touches.append(Touch(tx=tx, header=header, events=told))

    async def pass_time(self) -> None:
        """Let time pass to the newest ledger: an Expiration may have passed too."""
        newest = self._status.validated
        if self._state is not None and self._state.record.ledger_index < newest and not self._gone:
            await self._fold(await ledger_header(self._server, newest), ())

    def life(self) -> Life:
        return Life(
            order=self._order,
            verdict=self._verdict,
            touches=tuple(self._touches),
            unfunded_since=self._unfunded_since,
            reserves=self._reserves,
            reserves_known=bool(self._reserves_of),
            answers=tuple(self._answers.values()),
            unanswered=tuple(self._unanswered.values()),
            damaged=tuple(self._damaged),
        )

    @property
    def _gone(self) -> bool:
        """It has ended and is not listed: nothing can happen to it any more."""
        return self._order is not None and self._order.ended and not self._order.listed

    async def _fold(self, header: Header, transactions: tuple[Transaction, ...]) -> list[OrderEvent]:
        if self._gone:
            return []
        if self._state is None:
            before = _timeless(header.ledger_index - 1)
            self._state = adopt_without_snapshot(
                network_id=self._status.network_id, account=self._account, header=before
            )
        reserves = self._reserves_of.get(header.ledger_index, self._reserves)
        facts = LedgerFacts(header=header, reserves=reserves, transactions=transactions)
        outcome = await self._fold_with_questions(self._state, facts)
        self._state.apply(outcome)
        self._order = outcome.changed.get(self._sequence, self._order)
        if self._sequence in outcome.verdicts:
            self._verdict, self._reserves = outcome.verdicts[self._sequence], reserves
        self._damaged += outcome.damaged
        events = [event for event in outcome.events if event.sequence == self._sequence]
        for event in events:
            if isinstance(event, OrderDisappeared):
                self._unfunded_since = event.unfunded_since
        return events

    async def _fold_with_questions(self, state: AccountState, facts: LedgerFacts) -> LedgerOutcome:
        """Fold the ledger; only what is left open of the one order is asked."""

        def open_questions(outcome: LedgerOutcome) -> Sequence[StateRequest]:
            verdict = outcome.verdicts.get(self._sequence)
            return verdict.questions if verdict else ()

        return await decide_with_questions(
            lambda answers: fold_ledger(state, msgspec.structs.replace(facts, answers=answers)),
            open_questions,
            self._answer,
        )

    async def _answer(self, request: StateRequest) -> StateAnswer | None:
        key = msgspec.json.encode(request)
        try:
            fields = await ledger_entry(self._server, request.ledger_index, request.entry)
        except (Refused, InvalidRequest) as refusal:
            self._unanswered[key] = f"{request.why}, at ledger {request.ledger_index} ({refusal})"
            return None
        answer = self._answers[key] = StateAnswer(request=request, fields=fields)
        return answer


def _timeless(ledger_index: int) -> Header:
    """Stand in for a ledger in which nothing happened to the order: time need not pass in it."""
    return Header(
        ledger_index=ledger_index, ledger_hash="", parent_hash="", close_time=0, parent_close_time=0
    )
