"""The engines of docs/examples: whatever happens to them, their books hold every fill once."""

import asyncio
import contextlib
import re
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import nats
import pytest
from engine_examples import EXAMPLES, load_example, read_books
from following import environment, following, until_followed
from nats.aio.client import Client
from nats.js import JetStreamContext
from on_the_bus import fill, stored_events
from replaying import recorded, serving
from running_command import running
from waiting import limit, until, until_found

from console.engine import announcements, engine_accounts
from order_events import CancelRequested, OrderEvent, OrderFilled, OrderSubmitted, decode_announcement, encode
from order_events.subjects import ENGINE_STREAM, order_subject
from replay_node.pace import Pace

pytestmark = pytest.mark.stack

ACCOUNT = "rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe"
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

    def frees(self, sequence: int) -> bool:
        with contextlib.closing(sqlite3.connect(self.books)) as connection:
            return bool(load_example("books").may_free(connection, sequence))

    def seen(self) -> set[str]:
        return {event_id for (event_id,) in self.read("SELECT event_id FROM seen")}

    def read(self, query: str) -> list[tuple[object, ...]]:
        return read_books(self.books, query)


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
    assert all(engine.frees(sequence) for sequence, status in endings(events).items() if status != "LOST")


@pytest.fixture
def printed() -> list[str]:
    """Return the programs that docs/engine.md prints."""
    return re.findall(r"```python\n(.*?)```", (EXAMPLES.parent / "engine.md").read_text(), re.DOTALL)


def test_every_program_of_the_page_is_one_of_the_examples(printed: list[str]) -> None:
    names = ("announce_order.py", "first_engine.py", "cautious_engine.py")
    assert printed == [(EXAMPLES / name).read_text() for name in names]


async def test_the_printed_announcements_are_stored_and_understood(
    client: Client, provisioned_nats_url: str
) -> None:
    command = [sys.executable, EXAMPLES / "announce_order.py", provisioned_nats_url, ACCOUNT]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=limit())
    assert (done.returncode, done.stderr) == (0, "")
    stored = [await client.jetstream().get_msg(ENGINE_STREAM, seq=number) for number in (1, 2)]
    order, cancel = (decode_announcement(said.data or b"", said.subject or "") for said in stored)
    assert isinstance(order, OrderSubmitted)
    assert isinstance(cancel, CancelRequested)
    assert order.sequence == cancel.sequence


async def test_the_printed_engine_waits_on_an_idle_stream_and_books_what_comes_once(
    client: Client, provisioned_nats_url: str, tmp_path: Path
) -> None:
    trade = fill(1)
    engine = Engine("first_engine.py", provisioned_nats_url, trade.account, tmp_path)
    with engine.running([]):
        asked = await client.subscribe("$JS.API.CONSUMER.MSG.NEXT.ORDERS.*")
        for _ in range(2):  # it asks again after a fetch that found nothing
            await asked.next_msg(timeout=limit())
        for event in (trade, trade, fill(2)):  # without an id in the header, the bus takes one twice
            await client.jetstream().publish(order_subject(event), encode(event))
        await until(lambda: len(engine.read("SELECT event_id FROM fillproof_event")) == 2)
    assert (
        engine.read("SELECT sequence, gave, got FROM fill")
        == [(trade.sequence, str(trade.gave.value), str(trade.got.value))] * 2
    )


async def _all_announced(jetstream: JetStreamContext, said: list[bytes]) -> bool:
    return (await jetstream.stream_info(ENGINE_STREAM)).state.messages == len(said)
