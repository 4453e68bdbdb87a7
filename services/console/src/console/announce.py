"""`python -m console.announce SESSION`: be the engine of a recorded session, on the bus of `FILLPROOF_NATS_URL`."""

import asyncio
import sys
from pathlib import Path

from console.engine import announcements
from order_events import encode
from order_events.subjects import ENGINE_STREAM, engine_subject
from replay_node.session import Session, read_session
from service_kit import ServiceSettings, load_settings
from service_kit.broker import connect


async def announce(session: Session, nats_url: str) -> None:
    """Publish what the session's engine says; returns when all of it is stored.

    Raises:
        Unavailable: no bus answers there.

    """
    connection = await connect(nats_url)
    try:
        jetstream = connection.jetstream()
        for announcement in announcements(session):
            await jetstream.publish(engine_subject(announcement), encode(announcement), stream=ENGINE_STREAM)
    finally:
        await connection.close()


if __name__ == "__main__":
    asyncio.run(announce(read_session(Path(sys.argv[1])), load_settings(ServiceSettings).nats_url))
