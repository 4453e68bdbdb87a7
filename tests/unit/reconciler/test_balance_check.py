"""Balances over whole sessions: no drift where everything is read, and drift where something is not."""

import pytest
from drifting import Incomplete, drifts, one_by_one
from in_memory_bus import Memory
from in_process_node import InProcessServer
from one_account import committed_by
from replaying import recorded
from structlog.testing import capture_logs

from order_events import BalanceDrift, ReconcilerHalted
from reconciler.following.stored_account import cursor_of
from reconciler.metrics import Metrics
from reconciler.safety import balance_check
from reconciler.safety.account_safety import SharedSafety
from reconciler.safety.policy import Policy
from replay_node.recordings import RECORDINGS

MOST_ROLES = 5
"""Of a session: a crowd's other makers are like its first ones, and the kernel's tests take all of them."""
NAMES = sorted(path.name.removesuffix(".json.gz") for path in RECORDINGS.glob("*.json.gz"))


@pytest.mark.parametrize("name", NAMES)
async def test_no_account_of_a_recorded_session_drifts_at_any_ledger(name: str) -> None:
    session = recorded(name)
    for role in sorted(session.ledgers[0].after)[:MOST_ROLES]:
        memory, server = Memory(), InProcessServer(session)
        with capture_logs() as logs:
            await one_by_one(memory, server, role, SharedSafety(check_ledgers=1))
        assert drifts(memory) == []
        assert [line for line in logs if line["log_level"] in {"warning", "error"}] == []
        checked = [params["ledger_index"] for method, params in server.asked if method == "account_info"]
        ledgers = [ledger.ledger_index for ledger in session.ledgers]
        assert checked == [ledgers[0], *ledgers]  # the opening balances are looked at twice


async def test_a_transaction_that_was_not_read_is_a_drift_with_the_ledger_in_which_it_began() -> None:
    metrics = Metrics()
    case = Incomplete(SharedSafety(check_ledgers=1, metrics=metrics))
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
    case = Incomplete(SharedSafety(check_ledgers=1000))
    await case.follow()
    assert {drift.currency for drift in case.found} == {"XRP", "EUR"}
    for drift in case.found:
        assert drift.since_ledger <= case.missing["ledger_index"] <= drift.ledger_index
        assert drift.shown_by is not None
        assert drift.missing_transactions == (case.missing["hash"],)


async def test_a_drift_is_told_once_however_often_the_process_starts_again() -> None:
    case = Incomplete(SharedSafety(check_ledgers=1))
    while cursor_of(case.one.committed) < case.missing["ledger_index"] + 10:
        case.one = case.started()
        await case.look()
    assert sorted(drift.currency for drift in case.found) == ["EUR", "XRP"]


@pytest.mark.parametrize("every", [1, 1000])
async def test_a_drift_found_again_after_a_crash_has_the_same_name(every: int) -> None:
    untroubled = Incomplete(SharedSafety(check_ledgers=every))
    await untroubled.follow(beyond=-1)
    first = untroubled.memory.calls + 1
    await untroubled.follow(beyond=2)
    for crash_at in range(first, untroubled.memory.calls + 1):
        case = Incomplete(SharedSafety(check_ledgers=every))
        case.memory.crash_at = crash_at
        await case.follow(beyond=2)
        assert facts(case.found) == facts(untroubled.found) != set()


def facts(found: list[BalanceDrift]) -> set[tuple[object, ...]]:
    return {(drift.event_id, drift.currency, drift.amount, drift.since_ledger) for drift in found}


async def test_balances_that_are_not_followed_do_not_drift() -> None:
    case = Incomplete(SharedSafety(check_ledgers=0))
    await case.follow()
    assert case.found == []


async def test_what_differs_beyond_what_one_check_asks_for_is_told_by_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(balance_check, "_ASKED_AGAIN", 1)
    case = Incomplete(SharedSafety(check_ledgers=1000))
    await case.follow(beyond=-1)
    case.one = case.started()  # which checks at start
    for _ in range(3):
        await case.look()
    first, second = case.found
    assert first.shown_by is None
    assert first.ledger_index < second.ledger_index


async def test_a_drift_halts_the_account_where_the_deployment_wants_it() -> None:
    case = Incomplete(SharedSafety(check_ledgers=1, policy=Policy(halt_on_drift=True)))
    await case.follow()
    [halted] = [event for event in case.memory.stream if isinstance(event, ReconcilerHalted)]
    assert (halted.cause, halted.ledger_index) == ("balance_drift", case.missing["ledger_index"])
    assert "expected balances that fills, fees and payments explain, found" in halted.reason
    assert {drift.action_taken for drift in case.found} == {"halted"}
    assert committed_by(case.one).policy_state.halted == halted
