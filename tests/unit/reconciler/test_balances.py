"""An account's balances held against the server's: over whole sessions, with answers that fail or lie."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from in_memory_bus import Crash, Memory
from in_process_node import InProcessServer
from one_account import MemoryKept, follower, to_the_end
from replaying import recorded
from structlog.testing import capture_logs

from console.sessions import RECORDINGS
from offer_lifecycle import Source, flows, normalise
from order_events import BalanceDrift, ReconcilerHalted
from reconciler.metrics import Metrics
from reconciler.ports.ledger import Answer, Overloaded, Refused, ServerError, Unreachable
from reconciler.service import balances
from reconciler.service import memory as kept
from reconciler.service.follower import Follower
from reconciler.service.guard import Guards
from reconciler.service.policy import Policy
from replay_node.session import Session

NAMES = sorted(path.name.removesuffix(".json.gz") for path in RECORDINGS.glob("*.json.gz"))
CHECKED_METHODS = ("account_info", "account_lines")

Json = dict[str, Any]
Spoil = Callable[[Json], Json]


def drifts(memory: Memory) -> list[BalanceDrift]:
    return [event for event in memory.stream if isinstance(event, BalanceDrift)]


async def one_by_one(memory: Memory, server: InProcessServer, role: str, guards: Guards) -> None:
    """Look, and check, after every ledger."""
    one = follower(memory, server.session, role, guards=guards)
    chain = server.node.chain
    await one.advance(server)
    while one.cursor != chain.last_index:
        server.close_ledgers(1)
        await one.advance(server)


@pytest.mark.parametrize("name", NAMES)
async def test_no_account_of_a_recorded_session_drifts_at_any_ledger(name: str) -> None:
    session = recorded(name)
    for role in session.ledgers[0].after:
        memory, server = Memory(), InProcessServer(session)
        with capture_logs() as logs:
            await one_by_one(memory, server, role, Guards(check_ledgers=1))
        assert drifts(memory) == []
        assert [line for line in logs if line["log_level"] in {"warning", "error"}] == []
        checked = [params["ledger_index"] for method, params in server.asked if method == "account_info"]
        assert checked == [ledger.ledger_index for ledger in session.ledgers]


def without(missing: str) -> Spoil:
    """Have a server keep one transaction to itself."""

    def spoil(answer: Json) -> Json:
        shown = [one for one in answer["transactions"] if one["hash"] != missing]
        return {**answer, "transactions": shown}

    return spoil


def fill_by_a_stranger() -> tuple[Session, Json]:
    """Return a session, and the last transaction of a ledger of the maker's: it moved XRP and one token."""
    session = recorded("random_1")
    maker = session.accounts["maker"]
    for ledger in session.ledgers[20:]:
        touching = [tx for tx in ledger.transactions if maker in str(tx)]
        if touching and touching[-1]["TransactionType"] == "OfferCreate":
            moved = Counter[str]()
            for flow in flows(normalise(touching[-1], ledger_index=ledger.ledger_index), maker):
                moved[flow.asset] += flow.source is Source.FILL
            if len(+moved) > 1 and touching[-1]["Account"] != maker:
                return session, {**touching[-1], "ledger_index": ledger.ledger_index}
    raise AssertionError("expected a stranger's OfferCreate")


class Incomplete:
    """A server that keeps a transaction to itself, and who follows the account on it."""

    def __init__(self, guards: Guards) -> None:
        self.session, self.missing = fill_by_a_stranger()
        self.memory, self.server = Memory(), InProcessServer(self.session)
        self.server.spoil["account_tx"] = without(self.missing["hash"])
        self._guards = guards
        self.one = self.started()

    def started(self) -> Follower:
        return follower(self.memory, self.session, guards=self._guards)

    async def look(self) -> None:
        """Look, and close a ledger after that; a process that dies comes back."""
        try:
            await self.one.advance(self.server)
        except Crash:
            self.one = self.started()
        else:
            self.server.close_ledgers(1)

    async def follow(self, beyond: int = 10) -> None:
        """Follow up to so many ledgers after the missing transaction's."""
        while (self.one.cursor or 0) < self.missing["ledger_index"] + beyond:
            await self.look()

    @property
    def found(self) -> list[BalanceDrift]:
        return drifts(self.memory)


