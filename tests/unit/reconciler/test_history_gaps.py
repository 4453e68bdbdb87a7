"""Ledgers that no server has: waited for, left out, and healed; nothing is guessed meanwhile."""

import contextlib
import random
from collections.abc import Iterator
from uuid import UUID

import msgspec
import pytest
from in_memory_bus import Crash
from in_process_node import InProcessServer
from one_account import committed_by
from replaying import recorded
from structlog.testing import capture_logs
from with_a_hole import PATIENCE, Holed, by_id, end_state, untroubled

from ledger_client import Overloaded, Unreachable
from offer_lifecycle import Order
from order_events import (
    Correction,
    HistoryGap,
    OrderAccepted,
    OrderCanceled,
    OrderCorrected,
    OrderDisappeared,
    OrderEvent,
    OrderFilled,
    OrdersEvent,
    OrderStatus,
    Provenance,
    ReconcilerHalted,
    RemovalReason,
    Resolution,
)
from reconciler.following import continuity
from reconciler.following.account_reader import HistoryMissing
from reconciler.following.stored_account import cursor_of
from replay_node.session import Session

SCRIPTED = (
    "canceled_elsewhere",
    "expired_swept",
    "grid_swept",
    "partial_then_canceled",
    "partial_then_full",
    "replaced",
    "ticketed",
    "unfunded_lingering",
)
HOLES_EACH = 6


def holes(session: Session, count: int) -> list[tuple[int, int]]:
    """Return some ranges of ledgers, always the same; there are ledgers before and after each."""
    inner = [ledger.ledger_index for ledger in session.ledgers[1:-1]]
    ranges = [(first, last) for first in inner for last in inner if first <= last]
    chance = random.Random(session.name)  # noqa: S311 - no secret
    return chance.sample(ranges, min(count, len(ranges)))


def events_of(holed: Holed, kind: type[OrdersEvent]) -> list[OrdersEvent]:
    return [event for event in holed.memory.stream if isinstance(event, kind)]


def is_about_the_gap(event: OrdersEvent) -> bool:
    lost = isinstance(event, OrderDisappeared) and bool(event.missing_transactions)
    return isinstance(event, HistoryGap | OrderCorrected) or lost


def comparable(event: OrdersEvent) -> OrdersEvent:
    """Return the event without what a snapshot can't tell, and as if it had been read at once."""
    if isinstance(event, OrderDisappeared):
        event = msgspec.structs.replace(event, unfunded_since=None)
    return (
        msgspec.structs.replace(event, provenance=Provenance.LIVE) if isinstance(event, OrderEvent) else event
    )


def end_states(orders: dict[int, Order]) -> dict[int, Order]:
    """Return the orders without the ledger that was the first to be looked at after an Expiration."""
    return {
        sequence: msgspec.structs.replace(order, ended_at=None)
        if order.status is OrderStatus.EXPIRED and order.removed_by is None
        else order
        for sequence, order in orders.items()
    }


def differing(one: dict[UUID, OrdersEvent], other: dict[UUID, OrdersEvent]) -> Iterator[OrdersEvent]:
    for name, event in one.items():
        if name not in other or comparable(event) != comparable(other[name]):
            yield event


@pytest.mark.parametrize("silent", [False, True], ids=["announced", "external"])
@pytest.mark.parametrize("name", [*SCRIPTED, "random_1"])
async def test_healed_at_once_a_gap_leaves_the_events_and_the_orders_of_a_run_without_it(
    name: str, *, silent: bool
) -> None:
    session = recorded(name)
    plain = await untroubled(session, silent=silent)
    for first, last in holes(session, HOLES_EACH):
        holed = Holed(session, silent=silent)
        await holed.lose(first, last)
        found_there = {event.event_id for event in holed.memory.stream if isinstance(event, OrderAccepted)}
        await holed.heal()
        await holed.finish()
        told = {key: event for key, event in by_id(holed.memory).items() if not is_about_the_gap(event)}
        hole = f"ledgers {first}-{last}"
        different = [event for event in differing(by_id(plain), told) if event.event_id not in found_there]
        assert different == [], hole
        assert told.keys() == by_id(plain).keys(), hole
        assert end_state(holed.memory)[0] == end_state(plain)[0], hole
        assert end_states(end_state(holed.memory)[1]) == end_states(end_state(plain)[1]), hole
        assert not any(".gap." in key for key in holed.memory.values), hole


