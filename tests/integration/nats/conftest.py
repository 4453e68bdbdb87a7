"""The bus with the users of a deployment, and its operator."""

from collections.abc import AsyncIterator, Iterator

import pytest
from bus_users import ENGINES
from guarded_bus import GuardedBus, guarded_bus
from nats.aio.client import Client

from service_kit import EngineSettings, StreamSettings, provision
from service_kit.connection import connect


@pytest.fixture(scope="session")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedBus]:
    with guarded_bus(tmp_path_factory.mktemp("bus"), ENGINES) as running:
        yield running


@pytest.fixture
async def operator(bus: GuardedBus) -> AsyncIterator[Client]:
    """Give the operator's connection to a bus whose streams are new and empty."""
    client = await connect(bus.url("operator"))
    jetstream = client.jetstream()
    for stream in await jetstream.streams_info():
        await jetstream.delete_stream(str(stream.config.name))
    await provision(jetstream, StreamSettings(), EngineSettings(engines=ENGINES))
    yield client
    await client.close()
