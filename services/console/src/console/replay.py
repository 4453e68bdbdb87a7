"""`fillproof replay`: a recorded session through the pure fold: no bus, no database, no network.

What metadata leaves open is looked up in the recording itself, as the reconciler asks its node.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any

import msgspec

from console.engine import announcements, engine_accounts
from console.lines import OrderLine, order_lines
from offer_lifecycle import (
    AccountState,
    Header,
    LedgerFacts,
    LedgerOutcome,
    Reserves,
    StateAnswer,
    StateRequest,
    accepted_at_adoption,
    adopt_account,
    fold_ledger,
    read_transaction,
)
from order_events import OrderEvent
from replay_node.fees import RESERVE_BASE, RESERVE_INCREMENT
from replay_node.session import BadSession, RecordedLedger, Session

if TYPE_CHECKING:
    from console.explain.node import Node

_ROUNDS = 3
"""A domain's answer asks for credentials; nothing asks further than that."""

Watch = Callable[[Sequence[RecordedLedger]], Iterable[RecordedLedger]]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What is known after one ledger: the states by account, and the events of that ledger."""

    ledger: RecordedLedger
    states: Mapping[str, AccountState]
    events: list[OrderEvent]


def replay(session: Session, watch: Watch = iter) -> Iterator[OrderLine]:
    """Fold the session's ledgers and yield what became of its orders.

    Raises:
        BadSession: an amount of an account that the first ledger shows is none.
        MalformedTransaction: a transaction can't be read.
        MissingOrder: nothing in the session's ledgers tells of an order.

    """
    events = chain.from_iterable(step.events for step in steps(session, watch))
    return order_lines(session.name, session.orders, events)


def steps(session: Session, watch: Watch = iter) -> Iterator[Step]:
    """Follow the engine's accounts from the first ledger, where they are adopted, to the last.

    The ledgers are taken one by one from what `watch` makes of them, so that progress can be shown. The
    states are the same objects all along: look at them before the next step.
    """
    first, *others = session.ledgers
    states = {account: _adopted(session, account) for account in engine_accounts(session)}
    for announcement in announcements(session):
        states[announcement.account].announce(announcement)
    there = [event for state in states.values() for event in accepted_at_adoption(state, _header(first))]
    yield Step(ledger=first, states=states, events=there)
    before = _LedgersBefore(session)
    for ledger in watch(others):
        yield Step(ledger=ledger, states=states, events=list(_fold(ledger, states, before)))


def _adopted(session: Session, account: str) -> AccountState:
    first = session.ledgers[0]
    role = next((role for role, address in session.accounts.items() if address == account), "")
    shown = first.after.get(role) or {}
    try:
        return adopt_account(
            network_id=0,
            account=account,
            header=_header(first),
            account_data=shown.get("account_data"),
            lines=shown.get("lines", []),
            offers=shown.get("offers", []),
            mpts=_mpts(shown),
        )
    except ValueError as error:
        where = f"session {session.name}: ledger {first.ledger_index}: {role}"
        raise BadSession(f"{where}: {error}") from error


def _mpts(shown: Mapping[str, Any]) -> list[Mapping[str, Any]] | None:
    """Return the account's MPTs among its recorded objects; None: the recording does not have them."""
    objects = shown.get("objects")
    if objects is None:
        return None
    return [entry for entry in objects if entry["LedgerEntryType"] in {"MPToken", "MPTokenIssuance"}]


def _fold(
    ledger: RecordedLedger, states: Mapping[str, AccountState], before: "_LedgersBefore"
) -> Iterator[OrderEvent]:
    transactions = [read_transaction(raw, ledger_index=ledger.ledger_index) for raw in ledger.transactions]
    for account, state in states.items():
        facts = LedgerFacts(
            header=_header(ledger),
            reserves=_reserves(ledger),
            transactions=tuple(tx for tx in transactions if tx.touches(account)),
        )
        outcome = _explained(state, facts, before)
        yield from outcome.events
        state.apply(outcome)


def _explained(state: AccountState, facts: LedgerFacts, before: "_LedgersBefore") -> LedgerOutcome:
    """Fold the ledger, and again as long as the recording answers what was left open."""
    outcome = fold_ledger(state, facts)
    for _ in range(_ROUNDS):
        answers = [before.answer(request) for request in outcome.questions]
        known = tuple(answer for answer in answers if answer is not None)
        if not known:
            break
        facts = msgspec.structs.replace(facts, answers=(*facts.answers, *known))
        outcome = fold_ledger(state, facts)
    return outcome


class _LedgersBefore:
    """The recorded state at the ledger before a removal, put together only once it is asked for."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def answer(self, request: StateRequest) -> StateAnswer | None:
        """Return the entry that was wanted; None: the recording can't say."""
        from console.explain.history import ledger_entry
        from console.explain.node import Refused

        try:
            fields = ledger_entry(self._node, request.ledger_index, request.entry)
        except Refused:
            return None
        return StateAnswer(request=request, fields=fields)

    @cached_property
    def _node(self) -> "Node":
        from console.explain.node import of_session

        return of_session(self._session)


def _header(ledger: RecordedLedger) -> Header:
    return Header(
        ledger_index=ledger.ledger_index,
        ledger_hash=ledger.header["ledger_hash"],
        parent_hash=ledger.header["parent_hash"],
        close_time=ledger.header["close_time"],
        parent_close_time=ledger.header["parent_close_time"],
    )


def _reserves(ledger: RecordedLedger) -> Reserves:
    closed = next((message for message in ledger.stream if message["type"] == "ledgerClosed"), None)
    if closed is None:  # a subscriber may come late: what the replay node answers for every ledger
        return Reserves(base=RESERVE_BASE, increment=RESERVE_INCREMENT)
    return Reserves(base=closed["reserve_base"], increment=closed["reserve_inc"])