@pytest.mark.parametrize("silent", [False, True], ids=["announced", "external"])
@pytest.mark.parametrize("name", [*SCRIPTED, "random_1"])
async def test_healed_late_a_gap_corrects_what_was_told_meanwhile_and_nothing_else_differs(
    name: str, *, silent: bool
) -> None:
    session = recorded(name)
    plain = await untroubled(session, silent=silent)
    for first, last in holes(session, HOLES_EACH):
        holed = Holed(session, silent=silent)
        await holed.lose(first, last)
        await holed.finish()
        await holed.heal()
        hole = f"ledgers {first}-{last}"
        told = by_id(holed.memory)
        corrections = {event.sequence: event for event in told.values() if isinstance(event, OrderCorrected)}
        assert all(event.corrects in told for event in corrections.values()), hole
        for event in differing(by_id(plain), told):
            assert isinstance(event, OrderEvent)
            assert event.event_id in told, hole
            assert event.sequence in corrections, hole
        orders = end_states(end_state(plain)[1])
        assert end_states(end_state(holed.memory)[1]) == orders, hole
        for sequence, event in corrections.items():
            order = orders[sequence]
            assert (event.status, event.filled_qty, event.quantity, event.removed_by, event.resolution) == (
                order.status,
                order.filled_qty,
                order.quantity,
                order.removed_by,
                order.resolution,
            ), hole


async def test_an_order_that_is_gone_after_a_gap_is_lost_and_neither_filled_nor_canceled() -> None:
    holed, first, last = await lost_in_a_gap("full_fill")
    gap, lost = events_of(holed, HistoryGap), events_of(holed, OrderDisappeared)
    assert [(event.first_ledger, event.last_ledger, event.resolution) for event in gap] == [  # type: ignore[union-attr]
        (first, last, Resolution.PENDING)
    ]
    assert [
        (event.status, event.removal_reason, event.resolution, event.anomaly, event.action_taken)  # type: ignore[union-attr]
        for event in lost
    ] == [(OrderStatus.LOST, RemovalReason.UNKNOWN, Resolution.UNRESOLVED, True, "held")]
    assert events_of(holed, OrderFilled) + events_of(holed, OrderCanceled) == []
    assert "which no server had" in lost[0].evidence  # type: ignore[union-attr]


async def lost_in_a_gap(name: str) -> tuple[Holed, int, int]:
    """Follow a session's first order onto the book, and lose the ledgers in which it ends."""
    session = recorded(name)
    plain = by_id(await untroubled(session)).values()
    placed = next(event for event in plain if isinstance(event, OrderAccepted)).ledger_index
    ended = max(event.ledger_index or 0 for event in plain)
    assert placed is not None
    holed = Holed(session)
    await holed.lose(placed + 1, max(ended - 1, placed + 1))
    return holed, placed + 1, max(ended, placed + 2)


async def test_the_true_end_is_told_once_it_is_known_and_points_at_the_disappearance_that_was_none() -> None:
    holed, first, last = await lost_in_a_gap("full_fill")
    lost = events_of(holed, OrderDisappeared)[0]
    pending = events_of(holed, HistoryGap)[0]
    await holed.heal()
    correction = events_of(holed, OrderCorrected)[0]
    assert isinstance(correction, OrderCorrected)
    assert (correction.corrects, correction.correction) == (lost.event_id, Correction.WITHDRAWN)
    assert not correction.anomaly
    assert (correction.status, correction.resolution) == (OrderStatus.FILLED, Resolution.RESOLVED)
    fill = events_of(holed, OrderFilled)[0]
    assert isinstance(fill, OrderFilled)
    assert fill.provenance is Provenance.BACKFILL
    assert correction.removed_by == fill.transaction_hash
    healed = holed.memory.stream[-1]
    assert isinstance(healed, HistoryGap)
    assert (healed.resolution, healed.corrects) == (Resolution.RESOLVED, pending.event_id)
    assert (healed.first_ledger, healed.last_ledger) == (first, last)


