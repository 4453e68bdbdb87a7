"""A connection to the bus that the reconciler under test is on."""

from collections.abc import AsyncIterator

import nats
import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext
from waiting import limit


@pytest.fixture
async def client(provisioned_nats_url: str) -> AsyncIterator[Client]:
    connection = await nats.connect(provisioned_nats_url, reconnect_time_wait=0.1, max_reconnect_attempts=-1)
    yield connection
    await connection.close()


@pytest.fixture
def jetstream(client: Client) -> JetStreamContext:
    return client.jetstream(timeout=limit())