async def test_a_transaction_that_was_not_read_is_a_drift_with_the_ledger_in_which_it_began() -> None:
    metrics = Metrics()
    case = Incomplete(Guards(check_ledgers=1, metrics=metrics))
    with capture_logs() as logs:
        await case.follow()
    assert metrics.registry.get_sample_value("reconciler_balance_drifts_total") == 2
    ledger = case.missing["ledger_index"]
    assert {drift.currency for drift in case.found} == {"XRP", "EUR"}
    assert {drift.ledger_index for drift in case.found} == {ledger}
    assert all(drift.since_ledger <= ledger and drift.amount for drift in case.found)
    assert {drift.action_taken for drift in case.found} == {"none"}
    assert {drift.missing_transactions for drift in case.found} == {(case.missing["hash"],)}
    assert {drift.shown_by for drift in case.found} == {None}
    told = [line["currency"] for line in logs if line["log_level"] == "error"]
    assert told == [drift.currency for drift in case.found]


async def test_the_account_s_next_transaction_shows_it_before_a_check_does_and_names_the_missing_one() -> (
    None
):
    case = Incomplete(Guards(check_ledgers=1000))
    await case.follow()
    assert {drift.currency for drift in case.found} == {"XRP", "EUR"}
    for drift in case.found:
        assert drift.since_ledger <= case.missing["ledger_index"] <= drift.ledger_index
        assert drift.shown_by is not None
        assert drift.missing_transactions == (case.missing["hash"],)


async def test_a_drift_is_told_once_however_often_the_process_starts_again() -> None:
    case = Incomplete(Guards(check_ledgers=1))
    while (case.one.cursor or 0) < case.missing["ledger_index"] + 10:
        case.one = case.started()
        await case.look()
    assert sorted(drift.currency for drift in case.found) == ["EUR", "XRP"]


@pytest.mark.parametrize("every", [1, 1000])
async def test_a_drift_found_again_after_a_crash_has_the_same_name(every: int) -> None:
    untroubled = Incomplete(Guards(check_ledgers=every))
    await untroubled.follow(beyond=-1)
    first = untroubled.memory.calls + 1
    await untroubled.follow(beyond=5)
    for crash_at in range(first, untroubled.memory.calls + 1):
        case = Incomplete(Guards(check_ledgers=every))
        case.memory.crash_at = crash_at
        await case.follow(beyond=5)
        assert facts(case.found) == facts(untroubled.found) != set()


def facts(found: list[BalanceDrift]) -> set[tuple[object, ...]]:
    return {(drift.event_id, drift.currency, drift.amount, drift.since_ledger) for drift in found}


async def test_balances_that_are_not_followed_do_not_drift() -> None:
    case = Incomplete(Guards(check_ledgers=0))
    await case.follow()
    assert case.found == []


async def complete(server: InProcessServer, guards: Guards | None = None, role: str = "maker") -> Memory:
    memory = Memory()
    await one_by_one(memory, server, role, guards or Guards(check_ledgers=1))
    return memory


@pytest.mark.parametrize(
    "trouble",
    [
        Overloaded("node://one", "slowDown"),
        Unreachable("node://one", "gone"),
        Refused("node://one", "lgrNotFound", "no such ledger"),
    ],
    ids=lambda trouble: trouble.kind,
)
@pytest.mark.parametrize("method", CHECKED_METHODS)
async def test_a_query_that_fails_is_no_answer_and_holds_nothing_up(
    method: str, trouble: ServerError
) -> None:
    session = recorded("grid_swept")
    server = InProcessServer(session)
    adopted: list[str] = []

    def fails(asked: str) -> ServerError | None:
        if asked == method:
            adopted.append(method)
        return trouble if asked == method and len(adopted) > 1 else None

    server.trouble = fails
    with capture_logs() as logs:
        memory = await complete(server)
    assert drifts(memory) == []
    assert [line["problem"] for line in logs if line["log_level"] == "warning"] == [str(trouble)]
    assert [event.event_id for event in memory.stream] == [
        event.event_id for event in (await complete(InProcessServer(session))).stream
    ]