async def test_an_order_that_the_engine_was_canceling_is_lost_without_an_anomaly() -> None:
    holed, _, _ = await lost_in_a_gap("canceled")
    assert [event.anomaly for event in events_of(holed, OrderDisappeared)] == [False]  # type: ignore[union-attr]


async def test_a_gap_is_waited_for_as_long_as_the_deployment_is_patient() -> None:
    holed = await before_a_gap()
    assert not await holed.go_on()
    holed.clock.now += PATIENCE - 1
    assert not await holed.go_on()
    holed.clock.now += 1
    assert await holed.go_on()


async def test_a_server_that_has_the_ledgers_starts_the_wait_anew() -> None:
    holed = await before_a_gap()
    assert not await holed.go_on()
    holed.clock.now += PATIENCE
    holed.whole.close_ledgers(10)
    assert not await holed.go_on(holed.whole)
    assert not await holed.go_on()


@pytest.mark.parametrize("error", [Unreachable, Overloaded])
async def test_servers_that_only_do_not_answer_are_waited_for_without_end(
    error: type[Unreachable | Overloaded],
) -> None:
    holed = await before_a_gap()
    holed.server.trouble = lambda _method: error("node://holed", "not now")
    for _ in range(3):
        assert not await holed.go_on()
        holed.clock.now += PATIENCE


async def test_servers_that_only_lag_are_waited_for_without_end() -> None:
    holed = await before_a_gap()
    holed.server.node.faults.change({"hole": None, "lag": 10})
    for _ in range(3):
        assert not await holed.go_on()
        holed.clock.now += PATIENCE


async def test_a_silent_server_does_not_hold_up_the_others() -> None:
    holed = await before_a_gap()
    silent = InProcessServer(holed.session, "node://silent")
    silent.trouble = lambda _method: Unreachable("node://silent", "gone")
    assert not await holed.go_on(silent)
    holed.clock.now += PATIENCE
    assert await holed.go_on(silent)


async def test_of_several_servers_the_one_that_lacks_least_is_gone_on_with() -> None:
    holed = await before_a_gap()
    better = InProcessServer(holed.session, "node://better")
    better.close_ledgers(10)
    cursor = cursor_of(holed.follower.committed)
    better.node.faults.change({"hole": [cursor + 1, cursor + 2]})
    assert not await holed.go_on(better)
    holed.clock.now += PATIENCE
    assert await holed.go_on(better)
    assert cursor_of(holed.follower.committed) == cursor + 3


async def before_a_gap() -> Holed:
    """Follow five ledgers; of the next ten the server has the last two."""
    holed = Holed(recorded("random_1"))
    cursor = holed.session.ledgers[5].ledger_index
    await holed.follow_up_to(cursor)
    holed.server.node.faults.change({"hole": [cursor + 1, cursor + 8]})
    holed.server.close_ledgers(10)
    return holed


async def test_two_gaps_heal_in_either_order_and_a_restart_between_them_changes_nothing() -> None:
    session = recorded("random_1")
    plain = await untroubled(session)
    inner = [ledger.ledger_index for ledger in session.ledgers]
    for earlier_first in (True, False):
        holed = Holed(session)
        await holed.lose(inner[20], inner[30])
        await holed.follow_up_to(inner[45])
        await holed.lose(inner[46], inner[55])
        holed.restart()
        await holed.follow_up_to(inner[70])
        if not earlier_first:
            late = InProcessServer(session, "node://late")
            late.node.faults.change({"hole": [inner[20], inner[30]]})
            late.close_ledgers(70)
            await holed.heal([late])
            assert len(committed_by(holed.follower).history_gaps) == 1
        holed.restart()
        await holed.finish()
        await holed.heal()
        assert committed_by(holed.follower).history_gaps == ()
        assert end_states(end_state(holed.memory)[1]) == end_states(end_state(plain)[1])
        assert end_state(holed.memory)[0] == end_state(plain)[0]


