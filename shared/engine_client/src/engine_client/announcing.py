"""Announcements: what an engine says on stream ENGINE before it sends a transaction."""

from nats.js import JetStreamContext

from order_events import CancelRequested, OrderSubmitted, SessionStarted, encode
from order_events.subjects import ENGINE_STREAM, engine_subject


async def announce(
    jetstream: JetStreamContext, announcement: OrderSubmitted | CancelRequested | SessionStarted
) -> None:
    """Publish an announcement and wait until the bus has stored it; publishing it again changes nothing.

    Raises:
        nats.errors.TimeoutError: the bus does not answer: announce it again, or send nothing.

    """
    await jetstream.publish(engine_subject(announcement), encode(announcement), stream=ENGINE_STREAM)