@pytest.mark.parametrize(
    ("method", "spoil"),
    [
        ("account_lines", lambda answer: {**answer, "lines": []}),
        ("account_lines", lambda answer: {**answer, "lines": [{"account": "r"}]}),
        (
            "account_lines",
            lambda answer: {**answer, "lines": [{**one, "balance": "7"} for one in answer["lines"]]},
        ),
        ("account_lines", lambda answer: {**answer, "validated": False}),
        (
            "account_info",
            lambda answer: {**answer, "account_data": {**answer["account_data"], "Balance": "7"}},
        ),
        ("account_info", lambda answer: {**answer, "account_data": {}}),
        ("account_info", lambda answer: {**answer, "ledger_index": 1}),
    ],
    ids=[
        "cut short",
        "no lines",
        "other balances",
        "not validated",
        "other drops",
        "no root",
        "other ledger",
    ],
)
async def test_an_answer_that_the_ledger_entry_itself_does_not_bear_out_is_no_drift(
    method: str, spoil: Spoil
) -> None:
    session, memory = recorded("grid_swept"), Memory()
    server = InProcessServer(session)
    one = follower(memory, session, guards=Guards(check_ledgers=1))
    await one.advance(server)
    server.spoil[method] = spoil
    server.close_ledgers()
    with capture_logs() as logs:
        await to_the_end(one, server)
    assert drifts(memory) == []
    assert [line["event"] for line in logs if line["log_level"] == "warning"] == [
        "balances not checked, tried again later"
    ]


async def test_an_account_that_the_list_does_not_know_and_the_ledger_does_has_not_drifted() -> None:
    session, memory = recorded("grid_swept"), Memory()
    server = InProcessServer(session)
    one = follower(memory, session, guards=Guards(check_ledgers=1))
    await one.advance(server)
    server.trouble = lambda method: (
        Refused(server.name, "actNotFound", "who?") if method == "account_info" else None
    )
    server.close_ledgers()
    await to_the_end(one, server)
    assert drifts(memory) == []


class Silent(InProcessServer):
    """Never answers for the trust lines, once it is told so."""

    silent = False

    async def request(self, method: str, /, **params: object) -> Answer:
        if self.silent and method == "account_lines":
            await asyncio.Event().wait()
        return await super().request(method, **params)


async def test_a_check_that_takes_too_long_is_given_up_and_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(balances, "_SECONDS", 0.02)
    memory, server = Memory(), Silent(recorded("grid_swept"))
    one = follower(memory, server.session, guards=Guards(check_ledgers=1))
    await one.advance(server)
    server.silent = True
    with capture_logs() as logs:
        for _ in range(3):
            server.close_ledgers(1)
            await one.advance(server)
    assert drifts(memory) == []
    problems = [line["problem"] for line in logs if line["log_level"] == "warning"]
    assert problems == ["no whole answer within 0.02 s"]
    assert len([line for line in logs if line["event"].startswith("balances not checked")]) == 3


async def test_what_differs_beyond_what_one_check_asks_for_is_told_by_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(balances, "_ASKED_AGAIN", 1)
    case = Incomplete(Guards(check_ledgers=1000))
    await case.follow(beyond=-1)
    case.one = case.started()  # which checks at start
    for _ in range(3):
        await case.look()
    first, second = case.found
    assert first.shown_by is None
    assert first.ledger_index < second.ledger_index


async def test_a_drift_halts_the_account_where_the_deployment_wants_it() -> None:
    case = Incomplete(Guards(check_ledgers=1, policy=Policy(halt_on_drift=True)))
    await case.follow()
    [halted] = [event for event in case.memory.stream if isinstance(event, ReconcilerHalted)]
    assert (halted.cause, halted.ledger_index) == ("balance_drift", case.missing["ledger_index"])
    assert "expected balances that fills, fees and payments explain, found" in halted.reason
    assert {drift.action_taken for drift in case.found} == {"halted"}
    assert case.one.halted == halted


async def test_balances_that_are_not_known_are_learned_and_do_not_drift() -> None:
    memory, server = Memory(), InProcessServer(recorded("grid_swept"))
    one = follower(memory, server.session, guards=Guards(check_ledgers=1))
    await one.advance(server)
    state = kept.read_kept(MemoryKept(memory).kept())
    assert state is not None
    unknown = msgspec.structs.replace(state[0].record, holdings={}, holdings_known=False)
    found = await balances.held_against(server, unknown, balances.KeptBalances(explained_at=1))
    assert found.drifts == ()
    assert found.record == state[0].record
