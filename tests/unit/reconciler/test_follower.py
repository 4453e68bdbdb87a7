"""One account through a whole session: the order of steps, crashes between any two of them, failover."""

import asyncio
from collections.abc import Callable, Sequence

import pytest
from in_memory_bus import Crash, Memory, MemoryFeed, MemoryOrders, MemoryStore, NoMarket
from in_process_node import InProcessServer
from one_account import announced, committed_by, committed_in, follower, run, statuses, to_the_end, told
from replaying import recorded
from structlog.testing import capture_logs
from waiting import limit

from ledger_client import LedgerServer, ProtocolViolation, Unreachable
from offer_lifecycle import Header
from order_events import (
    CancelRequested,
    OrderDisappeared,
    OrderEvent,
    OrderFilled,
    OrderStatus,
    encode,
)
from reconciler.following import account_reader
from reconciler.following.follower import Follower
from reconciler.following.publisher import Publisher
from reconciler.following.stored_account import StateUnreadable, cursor_of
from reconciler.ports.bus import NotOwner


async def test_a_disappearance_is_offered_before_the_fill_that_belongs_to_it_is_published() -> None:
    session, memory = recorded("full_fill"), Memory()
    memory.announcements += announced(session)
    await run(memory, session)
    sequence = session.orders[0]["sequence"]
    assert told(memory)[-2:] == [("order.disappeared", sequence), ("order.filled", sequence)]


async def test_fills_are_the_same_to_the_byte_when_nobody_takes_the_disappearances() -> None:
    session = recorded("grid_swept")
    streams: list[list[bytes]] = []
    for refuses in (False, True):
        memory = Memory()
        memory.announcements += announced(session)
        memory.refuses_disappearances = refuses
        await run(memory, session)
        streams.append([encode(event) for event in memory.stream if not isinstance(event, OrderDisappeared)])
    assert streams[0] == streams[1] != []


async def test_disappearances_that_nobody_took_are_owed_and_offered_first_at_the_next_wake_up() -> None:
    session, memory = recorded("grid_swept"), Memory()
    memory.announcements += announced(session)
    memory.refuses_disappearances = True
    one = await run(memory, session)
    owed = list(committed_by(one).unacknowledged)
    assert owed != []
    memory.refuses_disappearances = False
    server = InProcessServer(session)
    server.close_ledgers()
    again = follower(memory, session)  # the debt outlives the process
    await again.advance(server)
    assert committed_by(again).unacknowledged == ()
    assert memory.stream[-len(owed) :] == owed


async def test_a_market_that_can_not_be_read_costs_the_context_and_nothing_else() -> None:
    session, memory, plain = recorded("full_fill"), Memory(), Memory()
    await run(plain, session)
    await run(memory, session, NoMarket(lambda: Unreachable("node://one", "gone")))
    disappeared = [event for event in memory.stream if isinstance(event, OrderDisappeared)]
    assert [event.market_context.reason for event in disappeared if event.market_context] == [
        "node://one: gone"
    ]
    assert told(memory) == told(plain)


class StalledMarket(NoMarket):
    async def describe(
        self, server: LedgerServer, header: Header, events: Sequence[OrderDisappeared]
    ) -> list[OrderDisappeared]:
        await asyncio.Event().wait()
        return await super().describe(server, header, events)


async def test_a_market_that_never_answers_costs_a_bounded_time_and_the_context() -> None:
    session, memory = recorded("full_fill"), Memory()
    async with asyncio.timeout(limit()):
        await run(memory, session, StalledMarket())
    disappeared = [event for event in memory.stream if isinstance(event, OrderDisappeared)]
    assert [event.market_context.reason for event in disappeared if event.market_context] == [
        "no answer within 0.5 s"
    ]


async def test_no_more_disappearances_are_owed_than_the_account_s_record_can_hold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("reconciler.following.account_store.MOST_UNACKNOWLEDGED", 4_000)
    session, memory = recorded("grid_swept"), Memory()
    memory.announcements += announced(session)
    memory.refuses_disappearances = True
    with capture_logs() as logs:
        one = await run(memory, session)
    kept = committed_by(one).unacknowledged
    assert kept != ()
    assert sum(len(encode(event)) for event in kept) <= 4_000
    assert "disappearances given up" in next(log["event"] for log in logs if log["log_level"] == "error")


async def test_an_account_that_a_server_shows_incompletely_is_not_adopted_from_it() -> None:
    session, memory = recorded("replaced"), Memory()
    server = InProcessServer(session)
    server.spoil["account_info"] = lambda answer: {**answer, "account_data": {}}
    with pytest.raises(ProtocolViolation, match="account at ledger"):
        await follower(memory, session).advance(server)
    assert memory.calls == 0


@pytest.mark.parametrize("fault", [ValueError, KeyError])
async def test_not_even_a_fault_of_our_own_in_the_market_s_reading_holds_up_a_fill(
    fault: Callable[[], Exception],
) -> None:
    session, memory = recorded("full_fill"), Memory()
    await run(memory, session, NoMarket(fault))
    assert any(isinstance(event, OrderFilled) for event in memory.stream)


@pytest.mark.parametrize(
    "name", ["grid_swept", "cancel_race_same_ledger", "partial_then_expired", "replaced"]
)
async def test_a_crash_between_any_two_steps_tells_the_same_facts_once(name: str) -> None:
    session, untroubled = recorded(name), Memory()
    untroubled.announcements += announced(session)
    await run(untroubled, session)
    for crash_at in range(1, untroubled.calls + 1):
        memory = Memory()
        memory.announcements += announced(session)
        memory.crash_at = crash_at
        with pytest.raises(Crash):
            await run(memory, session)
        await run(memory, session)
        assert by_id(memory) == by_id(untroubled), f"crash at call {crash_at}"
        assert statuses(memory) == statuses(untroubled), f"crash at call {crash_at}"


