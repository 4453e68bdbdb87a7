"""The services as users of the bus: each can do its work, and nothing that is another's."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import nats
import nats.errors
import pytest
from audit_tables import verified
from bus_users import SESSION
from conftest import Dsn
from following import environment, until_followed
from guarded_bus import GuardedBus
from nats.aio.client import Client
from replaying import serving
from signed_log import KEYS, ORIGIN
from waiting import until, until_found

from audit_log import write_signing_key
from console.announce import announce
from console.errors import BadOption
from console.proof.chain import Trust
from console.proof.checkpoint_sources import read_checkpoints
from local_stack import LocalStack
from replay_node.pace import Pace

pytestmark = pytest.mark.stack

MAY_NOT_PUBLISH = {
    "reconciler": (
        "engine.order.submitted",
        "dlq.audit-writer",
        "dlq.engine",
        "$JS.API.STREAM.MSG.GET.PROOFS",
        "$JS.API.STREAM.PURGE.PROOFS",
        "audit.redeliver.order.filled.r",
        "audit.checkpoint",
        "$JS.ACK.ORDERS.audit-writer.1.1.1.1.1",
        "$JS.API.CONSUMER.CREATE.ORDERS.spy.>",
        "$JS.API.CONSUMER.MSG.NEXT.ORDERS.audit-writer",
        "$JS.API.STREAM.MSG.GET.DLQ",
        "$JS.API.STREAM.DELETE.KV_reconciler",
        "$JS.API.STREAM.UPDATE.ORDERS",
    ),
    "audit_writer": (
        "order.filled.r",
        "proof.1",
        "$JS.API.STREAM.PURGE.PROOFS",
        "engine.order.submitted",
        "$KV.reconciler.0.r.account",
        "$JS.API.STREAM.MSG.GET.KV_reconciler",
        "$JS.API.DIRECT.GET.KV_reconciler.$KV.reconciler.0.r.account",
        "$JS.API.CONSUMER.CREATE.KV_reconciler.spy.>",
        "$JS.API.CONSUMER.DELETE.ORDERS.audit-writer",
        "$JS.API.STREAM.PURGE.ORDERS",
    ),
}
MAY_NOT_READ = {
    "reconciler": ("order.>", "engine.>", "_INBOX.>", "_INBOX_audit_writer.>", "$JS.EVENT.>", ">"),
    "audit_writer": ("order.>", "$KV.>", "_INBOX.>", "_INBOX_reconciler.>", ">"),
}


@contextlib.asynccontextmanager
async def complaints(bus: GuardedBus, user: str) -> AsyncIterator[tuple[Client, list[str]]]:
    """Give a user's connection and what the server has refused it."""
    refused: list[str] = []

    async def note(error: Exception) -> None:
        refused.append(str(error))

    client = await nats.connect(bus.url(user), inbox_prefix=f"_INBOX_{user}", error_cb=note)
    try:
        yield client, refused
    finally:
        await client.close()


@pytest.mark.parametrize("user", MAY_NOT_PUBLISH)
async def test_a_user_can_not_publish_what_is_not_its_own(bus: GuardedBus, user: str) -> None:
    async with complaints(bus, user) as (client, refused):
        for subject in MAY_NOT_PUBLISH[user]:
            refused.clear()
            await client.publish(subject, b"{}")
            await client.flush()
            await until_refused(refused, subject)


@pytest.mark.parametrize("user", MAY_NOT_READ)
async def test_a_user_can_not_read_what_is_not_its_own(bus: GuardedBus, user: str) -> None:
    async with complaints(bus, user) as (client, refused):
        for subject in MAY_NOT_READ[user]:
            refused.clear()
            await client.subscribe(subject)
            await client.flush()
            await until_refused(refused, subject)


async def test_nobody_without_a_password_gets_in(bus: GuardedBus) -> None:
    reader, writer = await asyncio.open_connection(*bus.address)
    writer.write(b"CONNECT {}\r\nPING\r\n")
    said = await reader.read()  # until the server closes
    writer.close()
    assert b"Authorization Violation" in said
    assert b"PONG" not in said


async def test_the_services_and_an_engine_do_their_work_as_their_users(
    stack: LocalStack, postgres_dsn: Dsn, bus: GuardedBus, operator: Client, tmp_path: Path
) -> None:
    before = len(bus.violations())
    await announce(SESSION, bus.url("engine"))
    writer = stack.spawn(
        "audit_writer",
        name="writer-as-user",
        env={
            "FILLPROOF_NATS_URL": bus.url("audit_writer"),
            "FILLPROOF_DATABASE_URL": postgres_dsn("audit_writer"),
            "FILLPROOF_CHECKPOINT_SIGNING_KEY": write_signing_key(ORIGIN, b"l" * 32),
            "FILLPROOF_CHECKPOINT_SECONDS": "1",
            "FILLPROOF_CHECKPOINT_DIRECTORY": str(tmp_path),
        },
        log_path=tmp_path / "writer.log",
    )
    async with serving(SESSION.name, pace=Pace(on_read=True)) as node:
        reconciler = stack.spawn(
            "reconciler",
            name="reconciler-as-user",
            env=environment(bus.url("reconciler"), node.url, SESSION),
            log_path=tmp_path / "reconciler.log",
        )
        await until_followed(operator, SESSION)
        told = (await operator.jetstream().stream_info("ORDERS")).state.messages
        await until_found(lambda: all_stored(postgres_dsn("owner"), told))
        assert reconciler.stop() == 0
    owner = postgres_dsn("owner")
    for source in (bus.url("operator"), str(tmp_path)):
        await until_found(lambda source=source: all_signed(owner, source))
    assert writer.stop() == 0
    assert bus.violations()[before:] == []


async def until_refused(refused: list[str], subject: str) -> None:
    """Wait for the server's word, which may come after its answer to a flush."""
    with contextlib.suppress(TimeoutError):
        await until(lambda: bool(refused))
    assert any("permissions violation" in text.lower() for text in refused), subject


async def all_stored(dsn: str, expected: int) -> bool:
    connection = await asyncpg.connect(dsn)
    try:
        return bool(await connection.fetchval("SELECT count(*) = $1 FROM order_event", expected))
    finally:
        await connection.close()


async def all_signed(dsn: str, source: str) -> bool:
    """Whether checkpoints cover all that is stored, and all of them hold."""
    try:
        notes = await read_checkpoints([source], KEYS)
    except BadOption:
        return False  # there is none yet
    report = await verified(dsn, trust=Trust(notes=notes, keys=KEYS))
    assert report.findings == []
    return (report.checkpoints, report.uncovered) == (len(notes), 0)
