"""What the stream shows is published before the ledger is read, and changes nothing in the end."""

import asyncio

import pytest
from in_memory_bus import Crash, Memory
from one_account import announced, follower, run, statuses, told
from replaying import recorded
from streamed_server import StreamedServer
from waiting import until_found

from order_events import OrderEvent, OrderFilled, encode
from reconciler.following.follower import Follower
from reconciler.following.stored_account import cursor_of
from replay_node.session import Session

SESSIONS = ["grid_swept", "cancel_race_same_ledger", "partial_then_expired", "replaced", "busy_ledger"]
FAULTS = [
    {"skip": 0.3},
    {"double": 0.5},
    {"reorder": 0.5},
    {"skip": 0.2, "double": 0.2, "reorder": 0.3},
    {"skip": 1.0},
]


def by_id(memory: Memory) -> dict[str, bytes]:
    return {str(event.event_id): encode(event) for event in memory.stream if isinstance(event, OrderEvent)}


def with_announcements(session: Session) -> Memory:
    memory = Memory()
    memory.announcements += announced(session)
    return memory


async def ledger_by_ledger(one: Follower, server: StreamedServer, *, silent_at_the_end: bool = True) -> None:
    """Follow each ledger as it closes."""
    for _ in server.session.ledgers[1:]:
        await one.advance(server.shared)
        server.close_ledgers(1)
    server.now += 1_000 if silent_at_the_end else 0  # a stream that lost the last ledger says no more
    for _ in range(3):
        await one.advance(server.shared)
    assert cursor_of(one.committed) == server.node.chain.last_index


async def until_filled(memory: Memory) -> None:
    async def filled() -> bool:
        return any(isinstance(event, OrderFilled) for event in memory.stream)

    await until_found(filled)


async def before_the_fill(memory: Memory, session: Session) -> tuple[Follower, StreamedServer]:
    """Return a follower and its server just before the session's first trade."""
    server, one = StreamedServer(session), follower(memory, session)
    plain = with_announcements(session)
    await run(plain, session)
    trades = next(event.ledger_index or 0 for event in plain.stream if isinstance(event, OrderFilled))
    while server.node.chain.validated.ledger_index < trades - 1:
        await one.advance(server.shared)
        server.close_ledgers(1)
    await one.advance(server.shared)
    await one.advance(server.shared)
    return one, server


async def test_a_fill_is_told_before_the_server_has_answered_a_question() -> None:
    session = recorded("full_fill")
    memory = with_announcements(session)
    one, server = await before_the_fill(memory, session)
    server.answers.clear()
    before, cursor = len(server.asked), cursor_of(one.committed)
    server.close_ledgers(1)
    advancing = asyncio.create_task(one.advance(server.shared))
    await until_filled(memory)
    assert cursor_of(one.committed) == cursor
    assert told(memory)[-2][0] == "order.disappeared"
    assert server.asked[before:] == []  # they wait for an answer
    server.answers.set()
    await advancing
    assert cursor_of(one.committed) == cursor + 1
    assert len({event.event_id for event in memory.stream}) == len(memory.stream)


async def test_nothing_is_told_behind_a_transaction_that_is_missing_in_the_stream() -> None:
    session = recorded("busy_ledger")
    memory = with_announcements(session)
    one, server = await before_the_fill(memory, session)
    server.answers.clear()
    server.node.faults.skip = 1.0
    server.close_ledgers(1)
    ledger = server.node.chain.validated
    messages = list(server.node.streams.messages(ledger, server.subscription))
    assert len(messages) > 2
    for message in messages:
        if message.get("meta", {}).get("TransactionIndex") != 0:
            server.hear(message)
    advancing = asyncio.create_task(one.advance(server.shared))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not any(isinstance(event, OrderFilled) for event in memory.stream)
    server.hear(messages[1])
    await until_filled(memory)
    server.answers.set()
    await advancing


@pytest.mark.parametrize("name", SESSIONS)
async def test_a_disturbed_stream_changes_nothing_in_the_end(name: str) -> None:
    session = recorded(name)
    plain = with_announcements(session)
    await run(plain, session)
    for seed, faults in enumerate([{}, *FAULTS]):
        memory, server = with_announcements(session), StreamedServer(session)
        server.node.faults.change({"seed": seed, **faults})
        await ledger_by_ledger(follower(memory, session), server)
        assert by_id(memory) == by_id(plain), faults
        assert statuses(memory) == statuses(plain), faults


@pytest.mark.parametrize("name", ["grid_swept", "cancel_race_same_ledger"])
async def test_a_crash_between_telling_and_committing_tells_the_same_facts_once(name: str) -> None:
    session = recorded(name)
    untroubled = with_announcements(session)
    await ledger_by_ledger(follower(untroubled, session), StreamedServer(session))
    for crash_at in range(1, untroubled.calls + 1):
        memory, server = with_announcements(session), StreamedServer(session)
        memory.crash_at = crash_at
        with pytest.raises(Crash):
            await ledger_by_ledger(follower(memory, session), server)
        server.close_ledgers()
        server.now += 1_000
        again = follower(memory, session)
        while cursor_of(again.committed) != server.node.chain.last_index:
            await again.advance(server.shared)
        assert by_id(memory) == by_id(untroubled), f"crash at call {crash_at}"
        assert statuses(memory) == statuses(untroubled), f"crash at call {crash_at}"


async def test_a_ledger_that_the_stream_shows_whole_and_without_the_account_costs_no_question() -> None:
    session = recorded("busy_ledger")
    memory = with_announcements(session)
    server, one = StreamedServer(session), follower(memory, session)
    touched, asked = 0, []
    for ledger in session.ledgers[1:]:
        await one.advance(server.shared)
        await one.advance(server.shared)
        before = len(server.asked)
        server.close_ledgers(1)
        await one.advance(server.shared)
        assert cursor_of(one.committed) == ledger.ledger_index
        asked.append([method for method, _ in server.asked[before:] if method != "server_info"])
        touched += bool(asked[-1])
    assert [] in asked
    assert touched > 0
    assert max(map(len, asked)) <= 2, asked


async def test_a_stream_that_is_on_another_chain_tells_nothing_and_is_asked() -> None:
    session = recorded("full_fill")
    memory = with_announcements(session)
    one, server = await before_the_fill(memory, session)
    validated = server.node.chain.validated
    other = server.node.chain.hash_of(validated)[::-1]
    server.hear(
        {
            "type": "ledgerClosed",
            "ledger_index": validated.ledger_index,
            "ledger_hash": other,
            "ledger_time": validated.header["close_time"],
            "txn_count": 0,
        }
    )
    server.close_ledgers(1)
    server.answers.clear()
    advancing = asyncio.create_task(one.advance(server.shared))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not any(isinstance(event, OrderFilled) for event in memory.stream)
    server.answers.set()
    await advancing
    assert any(isinstance(event, OrderFilled) for event in memory.stream)
