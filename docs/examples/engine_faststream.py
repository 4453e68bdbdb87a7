"""The same engine with FastStream: see `engine_nats.py`.

python engine_faststream.py nats://127.0.0.1:4222 rYourAccount books.sqlite < announcements
"""

import asyncio
import json
import sqlite3
import sys
from urllib.parse import urlsplit

from books import book, opened
from faststream import AckPolicy, FastStream
from faststream.nats import JStream, NatsBroker, NatsMessage, PullSub
from nats.js.api import ConsumerConfig


def engine(nats_url: str, account: str, books: sqlite3.Connection, announcements: list[str]) -> FastStream:
    """Announce once the bus is there, and book what the durable consumer hands out."""
    broker = NatsBroker(nats_url, js_options={"domain": "fillproof"})
    name = urlsplit(nats_url).username or "engine"
    app = FastStream(broker)

    @broker.subscriber(
        f"*.*.{account}",
        stream=JStream("ORDERS", declare=False),
        durable=f"{name}-{account}",
        config=ConsumerConfig(ack_wait=5),
        pull_sub=PullSub(batch_size=20, timeout=5),
        ack_policy=AckPolicy.MANUAL,
    )
    async def follow(message: NatsMessage) -> None:
        book(books, json.loads(message.body))
        await message.ack()

    @app.after_startup
    async def announce() -> None:
        for line in announcements:
            subject = f"{json.loads(line)['event_type']}.{account}"
            await broker.publish(line.encode(), subject, stream="ENGINE")

    return app


if __name__ == "__main__":
    url, owner, path = sys.argv[1:]
    asyncio.run(engine(url, owner, opened(path), sys.stdin.read().splitlines()).run())