async def test_a_server_of_another_chain_heals_nothing() -> None:
    holed, _, _ = await lost_in_a_gap("full_fill")
    before = (list(holed.memory.stream), dict(holed.memory.values))
    holed.whole.node.faults.change({"other_chain": True})
    with capture_logs() as logs:
        await holed.heal()
    assert (holed.memory.stream, holed.memory.values) == before
    assert any("another chain" in log.get("problem", "") for log in logs)


async def test_ledgers_that_contradict_the_snapshot_after_them_heal_nothing() -> None:
    session = recorded("expired_lingering")
    placed = next(
        event for event in (await untroubled(session)).stream if isinstance(event, OrderAccepted)
    ).ledger_index
    assert placed is not None
    holed = Holed(session)
    holed.server.spoil["account_offers"] = lambda answer: {**answer, "offers": []}
    await holed.lose(placed + 1, placed + 1)
    kept = dict(holed.memory.values)
    with capture_logs() as logs:
        await holed.heal()
    assert holed.memory.values == kept
    assert any("found it on the book" in log.get("problem", "") for log in logs)
    assert events_of(holed, OrderCorrected) == []


async def test_an_account_that_is_shown_incompletely_after_a_gap_is_not_gone_on_with() -> None:
    holed = await before_a_gap()
    before = dict(holed.memory.values)
    holed.server.spoil["account_info"] = lambda answer: {**answer, "account_data": {}}
    assert not await holed.go_on()
    holed.clock.now += PATIENCE
    assert not await holed.go_on()
    assert holed.memory.values == before


@pytest.mark.parametrize("name", ["grid_swept", "partial_then_canceled"])
async def test_a_crash_at_any_step_of_going_on_or_healing_tells_the_same_once(name: str) -> None:
    session = recorded(name)
    first, last = holes(session, 1)[0]
    whole = Holed(session)
    await through(whole, first, last)
    for crash_at in range(1, whole.memory.calls + 1):
        holed = Holed(session)
        holed.memory.crash_at = crash_at
        with pytest.raises(Crash):
            await through(holed, first, last)
        holed.restart()
        await through(holed, first, last)
        assert by_id(holed.memory) == by_id(whole.memory), f"crash at call {crash_at}"
        assert end_state(holed.memory) == end_state(whole.memory), f"crash at call {crash_at}"


async def through(holed: Holed, first: int, last: int) -> None:
    """Follow a session with a gap to its end, from wherever it stands."""
    with contextlib.suppress(HistoryMissing):
        await holed.follower.advance(holed.server)
    if (cursor_of(holed.follower.committed)) < first:
        await holed.lose(first, last)
    await holed.finish()
    await holed.heal()


async def test_an_account_whose_state_is_lost_crosses_a_gap_where_no_server_has_its_ledgers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(continuity, "LEDGERS_BETWEEN", 1)
    session = recorded("grid_swept")
    holed = Holed(session)
    first = session.ledgers[0].ledger_index
    await holed.follow_up_to(first + 2)
    holed.memory.values.clear()
    holed.memory.revision = 0
    holed.restart()
    holed.server.node.faults.change({"hole": [first + 1, first + 3]})
    holed.server.close_ledgers(2)
    with pytest.raises(HistoryMissing):
        await holed.follower.advance(holed.server)
    assert not await holed.go_on()
    holed.clock.now += PATIENCE
    assert await holed.go_on()
    [gap] = events_of(holed, HistoryGap)
    assert isinstance(gap, HistoryGap)
    assert (gap.first_ledger, gap.last_ledger) == (first + 3, first + 4)
    [halted] = events_of(holed, ReconcilerHalted)
    assert isinstance(halted, ReconcilerHalted)
    assert halted.cause == "state_lost"
    assert committed_by(holed.follower).policy_state.halted == halted
    await holed.finish()
    assert events_of(holed, ReconcilerHalted) == [halted]
