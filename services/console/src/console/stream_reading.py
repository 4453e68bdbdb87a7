"""A stream of the bus read once from its first message to its newest."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import nats.errors
import nats.js.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from console.bus_connection import open_bus
from console.errors import BadOption
from service_kit import reason_of
from service_kit.nats_urls import addresses_of, named

AT_ONCE = 1_000
ANSWER_SECONDS = 5.0


@asynccontextmanager
async def bus_at(url: str) -> AsyncIterator[JetStreamContext]:
    """Give the bus as its operator, and say what is wrong in the words of the command.

    Raises:
        BadOption: no bus answers there, its streams were never made, or the user may not read them.

    """
    async with open_bus(url) as jetstream:
        try:
            yield jetstream
        except nats.js.errors.APIError as error:
            raise BadOption(
                f"expected the project's streams, found: {error.description}; run the step `streams`"
            ) from error
        except (nats.errors.Error, TimeoutError) as error:
            where = named(addresses_of(url))
            raise BadOption(
                f"expected JetStream at {where} for its operator, found: {reason_of(error)}; "
                "use the operator's URL, or try again"
            ) from error


async def messages_of(jetstream: JetStreamContext, stream: str) -> AsyncIterator[Sequence[Msg]]:
    """Yield the messages that a stream has now and that can be read, oldest first, up to 1,000 at a time."""
    state = (await jetstream.stream_info(stream)).state
    start = state.first_seq
    while state.messages and start <= state.last_seq:
        reader = await jetstream.pull_subscribe("", stream=stream, config=_from(start))
        try:
            left = (await reader.consumer_info()).num_pending or 0
            while left > 0:
                messages = await reader.fetch(min(left, AT_ONCE), timeout=ANSWER_SECONDS)
                left = messages[-1].metadata.num_pending
                start = messages[-1].metadata.sequence.stream + 1
                yield messages
            start = state.last_seq + 1
        except nats.errors.TimeoutError:
            # A consumer gets no further than a message that is damaged on the server's disk
            start = await _after_a_damaged_one(jetstream, stream, range(start, state.last_seq + 1))
        finally:
            await reader.unsubscribe()


def _from(sequence: int) -> ConsumerConfig:
    return ConsumerConfig(
        ack_policy=AckPolicy.NONE,
        deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=max(sequence, 1),
    )


async def _after_a_damaged_one(jetstream: JetStreamContext, stream: str, sequences: range) -> int:
    """Return the first of these sequences whose message can be read.

    Raises:
        nats.errors.TimeoutError: it is the very first one: nothing is damaged, the bus is slow.

    """
    for sequence in sequences:
        try:
            await jetstream.get_msg(stream, seq=sequence)
        except nats.js.errors.NotFoundError:
            continue
        if sequence == sequences.start:
            raise nats.errors.TimeoutError
        return sequence
    return sequences.stop
