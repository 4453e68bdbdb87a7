"""One account followed on the in-memory bus, from a node in this process."""

from collections.abc import Callable

from in_memory_bus import Memory, MemoryFeed, MemoryOrders, MemoryStore, MemoryWatermarks, NoMarket
from in_process_node import InProcessServer

from offer_lifecycle import parse_amount
from order_events import (
    CancelRequested,
    OrderEvent,
    OrderStatus,
    OrderSubmitted,
)
from reconciler.following.follower import Follower
from reconciler.following.publisher import Publisher
from reconciler.following.stored_account import CommittedAccount, StoredAccount, cursor_of, read_account
from reconciler.ports.bus import StoredValues
from reconciler.safety.account_safety import SharedSafety
from replay_node.session import Session


def follower(  # noqa: PLR0913 - its ports
    memory: Memory,
    session: Session,
    role: str = "maker",
    market: NoMarket | None = None,
    *,
    safety: SharedSafety | None = None,
    network: Callable[[], int | None] = lambda: None,
) -> Follower:
    """Return what a process would make of the account after a start."""
    publisher = Publisher(
        MemoryOrders(memory),
        market or NoMarket(),
        disappearance_timeout=1,
        market_of_fills=market is not None,
    )
    return Follower(
        session.accounts[role],
        start_ledger=session.ledgers[0].ledger_index,
        feed=MemoryFeed(memory),
        store=MemoryStore(memory),
        watermarks=MemoryWatermarks(memory),
        publisher=publisher,
        safety=safety,
        network=network,
    )


def announced(session: Session) -> list[OrderSubmitted | CancelRequested]:
    """Return what the session's engine would have said, before anything closed."""
    said: list[OrderSubmitted | CancelRequested] = []
    for order in session.orders:
        account, sequence = order["account"], order["sequence"]
        said.append(
            OrderSubmitted(
                account=account,
                sequence=sequence,
                taker_gets=parse_amount(order["taker_gets"]),
                taker_pays=parse_amount(order["taker_pays"]),
                transaction_hash=order["placed_tx"],
                client_order_id=f"c{sequence}",
            )
        )
        if order["cancel_tx"]:
            said.append(
                CancelRequested(account=account, sequence=sequence, transaction_hash=order["cancel_tx"])
            )
    return said


async def to_the_end(one: Follower, server: InProcessServer) -> None:
    last = server.node.chain.last_index
    while cursor_of(one.committed) != last:
        await one.advance(server)


async def run(
    memory: Memory,
    session: Session,
    market: NoMarket | None = None,
    *,
    role: str = "maker",
    safety: SharedSafety | None = None,
) -> Follower:
    """Follow an account of the session to its end."""
    server = InProcessServer(session)
    server.close_ledgers()
    one = follower(memory, session, role, market=market, safety=safety)
    await to_the_end(one, server)
    return one


def statuses(memory: Memory) -> dict[int, OrderStatus]:
    orders = committed_in(memory).state.orders
    return {sequence: order.status for sequence, order in orders.items()}


def committed_in(memory: Memory) -> CommittedAccount:
    """Return the account as another process would find it."""
    values = {key.split(".", 2)[2]: value for key, value in memory.values.items()}
    committed = read_account(StoredValues(values=values, revision=1))
    assert committed is not None
    return committed


def committed_by(one: Follower) -> StoredAccount:
    """Return the record of an account that is adopted."""
    assert one.committed is not None
    return one.committed.stored


def told(memory: Memory) -> list[tuple[str, int]]:
    orders = (event for event in memory.stream if isinstance(event, OrderEvent))
    return [(str(event.__struct_config__.tag), event.sequence) for event in orders]
