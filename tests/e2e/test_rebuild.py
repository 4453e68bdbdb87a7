"""`fillproof rebuild`: what the store has lost comes back to the byte, and nothing else happens."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Protocol

import asyncpg
import nats
import pytest
from conftest import Dsn
from fillproof_command import fillproof
from following import announce, environment, following, until_followed
from nats.aio.client import Client
from on_the_bus import stored
from replaying import Client as NodeClient
from replaying import recorded, serving
from waiting import until_found

from console.engine import engine_accounts
from local_stack import Child, LocalStack
from order_events.subjects import AUDIT_CONSUMER, ORDERS_STREAM, REDELIVERY_STREAM, STATE_BUCKET
from reconciler.backfill.range_rebuild import NotRebuilt
from reconciler.rebuild import RebuildSettings, rebuild_all
from replay_node.pace import Pace
from replay_node.session import Session

pytestmark = pytest.mark.stack

READ = Pace(on_read=True)
STATE_STREAM = f"KV_{STATE_BUCKET}"
ROWS = {
    "order_event": "SELECT t::text FROM order_event AS t ORDER BY event_id",
    "fill": "SELECT t::text FROM fill AS t ORDER BY event_id",
    "reconciler_anomaly_log": "SELECT t::text FROM reconciler_anomaly_log AS t ORDER BY event_id",
}
PLAYED = ("cancel_race_lost", "replaced", "partial_then_expired", "canceled_elsewhere")
NO_ACCOUNT = "rrrrrrrrrrrrrrrrrrrrBZbvji"

Rows = dict[str, list[str]]


class Rebuild(Protocol):
    """Runs the command for a session's accounts."""

    async def __call__(
        self, node: NodeClient, session: Session, first: int, last: int
    ) -> subprocess.CompletedProcess[str]: ...


@pytest.fixture
async def client(provisioned_nats_url: str) -> AsyncIterator[Client]:
    connection = await nats.connect(provisioned_nats_url)
    yield connection
    await connection.close()


@pytest.fixture
def rebuild(provisioned_nats_url: str) -> Rebuild:
    async def run(
        node: NodeClient, session: Session, first: int, last: int
    ) -> subprocess.CompletedProcess[str]:
        accounts = [part for account in engine_accounts(session) for part in ("--account", account)]
        where = ("--xrpl", node.url, "--nats", provisioned_nats_url)
        return await asyncio.to_thread(fillproof, "rebuild", *accounts, "--from", first, "--to", last, *where)

    return run


@pytest.fixture
def write_audit(
    stack: LocalStack, postgres_dsn: Dsn, provisioned_nats_url: str, tmp_path: Path
) -> Iterator[Callable[[], Child]]:
    started: list[Child] = []

    def start() -> Child:
        env = {
            "FILLPROOF_NATS_URL": provisioned_nats_url,
            "FILLPROOF_DATABASE_URL": postgres_dsn("audit_writer"),
            "FILLPROOF_BATCH_SIZE": "1",  # so that the ledgers on both sides of a lost message are known
        }
        writer = stack.spawn("audit_writer", env=env, log_path=tmp_path / f"writer{len(started)}.log")
        started.append(writer)
        writer.wait_ready()
        return writer

    yield start
    for writer in started:
        writer.kill()


async def until_written(client: Client) -> None:
    """Wait until the audit writer has acknowledged all that it can get."""

    async def written() -> bool:
        consumers = [
            await client.jetstream().consumer_info(stream, AUDIT_CONSUMER)
            for stream in (ORDERS_STREAM, REDELIVERY_STREAM)
        ]
        return not any(one.num_pending or one.num_ack_pending for one in consumers)

    await until_found(written)


async def rows(dsn: str) -> Rows:
    connection = await asyncpg.connect(dsn)
    try:
        return {table: [row[0] for row in await connection.fetch(query)] for table, query in ROWS.items()}
    finally:
        await connection.close()


