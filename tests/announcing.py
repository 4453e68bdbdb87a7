"""An engine in a test: what it says on stream ENGINE, and what the reconciler's feed has heard of it."""

from nats.js import JetStreamContext

from order_events import CancelRequested, encode
from order_events.subjects import (
    ENGINE_STREAM,
    engine_subject,
)
from reconciler.ports.bus import Announced, Announcement


def cancel(account: str, sequence: int) -> CancelRequested:
    return CancelRequested(account=account, sequence=sequence)


async def say(jetstream: JetStreamContext, *events: Announcement) -> None:
    for event in events:
        await jetstream.publish(engine_subject(event), encode(event), stream=ENGINE_STREAM)


def heard(found: Announced) -> tuple[tuple[Announcement, ...], int]:
    return found.announcements, found.sequence
