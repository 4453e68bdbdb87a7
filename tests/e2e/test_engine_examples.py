"""The engines of docs/examples: whatever happens to them, their books hold every fill once."""

import contextlib
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import nats
import pytest
from following import environment, following, until_followed
from nats.aio.client import Client
from nats.js import JetStreamContext
from on_the_bus import stored_events
from replaying import recorded, serving
from running_command import running
from waiting import until, until_found

from console.engine import announcements, engine_accounts
from order_events import OrderEvent, OrderFilled, encode
from order_events.subjects import ENGINE_STREAM
from replay_node.pace import Pace

pytestmark = pytest.mark.stack

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
ENGINES = ["engine_nats.py", "engine_faststream.py"]
ENDED = {"FILLED", "CANCELED", "EXPIRED", "REJECTED", "REMOVED", "LOST"}


@pytest.fixture
async def client(provisioned_nats_url: str) -> AsyncIterator[Client]:
    connection = await nats.connect(provisioned_nats_url)
    yield connection
    await connection.close()


class Engine:
    """One of the examples as a process, and its books."""

    def __init__(self, script: str, nats_url: str, account: str, directory: Path) -> None:
        self.books = directory / "books.sqlite"
        self._command = [sys.executable, str(EXAMPLES / script), nats_url, account, str(self.books)]

    @contextlib.contextmanager
    def running(self, said: list[bytes]) -> Iterator[None]:
        """Run until the block is left, then kill it."""
        with running(self._command, stdin=subprocess.PIPE, stdout=None) as process:
            assert process.stdin
            process.stdin.write("".join(f"{line.decode()}\n" for line in said))
            process.stdin.close()
            yield

    def seen(self) -> set[str]:
        return {event_id for (event_id,) in self.read("SELECT event_id FROM seen")}

    def read(self, query: str) -> list[tuple[object, ...]]:
        if not self.books.exists():
            return []
        with contextlib.closing(sqlite3.connect(self.books)) as connection:
            try:
                return connection.execute(query).fetchall()
            except sqlite3.OperationalError:
                return []  # it has made the file and not the tables yet


async def own_events(jetstream: JetStreamContext, account: str) -> list[OrderEvent]:
    return [event for event in await stored_events(jetstream) if event.account == account]


def endings(events: list[OrderEvent]) -> dict[int, str]:
    return {event.sequence: event.status for event in events if event.status in ENDED}


@pytest.mark.parametrize("script", ENGINES)
async def test_the_books_are_whole_and_count_nothing_twice_although_the_engine_is_killed_on_the_way(
    client: Client, provisioned_nats_url: str, tmp_path: Path, script: str
) -> None:
    jetstream, session = client.jetstream(), recorded("random_1")
    account = engine_accounts(session)[0]
    said = [encode(event) for event in announcements(session) if event.account == account]
    engine = Engine(script, provisioned_nats_url, account, tmp_path)
    async with serving(session.name, pace=Pace(on_read=True)) as node:
        with engine.running(said):
            await until_found(lambda: _all_announced(jetstream, said))
        async with following(environment(provisioned_nats_url, node.url, session)):
            for _ in range(3):
                before = len(engine.seen())
                with engine.running([]):
                    await until(lambda: len(engine.seen()) > before + 20)  # noqa: B023 - awaited here
            await until_followed(client, session)
    events = await own_events(jetstream, account)
    with engine.running([]):
        await until(lambda: len(engine.seen()) == len(events))
    assert engine.seen() == {str(event.event_id) for event in events}
    fills = Counter(
        (event.sequence, str(event.gave.value), str(event.got.value), event.transaction_hash)
        for event in events
        if isinstance(event, OrderFilled)
    )
    assert Counter(engine.read("SELECT sequence, gave, got, transaction_hash FROM fill")) == fills
    assert dict(engine.read("SELECT sequence, status FROM ending")) == endings(events)
    assert not any(event.external for event in events)


async def _all_announced(jetstream: JetStreamContext, said: list[bytes]) -> bool:
    return (await jetstream.stream_info(ENGINE_STREAM)).state.messages == len(said)
