"""`fillproof replay`: a recorded session through the pure fold: no bus, no database, no node."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain

import msgspec

from console.engine import announcements, engine_accounts
from console.lines import OrderLine, order_lines
from offer_lifecycle import (
    AccountState,
    Header,
    LedgerFacts,
    Reserves,
    adopt,
    fold,
    found,
    normalise,
)
from order_events import OrderEvent
from replay_node.session import RecordedLedger, Session

Watch = Callable[[Sequence[RecordedLedger]], Iterable[RecordedLedger]]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What is known after one ledger: the states by account, and the events of that ledger."""

    ledger: RecordedLedger
    states: Mapping[str, AccountState]
    events: list[OrderEvent]


def replay(session: Session, watch: Watch = iter) -> Iterator[OrderLine]:
    """Fold the session's ledgers and yield what became of its orders."""
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
    there = [event for state in states.values() for event in found(state, _header(first))]
    yield Step(ledger=first, states=states, events=there)
    for ledger in watch(others):
        yield Step(ledger=ledger, states=states, events=list(_fold(ledger, states)))


def _adopted(session: Session, account: str) -> AccountState:
    first = session.ledgers[0]
    role = next((role for role, address in session.accounts.items() if address == account), "")
    shown = first.after.get(role) or {}
    return adopt(
        network_id=0,
        account=account,
        header=_header(first),
        account_data=shown.get("account_data"),
        lines=shown.get("lines", []),
        offers=shown.get("offers", []),
    )


def _fold(ledger: RecordedLedger, states: Mapping[str, AccountState]) -> Iterator[OrderEvent]:
    transactions = [normalise(raw, ledger_index=ledger.ledger_index) for raw in ledger.transactions]
    for account, state in states.items():
        facts = LedgerFacts(
            header=_header(ledger),
            reserves=_reserves(ledger),
            transactions=tuple(tx for tx in transactions if tx.touches(account)),
        )
        outcome = fold(state, facts)
        yield from outcome.events
        state.apply(outcome)


def _header(ledger: RecordedLedger) -> Header:
    return Header(
        ledger_index=ledger.ledger_index,
        ledger_hash=ledger.header["ledger_hash"],
        parent_hash=ledger.header["parent_hash"],
        close_time=ledger.header["close_time"],
        parent_close_time=ledger.header["parent_close_time"],
    )


def _reserves(ledger: RecordedLedger) -> Reserves:
    closed = next(message for message in ledger.stream if message["type"] == "ledgerClosed")
    return Reserves(base=closed["reserve_base"], increment=closed["reserve_inc"])
