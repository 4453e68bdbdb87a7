"""The connection of a command to the deployment's bus."""

import contextlib
from collections.abc import AsyncIterator

import nats.errors
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.errors import BucketNotFoundError

from console.errors import BadOption, NotFinished
from order_events.subjects import STATE_BUCKET
from service_kit import Unavailable, reason_of
from service_kit.connection import connect


@contextlib.asynccontextmanager
async def open_bus(nats_url: str) -> AsyncIterator[JetStreamContext]:
    """Connect until the block ends, and give JetStream (see `open_connection`)."""
    async with open_connection(nats_url) as connection:
        yield connection.jetstream()


@contextlib.asynccontextmanager
async def open_connection(nats_url: str) -> AsyncIterator[Client]:
    """Connect until the block ends.

    Raises:
        BadOption: no bus answers, or it is not a deployment's.
        NotFinished: the bus stops answering.

    """
    try:
        connection = await connect(nats_url)
    except Unavailable as error:
        raise BadOption(str(error)) from error
    try:
        yield connection
    except BucketNotFoundError as error:
        raise BadOption(
            f"expected the reconciler's bucket {STATE_BUCKET} on the bus, found none: is it the right one?"
        ) from error
    except nats.errors.Error as error:
        raise NotFinished(f"the bus does not answer: {reason_of(error)}; try again") from error
    finally:
        await connection.close()
