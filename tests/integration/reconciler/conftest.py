"""A connection to the bus, and the reconciler's own adapters on it."""

from collections.abc import AsyncIterator, Callable

import nats
import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext

from reconciler.adapters.dead_letters import DeadLetters
from reconciler.adapters.engine_feed import JetStreamEngineFeed
from reconciler.adapters.event_publishers import EventPublishers, orders_publishers
from reconciler.adapters.orders_bus import JetStreamOrders
from reconciler.adapters.state_store import BucketStore
from reconciler.metrics import Metrics
from service_kit import make_broker


@pytest.fixture
async def client(provisioned_nats_url: str) -> AsyncIterator[Client]:
    connection = await nats.connect(provisioned_nats_url)
    yield connection
    await connection.close()


@pytest.fixture
def jetstream(client: Client) -> JetStreamContext:
    return client.jetstream()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def connected(client: Client) -> Callable[[], Client]:
    return lambda: client


@pytest.fixture
async def publishers(provisioned_nats_url: str) -> AsyncIterator[EventPublishers]:
    broker = make_broker(provisioned_nats_url)
    declared = orders_publishers(broker)
    await broker.connect()
    yield declared
    await broker.stop()


@pytest.fixture
def orders(publishers: EventPublishers, connected: Callable[[], Client], metrics: Metrics) -> JetStreamOrders:
    return JetStreamOrders(publishers, connected, metrics)


@pytest.fixture
def store(connected: Callable[[], Client], metrics: Metrics) -> BucketStore:
    return BucketStore(connected, metrics)


@pytest.fixture
def feed(connected: Callable[[], Client], metrics: Metrics) -> JetStreamEngineFeed:
    return JetStreamEngineFeed(connected, metrics, DeadLetters(connected, metrics))