async def execute(dsn: str, *statements: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def last_sequences(client: Client) -> list[int]:
    """Return how much was ever written to the engine's stream and to the reconciler's state."""
    streams = (ORDERS_STREAM, STATE_STREAM)
    return [(await client.jetstream().stream_info(stream)).state.last_seq for stream in streams]


def settings(nats_url: str, node: NodeClient, session: Session, **more: object) -> RebuildSettings:
    """Return what a rebuild of the whole session is told, or of other ledgers."""
    values = {
        "nats_url": nats_url,
        "xrpl_urls": node.url,
        "accounts": ",".join(engine_accounts(session)),
        "first_ledger": session.ledgers[0].ledger_index,
        "last_ledger": session.ledgers[-1].ledger_index,
        **more,
    }
    return RebuildSettings.model_validate(values)


def deleting(ledgers: str) -> list[str]:
    """Return the statements that delete the rows of some ledgers."""
    of_ledgers = f"SELECT event_id FROM order_event WHERE (payload->>'ledger_index')::int {ledgers}"  # noqa: S608 - ours
    tables = ("fill", "reconciler_anomaly_log", "order_event")
    return [f"DELETE FROM {table} WHERE event_id IN ({of_ledgers})" for table in tables]  # noqa: S608 - ours


async def play(client: Client, nats_url: str, node: NodeClient, session: Session) -> None:
    await announce(client.jetstream(), session)
    async with following(environment(nats_url, node.url, session, DISAPPEARANCE_TIMEOUT=30)):
        await until_followed(client, session)
    await until_written(client)


@pytest.mark.parametrize("name", PLAYED)
async def test_a_wiped_store_holds_the_same_rows_after_a_rebuild_and_nobody_else_hears_of_it(
    client: Client,
    provisioned_nats_url: str,
    postgres_dsn: Dsn,
    write_audit: Callable[[], Child],
    name: str,
) -> None:
    session = recorded(name)
    write_audit()
    async with serving(name, pace=READ) as node:
        await play(client, provisioned_nats_url, node, session)
        original, told = await rows(postgres_dsn()), await last_sequences(client)
        assert original["order_event"]
        await execute(postgres_dsn(), f"TRUNCATE {', '.join(ROWS)}")
        await rebuild_all(settings(provisioned_nats_url, node, session))
    await until_written(client)
    assert await rows(postgres_dsn()) == original
    assert await last_sequences(client) == told
    assert await stored(client.jetstream(), REDELIVERY_STREAM) == []


async def test_a_hole_is_filled_by_its_ledgers_alone_a_wiped_store_by_all_and_a_second_time_changes_nothing(
    client: Client,
    provisioned_nats_url: str,
    postgres_dsn: Dsn,
    write_audit: Callable[[], Child],
    rebuild: Rebuild,
) -> None:
    session = recorded("random_1")
    write_audit()
    async with serving(session.name, pace=READ) as node:
        await play(client, provisioned_nats_url, node, session)
        original = await rows(postgres_dsn())
        middle = len(session.ledgers) // 2
        first, last = (session.ledgers[at].ledger_index for at in (middle, middle + 9))
        await execute(postgres_dsn(), *deleting(f"BETWEEN {first} AND {last}"))
        assert 0 < len((await rows(postgres_dsn()))["order_event"]) < len(original["order_event"])
        done = await rebuild(node, session, first, last)
        assert done.returncode == 0, done.stderr
        await until_written(client)
        assert await rows(postgres_dsn()) == original
        await execute(postgres_dsn(), f"TRUNCATE {', '.join(ROWS)}")
        for _ in range(2):
            await rebuild_all(settings(provisioned_nats_url, node, session))
            await until_written(client)
            assert await rows(postgres_dsn()) == original
        await execute(postgres_dsn(), *deleting(f"NOT BETWEEN {first} AND {last}"))
        inside = await rows(postgres_dsn())
        await rebuild_all(settings(provisioned_nats_url, node, session, first_ledger=first, last_ledger=last))
        await until_written(client)
    assert await rows(postgres_dsn()) == inside


async def test_what_the_bus_lost_before_it_was_stored_is_read_from_the_ledger_by_refill(
    client: Client, provisioned_nats_url: str, postgres_dsn: Dsn, write_audit: Callable[[], Child]
) -> None:
    session = recorded("replaced")
    async with serving(session.name, pace=READ) as node:
        await announce(client.jetstream(), session)
        async with following(environment(provisioned_nats_url, node.url, session)):
            await until_followed(client, session)
        told = await stored(client.jetstream(), ORDERS_STREAM)
        await client.jetstream().delete_msg(ORDERS_STREAM, 2)
        write_audit()
        database = await asyncpg.connect(postgres_dsn())

        async def noticed() -> bool:
            return bool(
                await database.fetch("SELECT FROM dashboard.missing_sequence WHERE last_sequence = 2")
            )

        await until_found(noticed)
        arguments = ("--database", postgres_dsn(), "--nats", provisioned_nats_url, "--xrpl", node.url)
        done = await asyncio.to_thread(fillproof, "refill", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "messages 2 to 2 of stream ORDERS are gone: the events of ledgers" in done.stdout
    await until_written(client)
    payloads = await database.fetch("SELECT payload::text FROM order_event")
    assert sorted(row[0].encode() for row in payloads) == sorted(told)
    assert await database.fetch("SELECT FROM dashboard.missing_sequence") == []
    await database.close()


async def test_ledgers_before_the_adoption_are_refused_because_their_events_were_never_published(
    client: Client, provisioned_nats_url: str, write_audit: Callable[[], Child]
) -> None:
    session = recorded("replaced")
    write_audit()
    async with serving(session.name, pace=READ) as node:
        await play(client, provisioned_nats_url, node, session)
        before = settings(provisioned_nats_url, node, session, first_ledger=2, last_ledger=3)
        with pytest.raises(
            NotRebuilt, match="where it was adopted, found 2-3: events before were never published"
        ):
            await rebuild_all(before)


async def test_a_range_that_the_node_does_not_have_is_refused_with_what_it_has(
    rebuild: Rebuild,
) -> None:
    session = recorded("replaced")
    first, last = session.ledgers[0].ledger_index, session.ledgers[-1].ledger_index
    async with serving(session.name) as node:
        node.close_all()
        early = await rebuild(node, session, first - 50, last)
        late = await rebuild(node, session, first + 1, last + 50)
    assert (early.returncode, late.returncode) == (1, 1)
    assert "its orders are adopted right before the first wanted ledger" in early.stderr
    assert f"expected ledger {first - 51} to begin with, found {first}-{last}" in early.stderr
    assert f"expected ledger {last + 50} to end with, found {last}" in late.stderr


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (("--from", 9, "--to", 8), 2, "found --from 9 --to 8: turn them round"),
        (("--account", "rNobody"), 2, "expected the classic address of an account (r...), found 'rNobody'"),
        (("--xrpl", "ftp://there"), 2, "found one with another scheme"),
        (("--nats", "nats://127.0.0.1:1"), 1, "expected NATS at 127.0.0.1:1"),
        (("--nats", "there"), 2, "FILLPROOF_NATS_URL"),
    ],
)
def test_what_can_not_be_meant_is_refused_with_what_was_found(
    options: tuple[object, ...], status: int, message: str
) -> None:
    usual = ("--account", NO_ACCOUNT, "--xrpl", "http://127.0.0.1:1", "--from", 8, "--to", 9)
    done = fillproof("rebuild", *usual, "--nats", "nats://127.0.0.1:1", *options)
    assert done.returncode == status
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
