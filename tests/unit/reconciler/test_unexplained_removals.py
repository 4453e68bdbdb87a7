"""What no server could explain at first is asked about again, and corrected by an event that points at it."""

import json
from itertools import pairwise

import msgspec
import pytest
from made_ledger import OWNER
from made_server import REMOVED_AT, MadeServer, ask, followed, follower
from one_account import committed_by, committed_in
from with_a_hole import Clock, by_id, end_state

from order_events import Correction, OrderCorrected, OrderDisappeared, OrderStatus, RemovalReason, Resolution
from reconciler.backfill.unexplained_removals import FIRST_PAUSE, LONGEST_PAUSE, UnexplainedRemovals
from reconciler.following.stored_account import ACCOUNT_KEY, account_value


async def test_a_later_answer_corrects_the_verdict_and_the_order_ends_as_if_it_had_come_in_time() -> None:
    server = MadeServer("http://one")
    memory, one = await followed(server)
    unexplained = [event for event in memory.stream if isinstance(event, OrderDisappeared)][-1]
    assert isinstance(unexplained, OrderDisappeared)
    assert (unexplained.removal_reason, unexplained.resolution) == (
        RemovalReason.UNEXPLAINED,
        Resolution.UNRESOLVED,
    )
    server.knows = True
    await ask(one, server)
    corrected = memory.stream[-1]
    assert isinstance(corrected, OrderCorrected)
    assert (corrected.corrects, corrected.correction) == (unexplained.event_id, Correction.AMENDED)
    assert corrected.anomaly
    assert (corrected.status, corrected.removal_reason) == (OrderStatus.REMOVED, RemovalReason.UNFUNDED)
    assert corrected.resolution is Resolution.RESOLVED
    assert end_state(memory) == end_state((await followed(MadeServer("http://one", knows=True)))[0])


async def test_an_unexplained_removal_outlives_the_process_and_another_server_may_explain_it() -> None:
    silent, other = MadeServer("http://silent"), MadeServer("http://other", knows=True)
    memory, _ = await followed(silent)
    again = follower(memory)
    await again.advance(silent)
    assert len(committed_by(again).unexplained_removals) == 1
    await ask(again, silent, other)
    assert isinstance(memory.stream[-1], OrderCorrected)
    assert committed_by(again).unexplained_removals == ()
    assert committed_in(memory).stored.unexplained_removals == ()


async def test_state_of_an_earlier_version_keeps_its_unexplained_removals() -> None:
    memory, _ = await followed(MadeServer("http://silent"))
    assert len(json.loads(memory.values[f"0.{OWNER}.{ACCOUNT_KEY}"])["doubts"]) == 1


async def test_what_no_server_can_answer_stays_unexplained_and_changes_nothing() -> None:
    server = MadeServer("http://one")
    memory, one = await followed(server)
    before = (by_id(memory), dict(memory.values))
    await ask(one, server)
    assert (by_id(memory), memory.values) == before
    assert len(committed_by(one).unexplained_removals) == 1


async def test_a_server_of_another_chain_explains_nothing() -> None:
    memory, one = await followed(MadeServer("http://one"))
    liar = MadeServer("http://liar", knows=True, chain="X")
    liar.validated = REMOVED_AT
    before = by_id(memory)
    await ask(one, liar)
    assert by_id(memory) == before


async def test_servers_are_asked_ever_more_seldom() -> None:
    server = MadeServer("http://one")
    _, one = await followed(server)
    clock = Clock()
    removals = UnexplainedRemovals(clock=clock)
    attempts = []
    for _ in range(int(3 * LONGEST_PAUSE / FIRST_PAUSE)):
        before = len(server.asked)
        await removals.ask_again(one, [server])
        if len(server.asked) > before:
            attempts.append(clock.now)
        clock.now += FIRST_PAUSE
    pauses = [(after - before) / FIRST_PAUSE for before, after in pairwise(attempts)]
    assert pauses == [2, 4, 8, 16, 32, 60]


async def test_no_more_removals_are_stored_than_fit_beside_every_ledger(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("reconciler.following.follower._MOST_UNEXPLAINED", 1)
    server = MadeServer("http://one")
    memory, one = await followed(server)
    stored = committed_by(one)
    twice = msgspec.structs.replace(stored, unexplained_removals=2 * stored.unexplained_removals)
    memory.values[f"0.{OWNER}.{ACCOUNT_KEY}"] = account_value(twice)
    again = follower(memory)
    server.validated += 1
    await again.advance(server)
    assert len(committed_by(again).unexplained_removals) == 1