def by_id(memory: Memory) -> dict[str, OrderEvent]:
    return {str(event.event_id): event for event in memory.stream}


async def test_however_few_ledgers_a_look_sees_the_events_are_the_same() -> None:
    session, at_once, one_by_one = recorded("random_1"), Memory(), Memory()
    await run(at_once, session)
    server = InProcessServer(session)
    one = follower(one_by_one, session)
    for _ in session.ledgers:
        await one.advance(server)
        server.close_ledgers(1)
    await to_the_end(one, server)
    assert [encode(event) for event in one_by_one.stream] == [encode(event) for event in at_once.stream]


async def test_what_the_engine_canceled_itself_is_no_anomaly() -> None:
    session, memory = recorded("canceled"), Memory()
    memory.announcements += announced(session)
    await run(memory, session)
    assert told(memory)[-1][0] == "order.canceled"
    assert [event for event in memory.stream if isinstance(event, OrderDisappeared)] == []


async def test_a_cancel_that_the_engine_did_not_send_is_an_anomaly() -> None:
    session, memory = recorded("canceled_elsewhere"), Memory()
    memory.announcements += announced(session)
    await run(memory, session)
    assert [event.anomaly for event in memory.stream if isinstance(event, OrderDisappeared)] == [True]


async def test_announcements_are_applied_before_the_ledger_that_they_concern() -> None:
    session, memory = recorded("canceled"), Memory()
    server = InProcessServer(session)
    one = follower(memory, session)
    await one.advance(server)
    memory.announcements += announced(session)
    server.close_ledgers()
    await to_the_end(one, server)
    assert {event.client_order_id for event in memory.stream} == {f"c{session.orders[0]['sequence']}"}


async def test_a_cancel_announced_before_its_order_is_committed_and_outlives_a_crash() -> None:
    session, memory = recorded("partial_then_canceled"), Memory()
    account = session.accounts["maker"]
    memory.announcements += [CancelRequested(account=account, sequence=number) for number in (999, 1000)]
    server = InProcessServer(session)
    one = follower(memory, session)
    await one.advance(server)
    server.close_ledgers(1)
    await one.advance(server)
    assert committed_in(memory).state.record.early_cancels.keys() == {999, 1000}


async def test_an_announcement_outlives_a_crash_after_the_next_commit() -> None:
    session, memory = recorded("partial_then_canceled"), Memory()
    memory.announcements += announced(session)
    server = InProcessServer(session)
    one = follower(memory, session)
    await one.advance(server)
    server.close_ledgers(1)
    await one.advance(server)
    memory.announcements.clear()  # the stream need not keep what was applied
    memory.announcements += [None] * len(announced(session))  # type: ignore[list-item]
    server.close_ledgers()
    await to_the_end(follower(memory, session), server)
    assert [event for event in memory.stream if isinstance(event, OrderDisappeared)] == []


async def test_of_two_that_follow_the_same_account_the_second_to_commit_leaves() -> None:
    session, memory = recorded("full_fill"), Memory()
    server = InProcessServer(session)
    one, other = follower(memory, session), follower(memory, session)
    await one.advance(server)
    await other.advance(server)
    server.close_ledgers()
    await one.advance(server)
    with pytest.raises(NotOwner):
        await other.advance(server)


async def test_an_account_that_is_not_on_the_ledger_yet_is_followed_from_its_first_transaction() -> None:
    session, memory = recorded("full_fill"), Memory()
    server = InProcessServer(session)
    stranger = "rrrrrrrrrrrrrrrrrrrrBZbvji"
    one = Follower(
        stranger,
        start_ledger=None,
        feed=MemoryFeed(memory),
        store=MemoryStore(memory),
        publisher=Publisher(MemoryOrders(memory), NoMarket(), disappearance_timeout=1),
    )
    server.close_ledgers()
    await one.advance(server)
    await one.advance(server)
    assert cursor_of(one.committed) == session.ledgers[-1].ledger_index
    assert memory.stream == []


async def test_state_that_this_version_can_not_read_is_named_by_its_key() -> None:
    session, memory = recorded("full_fill"), Memory()
    await run(memory, session)
    key = next(key for key in memory.values if ".order." in key)
    memory.values[key] = b'{"unknown": true}'
    server = InProcessServer(session)
    with pytest.raises(StateUnreadable, match=f"key {key.split('.', 2)[2]}"):
        await follower(memory, session).advance(server)


async def test_a_ledger_whose_header_is_not_held_is_read_over(monkeypatch: pytest.MonkeyPatch) -> None:
    session = recorded("account_deleted")  # the recording lacks the headers of 258 ledgers
    monkeypatch.setattr(account_reader, "LEDGERS_A_READING", 100)
    memory = Memory()
    one = await run(memory, session)
    assert cursor_of(one.committed) == session.ledgers[-1].ledger_index
    assert statuses(memory)[session.orders[0]["sequence"]] is OrderStatus.REMOVED


async def test_an_order_found_at_the_start_is_told_of_as_the_engine_has_announced_it() -> None:
    session = recorded("passive")
    server = InProcessServer(session)
    server.close_ledgers()
    memory = Memory()
    memory.announcements += announced(session)
    publisher = Publisher(MemoryOrders(memory), NoMarket(), disappearance_timeout=1)
    one = Follower(
        session.accounts["maker"],
        start_ledger=None,
        feed=MemoryFeed(memory),
        store=MemoryStore(memory),
        publisher=publisher,
    )
    await one.advance(server)
    sequence = session.orders[0]["sequence"]
    assert [(event.external, event.client_order_id) for event in memory.stream] == [(False, f"c{sequence}")]
