"""A server that lies: what its own bytes contradict is withdrawn, never committed, and said."""

from decimal import Decimal

import pytest
from in_memory_bus import Memory, MemoryFeed, MemoryOrders, MemoryStore, NoMarket
from one_account import announced, run, statuses
from replaying import recorded
from streamed_server import StreamedServer

from ledger_client import Contradicted, LedgerServer, ProtocolViolation, WholeLedgerServer
from offer_lifecycle import Order
from order_events import Correction, OrderCorrected, OrderEvent, OrderFilled
from reconciler.following.follower import Follower
from reconciler.following.publisher import Publisher
from reconciler.following.stored_account import cursor_of
from replay_node.session import Session

LIES = ["amounts", "added", "doubled"]
SESSIONS = ["full_fill", "grid_swept", "partial_then_full"]


def with_announcements(session: Session) -> Memory:
    memory = Memory()
    memory.announcements += announced(session)
    return memory


def follower_of(memory: Memory, session: Session) -> Follower:
    publisher = Publisher(MemoryOrders(memory), NoMarket(), disappearance_timeout=1)
    return Follower(
        session.accounts["maker"],
        start_ledger=session.ledgers[0].ledger_index,
        feed=MemoryFeed(memory),
        store=MemoryStore(memory),
        publisher=publisher,
    )


def whole(server: StreamedServer, accounts: int = 1) -> WholeLedgerServer:
    """Return what the reconciler reads of a server; with two accounts it reads every ledger whole."""
    return WholeLedgerServer(
        server.shared, accounts=lambda: accounts, from_accounts=2, clock=lambda: server.now
    )


async def follow(one: Follower, server: StreamedServer, read: LedgerServer) -> list[ProtocolViolation]:
    """Follow a session ledger by ledger, and return what the server was put aside for."""
    faults = []
    for _ in server.session.ledgers:
        for _ in range(4):
            try:
                await one.advance(read)
            except ProtocolViolation as fault:
                faults.append(fault)
        server.close_ledgers(1)
    assert cursor_of(one.committed) == server.node.chain.last_index
    return faults


async def plain(session: Session) -> Memory:
    memory = with_announcements(session)
    await run(memory, session)
    return memory


def orders(one: Follower) -> list[Order]:
    assert one.committed is not None
    return list(one.committed.state.orders.values())


def standing(memory: Memory) -> dict[int, Decimal]:
    """Return what a consumer believes of each order's fills: the last event that says it."""
    return {event.sequence: event.filled_qty for event in memory.stream if isinstance(event, OrderEvent)}


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("name", SESSIONS)
async def test_no_lie_is_committed_that_the_server_s_own_bytes_contradict(name: str, lie: str) -> None:
    session = recorded(name)
    truth, memory, server = await plain(session), with_announcements(session), StreamedServer(session)
    server.node.faults.change({"forge": lie})
    one = follower_of(memory, session)
    await follow(one, server, whole(server))
    assert statuses(memory) == statuses(truth)
    assert [order.sequence for order in orders(one) if order.missing] == []
    assert standing(memory) == standing(truth)


async def test_a_told_lie_is_amended_or_withdrawn_and_its_server_named() -> None:
    session = recorded("full_fill")
    memory, server = with_announcements(session), StreamedServer(session)
    server.node.faults.change({"forge": "amounts"})
    one = follower_of(memory, session)
    faults = await follow(one, server, whole(server))
    contradicted = [fault for fault in faults if isinstance(fault, Contradicted)]
    assert {fault.server for fault in contradicted} == {server.name}
    told = {event.event_id: event for event in memory.stream if isinstance(event, OrderFilled)}
    corrections = [event for event in memory.stream if isinstance(event, OrderCorrected)]
    assert {one.corrects for one in corrections} & told.keys()
    assert all(one.correction is Correction.AMENDED for one in corrections if one.corrects in told)


async def test_hidden_transactions_are_found_where_every_ledger_is_read_whole() -> None:
    session = recorded("grid_swept")
    truth, memory, server = await plain(session), with_announcements(session), StreamedServer(session)
    server.node.faults.change({"forge": "hidden"})
    one = follower_of(memory, session)
    await follow(one, server, whole(server, accounts=2))
    assert statuses(memory) == statuses(truth)
    assert standing(memory) == standing(truth)


async def test_an_honest_server_is_never_contradicted() -> None:
    session = recorded("busy_ledger")
    memory, server = with_announcements(session), StreamedServer(session)
    assert await follow(follower_of(memory, session), server, whole(server)) == []
    assert not any(isinstance(event, OrderCorrected) for event in memory.stream)
