"""State that an earlier version stored is gone on with: nothing is lost, nothing is told twice."""

import re
from collections import defaultdict
from decimal import Context
from typing import Any

import msgspec
import pytest
from earlier_state import earlier_state, names
from in_memory_bus import Memory, MemoryOperator
from in_process_node import InProcessServer
from made_ledger import OWNER
from made_server import REMOVED_AT, MadeServer, ask
from made_server import follower as follower_of_made
from one_account import committed_by, committed_in, follower, run
from replaying import recorded
from with_a_hole import Holed, by_id, end_state, untroubled

from console.engine import announcements
from order_events import OrderCorrected, OrderDisappeared, ReconcilerHalted, ReconcilerResumed
from reconciler.following.stored_account import (
    ACCOUNT_KEY,
    account_value,
    cursor_of,
    order_values,
    read_account,
)
from reconciler.ports.bus import StoredValues
from reconciler.safety.account_safety import SharedSafety
from reconciler.safety.policy import Policy

NUMBER = re.compile(r"-?\d+(\.\d+)?(E[+-]?\d+)?")
TEN_DIGITS = Context(prec=10)
BETWEEN = [recorded("random_crowd_4").accounts[role] for role in ("maker", "maker2", "maker7")]


def stored_accounts(values: dict[str, str]) -> dict[str, dict[str, bytes]]:
    """Return the values by account, and by gap where the account is stored once more for it."""
    found: defaultdict[str, dict[str, bytes]] = defaultdict(dict)
    for key, value in values.items():
        prefix, _, name = key.rpartition(".order.")
        name = f"order.{name}" if prefix else key.rpartition(".")[2]
        found[prefix or key.rpartition(".")[0]][name] = value.encode()
    return found


def missing_from(new: Any, old: Any) -> list[str]:  # noqa: ANN401 - as JSON has them
    """Return the places of what the old text says and the new one does not."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            f"{name}.{place}"
            for name, value in old.items()
            for place in (missing_from(new[name], value) if name in new else ["absent"])
        ]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [
            f"{number}.{place}"
            for number, pair in enumerate(zip(new, old, strict=True))
            for place in missing_from(*pair)
        ]
    return [] if new == old else [f"expected {old!r}, found {new!r}"]


@pytest.mark.parametrize(("version", "name"), names())
def test_a_record_that_is_read_and_written_again_still_says_all_that_it_said(version: str, name: str) -> None:
    state = earlier_state(name, version)
    for prefix, values in stored_accounts(state.values).items():
        committed = read_account(StoredValues(values=values, revision=1))
        assert committed is not None, prefix
        again = {ACCOUNT_KEY: account_value(committed.stored), **order_values(committed.state.orders)}
        kept = {key: value for key, value in values.items() if key == ACCOUNT_KEY or key.startswith("order.")}
        assert again.keys() == kept.keys()
        for key, value in kept.items():
            old, new = msgspec.json.decode(value), msgspec.json.decode(again[key])
            assert missing_from(new, old) == [], f"{prefix}.{key}"


def to_ten_digits(value: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    """Return JSON with its numbers to ten digits: 0.1.0 booked takers' fills from rounded balances."""
    if isinstance(value, dict):
        # An earlier version did not ask for MPTs, so that they stay unknown until a check lists them
        return {name: to_ten_digits(one) for name, one in value.items() if name != "mpts_known"}
    if isinstance(value, list | tuple):
        return [to_ten_digits(one) for one in value]
    if isinstance(value, str) and NUMBER.fullmatch(value):
        return str(TEN_DIGITS.create_decimal(value).normalize())
    return value


@pytest.mark.parametrize("account", BETWEEN)
async def test_an_account_left_amid_a_session_ends_as_if_this_version_had_followed_it_all(
    account: str,
) -> None:
    state = earlier_state("amid_a_session")
    session = recorded(state.session)
    role = next(role for role, address in session.accounts.items() if address == account)
    memory, plain = state.memory(account, session), Memory()
    plain.announcements += list(announcements(session))
    await run(plain, session, role=role, safety=SharedSafety(check_ledgers=100))
    unacknowledged = committed_in(memory).stored.unacknowledged
    assert unacknowledged != ()
    written_then = {event.event_id for event in (*memory.stream, *unacknowledged)}
    await run(memory, session, role=role, safety=SharedSafety(check_ledgers=100))
    expected = by_id(plain)
    assert by_id(memory).keys() == expected.keys()
    assert len(memory.stream) == len(expected)
    for name in expected.keys() - written_then:
        told, right = msgspec.to_builtins(by_id(memory)[name]), msgspec.to_builtins(expected[name])
        assert to_ten_digits(told) == to_ten_digits(right)
    ended, right = msgspec.to_builtins(end_state(memory)), msgspec.to_builtins(end_state(plain))
    assert to_ten_digits(ended) == to_ten_digits(right)


async def test_an_account_that_waits_for_an_operator_still_does_and_resumes_with_the_answer() -> None:
    state = earlier_state("halted")
    session = recorded(state.session)
    memory = state.memory(session.accounts["maker"], session)
    [told] = [event for event in memory.stream if isinstance(event, ReconcilerHalted)]
    policy = Policy(halt_after_unresolved=1)
    server = InProcessServer(session)
    server.close_ledgers()
    one = follower(memory, session, safety=SharedSafety(policy=policy, operator=MemoryOperator(memory)))
    await one.advance(server)
    assert committed_by(one).policy_state.halted == told
    MemoryOperator(memory).answer(told)
    await one.advance(server)
    assert committed_by(one).policy_state.halted is None
    assert isinstance(memory.stream[-1], ReconcilerResumed)


async def test_history_gaps_that_were_open_are_backfilled_and_all_ends_as_without_them() -> None:
    state = earlier_state("two_history_gaps")
    session = recorded(state.session)
    holed = Holed(session)
    holed.memory.values.update({key: value.encode() for key, value in state.values.items()})
    holed.memory.stream += state.published()
    holed.memory.revision = 1
    holed.restart()
    await holed.follow_up_to(state.validated)
    assert len(committed_by(holed.follower).history_gaps) == 2
    await holed.finish()
    await holed.heal()
    assert committed_by(holed.follower).history_gaps == ()
    plain = await untroubled(session)
    ended = msgspec.structs.replace(end_state(holed.memory)[0], mpts_known=True)
    assert ended == end_state(plain)[0]
    told, expected = by_id(holed.memory), by_id(plain)
    assert expected.keys() <= told.keys()
    corrected = {event.corrects for event in told.values() if isinstance(event, OrderCorrected)}
    lost = {
        event.event_id
        for name, event in told.items()
        if isinstance(event, OrderDisappeared) and name not in expected
    }
    assert lost <= corrected


async def test_a_removal_that_was_unexplained_is_explained_by_a_late_answer() -> None:
    memory = earlier_state("unexplained_removal").memory(OWNER)
    server = MadeServer("http://one", knows=True)
    server.validated = REMOVED_AT
    one = follower_of_made(memory)
    await one.advance(server)
    assert cursor_of(one.committed) == REMOVED_AT
    assert len(committed_by(one).unexplained_removals) == 1
    await ask(one, server)
    assert committed_by(one).unexplained_removals == ()
    assert isinstance(memory.stream[-1], OrderCorrected)
