"""`fillproof replay`: a recorded session through the pure fold: no bus, no database, no network.

What metadata leaves open is looked up in the recording itself, as the reconciler asks its node.
"""

from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar, cast

import msgspec

from console.engine import announcements, engine_accounts
from console.lines import OrderLine, order_lines
from console.recorded_server import closed_session
from ledger_client import InvalidRequest, LedgerServer, Refused, decide_with_questions, ledger_entry
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

OrderKey = tuple[str, int]
"""An order's account and sequence."""
T = TypeVar("T")
Watch = Callable[[Sequence[RecordedLedger]], Iterable[RecordedLedger]]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What is known after one ledger: the states by account, and the events of that ledger."""

    ledger: RecordedLedger
    states: Mapping[str, AccountState]
    events: list[OrderEvent]
    lacking: Mapping["OrderKey", tuple[StateRequest, ...]] = {}
    """By order that is left unexplained: what a live node would be asked, and the recording can't say."""


def replay(session: Session, watch: Watch = iter) -> Iterator[OrderLine]:
    """Fold the session's ledgers and yield what became of its orders.

    Raises:
        BadSession: an amount of an account that the first ledger shows is none.
        MalformedTransaction: a transaction can't be read.
        MissingOrder: nothing in the session's ledgers tells of an order.

    """
    lacking: dict[OrderKey, tuple[StateRequest, ...]] = {}

    def events() -> Iterator[OrderEvent]:
        for step in steps(session, watch):
            lacking.update(step.lacking)
            yield from step.events

    for line in order_lines(session.name, session.orders, events()):
        wanted = lacking.get((line.account, line.sequence), ())
        lacks = tuple(f"ledger {one.ledger_index}: {_entry_name(one)}: {one.why}" for one in wanted)
        yield msgspec.structs.replace(line, lacks_state=lacks)


def _entry_name(request: StateRequest) -> str:
    """Write what is asked as the `ledger_entry` method takes it."""
    return f"ledger_entry {msgspec.json.encode(request.entry).decode()}"


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
        outcomes = list(_fold(ledger, states, before))
        yield Step(
            ledger=ledger,
            states=states,
            events=[event for outcome in outcomes for event in outcome.events],
            lacking={
                (outcome.record.account, sequence): verdict.questions
                for outcome in outcomes
                for sequence, verdict in outcome.verdicts.items()
                if verdict.questions
            },
        )


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
) -> Iterator[LedgerOutcome]:
    transactions = [read_transaction(raw, ledger_index=ledger.ledger_index) for raw in ledger.transactions]
    for account, state in states.items():
        facts = LedgerFacts(
            header=_header(ledger),
            reserves=_reserves(ledger),
            transactions=tuple(tx for tx in transactions if tx.touches(account)),
        )
        outcome = _at_once(_fold_with_questions(state, facts, before))
        state.apply(outcome)
        yield outcome


async def _fold_with_questions(
    state: AccountState, facts: LedgerFacts, before: "_LedgersBefore"
) -> LedgerOutcome:
    return await decide_with_questions(
        lambda answers: fold_ledger(state, msgspec.structs.replace(facts, answers=answers)),
        lambda outcome: outcome.questions,
        before.answer,
    )


def _at_once(coroutine: Coroutine[object, None, T]) -> T:
    """Return what a coroutine returns that waits for nothing: a recording answers at once.

    So a replay needs no event loop, and can be iterated inside one.
    """
    try:
        coroutine.send(None)
    except StopIteration as end:
        return cast("T", end.value)
    coroutine.close()
    raise RuntimeError("expected a recording that answers at once, found one that waits")


class _LedgersBefore:
    """The recorded state at the ledger before a removal, put together only once it is asked for."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def answer(self, request: StateRequest) -> StateAnswer | None:
        """Return the entry that was wanted; None: the recording can't say."""
        try:
            fields = await ledger_entry(self._server, request.ledger_index, request.entry)
        except (Refused, InvalidRequest):
            return None
        return StateAnswer(request=request, fields=fields)

    @cached_property
    def _server(self) -> LedgerServer:
        return closed_session(self._session)


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
    if closed is None and (settings := _fee_settings(ledger)) is not None:
        return settings
    if closed is None:  # a subscriber may come late: what the replay node answers for every ledger
        return Reserves(base=RESERVE_BASE, increment=RESERVE_INCREMENT)
    return Reserves(base=closed["reserve_base"], increment=closed["reserve_inc"])


def _fee_settings(ledger: RecordedLedger) -> Reserves | None:
    """Return the reserves by the ledger's FeeSettings, if they are among its recorded state."""
    for answer in ledger.state:
        node = answer["node"] or {}
        if node.get("LedgerEntryType") == "FeeSettings" and "ReserveBaseDrops" in node:
            return Reserves(base=int(node["ReserveBaseDrops"]), increment=int(node["ReserveIncrementDrops"]))
    return None
