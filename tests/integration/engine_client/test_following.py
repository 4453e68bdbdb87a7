"""`follow_orders` and `connect` against a real bus."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import msgspec
import nats
import pytest
from guarded_bus import GuardedBus, guarded_bus
from nats.js import JetStreamContext
from on_the_bus import fill
from waiting import limit, until

from engine_client import BusAccess, BusUnavailable, EngineBus, UnreadableEvent
from order_events import OrdersEvent, SessionStarted, decode, encode
from order_events.subjects import ENGINE_STREAM, ORDERS_STREAM

pytestmark = pytest.mark.stack

ACCOUNT = fill(1).account
WRONG = "not-it"


@pytest.fixture
async def bus(provisioned_nats_url: str) -> AsyncIterator[EngineBus]:
    connected = await EngineBus.connected(BusAccess(url=provisioned_nats_url))
    yield connected
    await connected.close()


@pytest.fixture
async def jetstream(provisioned_nats_url: str) -> AsyncIterator[JetStreamContext]:
    client = await nats.connect(provisioned_nats_url)
    yield client.jetstream()
    await client.close()


async def publish(jetstream: JetStreamContext, *payloads: bytes) -> None:
    for payload in payloads:
        await jetstream.publish(f"order.filled.{ACCOUNT}", payload)


class Following:
    """What a running follower was given."""

    def __init__(self) -> None:
        self.numbers: list[int] = []

    def __call__(self, event: OrdersEvent) -> None:
        self.numbers.append(event.event_id.int)


@contextlib.asynccontextmanager
async def following(bus: EngineBus, since: datetime | None = None) -> AsyncIterator[Following]:
    given = Following()
    task = asyncio.create_task(bus.follow_orders(ACCOUNT, given, since=since))
    yield given
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_new_consumer_begins_at_the_first_message_and_goes_on_after_the_last_that_was_booked(
    bus: EngineBus, jetstream: JetStreamContext
) -> None:
    await publish(jetstream, *(encode(fill(number)) for number in (1, 2)))
    async with following(bus) as first:
        await until(lambda: first.numbers == [1, 2])
    await publish(jetstream, encode(fill(3)))
    async with following(bus) as second:
        await until(lambda: second.numbers == [3])


async def test_a_consumer_with_a_beginning_is_given_nothing_from_before_it(
    bus: EngineBus, jetstream: JetStreamContext
) -> None:
    await publish(jetstream, encode(fill(1)))
    stored = await jetstream.stream_info(ORDERS_STREAM)
    assert stored.state.messages == 1
    since = datetime.now(UTC)
    await publish(jetstream, encode(fill(2)))
    async with following(bus, since) as given:
        await until(lambda: given.numbers == [2])


async def test_a_type_that_is_not_known_yet_is_passed_over(
    bus: EngineBus, jetstream: JetStreamContext
) -> None:
    unknown = msgspec.json.encode({"event_type": "order.teleported", "account": ACCOUNT})
    await publish(jetstream, unknown, encode(fill(1)))
    async with following(bus) as given:
        await until(lambda: given.numbers == [1])


async def test_a_version_that_is_not_known_stops_it_and_stays_on_the_bus(
    bus: EngineBus, jetstream: JetStreamContext
) -> None:
    later = {**msgspec.json.decode(encode(fill(1))), "version": 9}
    await publish(jetstream, msgspec.json.encode(later))
    with pytest.raises(UnreadableEvent, match=rf"order.filled.{ACCOUNT}: expected version 1"):
        await asyncio.wait_for(bus.follow_orders(ACCOUNT, Following()), limit())
    consumer = await jetstream.consumer_info(ORDERS_STREAM, f"engine-{ACCOUNT}")
    assert consumer.num_ack_pending == 1


async def test_an_announcement_is_stored_under_the_account_s_subject(
    bus: EngineBus, jetstream: JetStreamContext
) -> None:
    said = SessionStarted(account=ACCOUNT, session_id="mm-1")
    await bus.announce(said)
    stored = await jetstream.get_msg(ENGINE_STREAM, seq=1)
    assert stored.subject == f"engine.session.started.{ACCOUNT}"
    assert decode(stored.data or b"") == said


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedBus]:
    with guarded_bus(tmp_path_factory.mktemp("bus"), f"engine:{ACCOUNT}") as running:
        yield running


async def test_a_wrong_password_is_said_and_not_shown(guarded: GuardedBus) -> None:
    host, port = guarded.address
    access = BusAccess(url=f"nats://{host}:{port}", user="engine", password=WRONG)
    with pytest.raises(BusUnavailable, match=r"found: .*[Aa]uthorization") as refused:
        await EngineBus.connected(access)
    assert WRONG not in str(refused.value)


async def test_nobody_listening_is_said(unused_tcp_port: int) -> None:
    with pytest.raises(BusUnavailable, match=f"expected NATS at 127.0.0.1:{unused_tcp_port}, found"):
        await EngineBus.connected(BusAccess(url=f"nats://127.0.0.1:{unused_tcp_port}"))


async def test_an_account_of_another_engine_is_refused_in_one_sentence(guarded: GuardedBus) -> None:
    bus = await EngineBus.connected(BusAccess(url=guarded.url("engine")))
    with pytest.raises(
        BusUnavailable, match=r"is rrrrrrrrrrrrrrrrrrrrBZbvji among the accounts of the engine"
    ):
        await bus.follow_orders("rrrrrrrrrrrrrrrrrrrrBZbvji", Following())
    await bus.close()
