"""What the bus loses of an account's past, on a real NATS: the account halts, and no event is missing."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

import pytest
from in_memory_bus import Memory, NoMarket
from in_process_node import InProcessServer
from nats.aio.client import Client
from nats.js import JetStreamContext
from one_account import run
from replaying import recorded

from console.engine import announcements
from ledger_client import server_status
from order_events import (
    OrderDisappeared,
    OrderEvent,
    OrderFilled,
    OrdersEvent,
    ReconcilerHalted,
    RemovalReason,
    decode,
    encode,
)
from order_events.subjects import ENGINE_STREAM, ORDERS_STREAM, STATE_BUCKET, WATERMARK_BUCKET, engine_subject
from reconciler.adapters.dead_letters import DeadLetters
from reconciler.adapters.engine_feed import JetStreamEngineFeed
from reconciler.adapters.orders_bus import JetStreamOrders
from reconciler.adapters.state_store import BucketStore
from reconciler.adapters.watermarks import BucketWatermarks
from reconciler.adapters.witness import FileWitness
from reconciler.following import continuity
from reconciler.following.follower import Follower
from reconciler.following.publisher import Publisher
from reconciler.following.stored_account import cursor_of
from reconciler.metrics import Metrics
from reconciler.ports.bus import NotOwner
from service_kit import StreamSettings, provision

pytestmark = pytest.mark.stack

SESSION = recorded("partial_and_cancel_same_ledger")
ACCOUNT = SESSION.orders[0]["account"]
HALF = len(SESSION.ledgers) // 2
STATE, WATERMARKS = f"KV_{STATE_BUCKET}", f"KV_{WATERMARK_BUCKET}"

MakeFollower = Callable[[], Follower]
Damage = Callable[[JetStreamContext], Awaitable[None]]


@pytest.fixture
def make_follower(
    orders: JetStreamOrders,
    connected: Callable[[], Client],
    metrics: Metrics,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> MakeFollower:
    """Give what a process makes of the account after a start; a watermark is written with every ledger."""
    monkeypatch.setattr(continuity, "LEDGERS_BETWEEN", 1)
    witness = FileWitness(tmp_path)
    return lambda: Follower(
        ACCOUNT,
        start_ledger=SESSION.ledgers[0].ledger_index,
        feed=JetStreamEngineFeed(connected, metrics, DeadLetters(connected, metrics)),
        store=BucketStore(connected, metrics),
        watermarks=BucketWatermarks(connected, metrics),
        witness=witness,
        publisher=Publisher(orders, NoMarket(), disappearance_timeout=5, market_of_fills=False),
    )


async def announce(jetstream: JetStreamContext) -> None:
    for event in announcements(SESSION):
        await jetstream.publish(engine_subject(event), encode(event), stream=ENGINE_STREAM)


async def followed(one: Follower, server: InProcessServer, make: MakeFollower | None = None) -> Follower:
    """Follow to the newest ledger; another follower goes on, as the scheduler does, after a change."""
    while cursor_of(one.committed) < (await server_status(server)).validated:
        try:
            await one.advance(server)
        except NotOwner:
            assert make is not None
            one = make()
    return one


async def told(jetstream: JetStreamContext) -> list[OrdersEvent]:
    last = (await jetstream.stream_info(ORDERS_STREAM)).state.last_seq
    events = [decode((await jetstream.get_msg(ORDERS_STREAM, one)).data or b"") for one in range(1, last + 1)]
    return [event for event in events if isinstance(event, OrdersEvent)]


def order_events(events: list[OrdersEvent]) -> dict[UUID, bytes]:
    return {event.event_id: encode(event) for event in events if isinstance(event, OrderEvent)}


async def undisturbed() -> dict[UUID, bytes]:
    memory = Memory()
    memory.announcements += list(announcements(SESSION))
    await run(memory, SESSION)
    return order_events(memory.stream)


async def purged(jetstream: JetStreamContext) -> None:
    await jetstream.purge_stream(STATE)


async def made_anew(jetstream: JetStreamContext) -> None:
    await jetstream.delete_stream(STATE)
    await provision(jetstream, StreamSettings())


async def lost_with_its_watermark(jetstream: JetStreamContext) -> None:
    await jetstream.purge_stream(STATE)
    await jetstream.purge_stream(WATERMARKS)


async def without_an_order(jetstream: JetStreamContext) -> None:
    info = await jetstream.stream_info(STATE, subjects_filter=f"$KV.{STATE_BUCKET}.*.{ACCOUNT}.order.*")
    [subject, *_] = info.state.subjects or {}
    await jetstream.purge_stream(STATE, subject=subject)


@pytest.mark.parametrize("restarted", [True, False], ids=["at a start", "under a running one"])
@pytest.mark.parametrize("damage", [purged, made_anew, lost_with_its_watermark], ids=lambda one: one.__name__)
async def test_an_account_whose_state_is_lost_halts_and_is_read_on_from_where_it_was(
    make_follower: MakeFollower, jetstream: JetStreamContext, damage: Damage, *, restarted: bool
) -> None:
    await announce(jetstream)
    server = InProcessServer(SESSION)
    server.close_ledgers(HALF)
    one = await followed(make_follower(), server)
    await damage(jetstream)
    server.close_ledgers()
    one = await followed(make_follower() if restarted else one, server, make_follower)
    events = await told(jetstream)
    assert order_events(events).keys() == (await undisturbed()).keys()
    [halted] = [event for event in events if isinstance(event, ReconcilerHalted)]
    assert halted.cause == "state_lost"
    assert one.committed is not None
    assert one.committed.stored.policy_state.halted == halted
    await make_follower().advance(server)
    assert len(await told(jetstream)) == len(events)  # the next start finds nothing broken


async def test_a_state_of_an_earlier_moment_halts_the_account_and_is_read_on(
    make_follower: MakeFollower, jetstream: JetStreamContext
) -> None:
    await announce(jetstream)
    server = InProcessServer(SESSION)
    server.close_ledgers(2)
    await followed(make_follower(), server)
    info = await jetstream.stream_info(STATE, subjects_filter=">")
    earlier = {subject: await jetstream.get_last_msg(STATE, subject) for subject in info.state.subjects or {}}
    server.close_ledgers(HALF)
    await followed(make_follower(), server)
    await jetstream.purge_stream(STATE)
    for subject, message in earlier.items():
        await jetstream.publish(subject, message.data or b"")
    server.close_ledgers()
    await followed(make_follower(), server)
    events = await told(jetstream)
    assert order_events(events).keys() == (await undisturbed()).keys()
    assert [event.cause for event in events if isinstance(event, ReconcilerHalted)] == ["state_rolled_back"]


async def test_an_order_that_is_gone_from_the_state_halts_the_account(
    make_follower: MakeFollower, jetstream: JetStreamContext
) -> None:
    await announce(jetstream)
    server = InProcessServer(SESSION)
    server.close_ledgers(HALF)
    await followed(make_follower(), server)
    await without_an_order(jetstream)
    await make_follower().advance(server)
    [halted] = [event for event in await told(jetstream) if isinstance(event, ReconcilerHalted)]
    assert halted.cause == "state_damaged"
    assert "expected 6 stored orders" in halted.reason
    assert "found 5" in halted.reason


@pytest.mark.parametrize("restarted", [True, False], ids=["at a start", "under a running one"])
async def test_cancels_that_the_bus_lost_are_no_anomalies_and_halt_the_account(
    make_follower: MakeFollower, jetstream: JetStreamContext, *, restarted: bool
) -> None:
    server = InProcessServer(SESSION)
    server.close_ledgers(1)
    one = make_follower()
    for event in list(announcements(SESSION))[: 1 + len(SESSION.orders)]:  # the session and the orders
        await jetstream.publish(engine_subject(event), encode(event), stream=ENGINE_STREAM)
    await followed(one, server)
    await jetstream.delete_stream(ENGINE_STREAM)  # with the cancels that came meanwhile
    await provision(jetstream, StreamSettings())
    server.close_ledgers()
    await followed(make_follower() if restarted else one, server)
    events = await told(jetstream)
    assert [event.cause for event in events if isinstance(event, ReconcilerHalted)] == ["announcements_lost"]
    canceled = [event for event in events if isinstance(event, OrderDisappeared)]
    assert RemovalReason.CANCELED in {event.removal_reason for event in canceled}
    assert [event.removal_reason for event in canceled if event.anomaly] == []


async def test_a_bus_that_lost_everything_is_known_by_the_witness_alone(
    make_follower: MakeFollower, jetstream: JetStreamContext
) -> None:
    await announce(jetstream)
    server = InProcessServer(SESSION)
    server.close_ledgers(HALF)
    await followed(make_follower(), server)
    for stream in (STATE, WATERMARKS, ORDERS_STREAM, ENGINE_STREAM):
        await jetstream.delete_stream(stream)
    await provision(jetstream, StreamSettings())
    server.close_ledgers()
    one = await followed(make_follower(), server)
    events = await told(jetstream)
    assert [event.cause for event in events if isinstance(event, ReconcilerHalted)] == ["state_lost"]
    cut = SESSION.ledgers[HALF].ledger_index
    expected = [decode(payload) for payload in (await undisturbed()).values()]
    later = {
        event.event_id for event in expected if isinstance(event, OrderFilled) and event.ledger_index > cut
    }
    assert {event.event_id for event in events if isinstance(event, OrderFilled)} == later
    assert [event for event in events if isinstance(event, OrderDisappeared) and event.anomaly] == []
    assert one.committed is not None
