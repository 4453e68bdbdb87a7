"""An engine's side of Fillproof with nats-py: it announces what it does and books every fill exactly once.

    python engine_nats.py nats://127.0.0.1:4222 rYourAccount books.sqlite < announcements

Each line of standard input is an announcement, which a real engine publishes before it sends the
transaction. Fills, ends and halts go to the books until Ctrl-C; killed at any moment and started again,
it misses none and counts none twice.
"""

import asyncio
import json
import sqlite3
import sys
from urllib.parse import urlsplit

import nats
from books import book, opened
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig


async def trade(nats_url: str, account: str, books: sqlite3.Connection, announcements: list[str]) -> None:
    """Announce, then follow the account's orders."""
    client = await nats.connect(nats_url)
    bus = client.jetstream(domain="fillproof")
    for line in announcements:
        await bus.publish(f"{json.loads(line)['event_type']}.{account}", line.encode())
    await follow(bus, urlsplit(nats_url).username or "engine", account, books)


async def follow(bus: JetStreamContext, engine: str, account: str, books: sqlite3.Connection) -> None:
    """Book what the durable consumer hands out, and acknowledge only what is in the books."""
    # A deployment has made the consumer, a bus without users lets the engine make it. What a killed engine
    # had taken and not acknowledged is handed out again after `ack_wait` seconds
    wanted = ConsumerConfig(ack_wait=5)
    orders = await bus.pull_subscribe(
        f"*.*.{account}", durable=f"{engine}-{account}", stream="ORDERS", config=wanted
    )
    while True:
        try:
            messages = await orders.fetch(20, timeout=5)
        except TimeoutError:  # nothing new: nats-py raises its own subclass, or this
            continue
        for message in messages:
            book(books, json.loads(message.data))
            await message.ack()


if __name__ == "__main__":
    url, owner, path = sys.argv[1:]
    asyncio.run(trade(url, owner, opened(path), sys.stdin.read().splitlines()))
