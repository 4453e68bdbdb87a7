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

from engine_client import BusAccess, BusUnavailable, EngineBus, PermissionWatch, UnreadableEvent
from engine_client.permission import permission_subject
from order_events import OrdersEvent, Permission, SessionStarted, TradingPermission, decode, encode
from order_events.subjects import ENGINE_STREAM, ORDERS_STREAM
from service_kit import StreamSettings, provision

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


async def write_permission(jetstream: JetStreamContext, permission: str, account: str = ACCOUNT) -> None:
    now = datetime.now(UTC)
    value = TradingPermission(
        network_id=0,
        account=account,
        permission=permission,
        cause="none",
        reason="",
        ledger_index=7,
        decided_at=now,
        until=now,
    )
    await jetstream.publish(f"$KV.permission.0.{account}", encode(value), headers={"Nats-TTL": "5s"})


async def asked(watch: PermissionWatch) -> Permission:
    await watch.ask()
    return watch.current


async def test_a_permission_holds_only_once_it_is_seen_to_be_written_again(
    bus: EngineBus, jetstream: JetStreamContext
) -> None:
    watch = bus.watch_permission(ACCOUNT)
    assert await asked(watch) is Permission.STOP
    await write_permission(jetstream, "ok")
    assert await asked(watch) is Permission.STOP  # it may be as old as the bus keeps it
    await write_permission(jetstream, "ok")
    assert await asked(watch) is Permission.OK
    await write_permission(jetstream, "reduce_only")
    assert await asked(watch) is Permission.REDUCE_ONLY
    await write_permission(jetstream, "a word of a later version")
    assert await asked(watch) is Permission.STOP


async def test_a_permission_that_is_not_written_again_is_stale_though_the_bus_still_has_it(
    provisioned_nats_url: str, jetstream: JetStreamContext
) -> None:
    now = 0.0
    client = await nats.connect(provisioned_nats_url)
    watch = PermissionWatch(client, permission_subject("fillproof", 0, ACCOUNT), clock=lambda: now)
    for _ in range(2):
        await write_permission(jetstream, "ok")
        await watch.ask()
    assert watch.current is Permission.OK
    now = 5.1
    assert await asked(watch) is Permission.STOP
    assert "no fresh word" in watch.reason
    await client.close()


async def test_an_engine_reads_the_permission_of_its_own_account_alone(guarded: GuardedBus) -> None:
    operator = await nats.connect(guarded.url("operator"))
    await provision(operator.jetstream(), StreamSettings())
    engine = await EngineBus.connected(BusAccess(url=guarded.url("engine")))
    other = "rrrrrrrrrrrrrrrrrrrrBZbvji"
    own, foreign = engine.watch_permission(ACCOUNT), engine.watch_permission(other)
    for _ in range(2):
        await write_permission(operator.jetstream(), "ok")
        await write_permission(operator.jetstream(), "ok", other)
        await own.ask()
        await foreign.ask()
    assert (own.current, foreign.current) == (Permission.OK, Permission.STOP)
    await engine.close()
    await operator.close()
