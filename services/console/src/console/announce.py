"""Be the engine of a recorded session: `python -m console.announce SESSION`, on `FILLPROOF_NATS_URL`."""

import asyncio
import sys

from console.engine import announcements
from order_events import encode
from order_events.subjects import ENGINE_STREAM, engine_subject
from replay_node.recordings import session_path
from replay_node.session import Session, read_session
from service_kit import ServiceSettings, load_settings
from service_kit.connection import connect

ANSWER_SECONDS = 5.0
"""To wait for the bus to store an announcement."""


async def announce(session: Session, nats_url: str) -> None:
    """Publish what the session's engine says; returns when all of it is stored.

    Raises:
        Unavailable: no bus answers there.

    """
    connection = await connect(nats_url)
    try:
        jetstream = connection.jetstream()
        for announcement in announcements(session):
            subject = engine_subject(announcement)
            await jetstream.publish(
                subject, encode(announcement), stream=ENGINE_STREAM, timeout=ANSWER_SECONDS
            )
    finally:
        await connection.close()


if __name__ == "__main__":
    asyncio.run(announce(read_session(session_path(sys.argv[1])), load_settings(ServiceSettings).nats_url))
