"""A database that lost its newest batches, or a page: what is found, and what an operator's act changes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from audit_tables import execute, fetch, rows, store, verified
from fillproof_command import fillproof
from sample_events import event, mixed
from signed_log import KEYS, LOG_KEY, checkpoint_of

from audit_log import write_signing_key
from audit_writer.adapters.database import DAMAGE_SECONDS, PostgresStore
from audit_writer.ports import StoreUnavailable
from console.proof.chain import Head, Trust
from local_stack.errors import StackError

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Dsn

    from local_stack import LocalStack

pytestmark = pytest.mark.stack

EVENTS = mixed(12)
LATER = [event("order.canceled", number) for number in range(20, 24)]
RESTORED = """
    DELETE FROM order_event WHERE event_id IN (SELECT unnest(event_ids) FROM batch_digest WHERE position = 3);
    DELETE FROM fill WHERE event_id NOT IN (SELECT event_id FROM order_event);
    DELETE FROM reconciler_anomaly_log WHERE event_id NOT IN (SELECT event_id FROM order_event);
    DELETE FROM batch_digest WHERE position = 3;
    UPDATE chain_head SET (position, digest) =
        (SELECT position, digest FROM batch_digest ORDER BY position DESC LIMIT 1);
"""
"""The database is as it was before the third batch."""


async def digests(dsn: str) -> list[bytes]:
    rows = await fetch(dsn, "SELECT digest FROM batch_digest ORDER BY position")
    return [bytes(row[0]) for row in rows]  # type: ignore[call-overload]


async def test_a_signed_failover_excuses_the_lost_tail_and_nothing_else(
    postgres_dsn: Dsn, tmp_path: Path
) -> None:
    owner, writer = postgres_dsn(), postgres_dsn("audit_writer")
    await store(writer, EVENTS[:4], EVENTS[4:8], EVENTS[8:])
    before = await digests(owner)
    made = [checkpoint_of(before[:size], datetime.now(UTC) - timedelta(hours=1)) for size in (1, 2, 3)]
    noted = Head(3, before[2])
    trust = Trust(heads=[noted], notes={one.signed_by(LOG_KEY): one for one in made}, keys=KEYS)
    await execute(owner, RESTORED)
    await store(writer, LATER)
    found = (await verified(owner, trust=trust)).findings
    assert {(str(one.what), one.batch) for one in found} == {("changed", 3)}

    for one in made:
        (tmp_path / f"{one.position}.checkpoint").write_text(one.signed_by(LOG_KEY))
    (tmp_path / "keys").write_text("\n".join(map(str, KEYS)))
    (tmp_path / "mia").write_text(write_signing_key("mia", b"o" * 32))
    arguments = (
        *("failover", "--database", owner, "--checkpoints", str(tmp_path), "--keys", str(tmp_path / "keys")),
        *("--operator-key", str(tmp_path / "mia"), "--reason", "the standby was promoted"),
    )
    done = await asyncio.to_thread(fillproof, *arguments)
    said = "signed by mia: batches after 2 up to 3 are lost. Now: fillproof refill\n"
    assert (done.returncode, done.stdout) == (0, said)
    report = await verified(owner, trust=trust)
    assert (report.findings, report.checkpoints, report.lost_checkpoints) == ([], 2, 1)
    # a second time there is nothing to sign
    done = await asyncio.to_thread(fillproof, *arguments)
    assert (done.returncode, "found none: all hold" in done.stderr) == (2, True)

    newer = checkpoint_of(await digests(owner), datetime.now(UTC) + timedelta(minutes=1))
    trust = Trust(heads=[noted], notes={**trust.notes, newer.signed_by(LOG_KEY): newer}, keys=KEYS)
    assert (await verified(owner, trust=trust)).findings == []
    await execute(owner, "UPDATE order_event SET status = 'OTHER' WHERE sequence = 2")
    assert len((await verified(owner, trust=trust)).findings) == 1


async def test_a_session_on_a_server_that_only_reads_is_left(postgres_dsn: Dsn, stack: LocalStack) -> None:
    """As after a failover: the old primary is a standby, and the same address leads to a new one."""
    name = postgres_dsn().rpartition("/")[2]
    async with PostgresStore(postgres_dsn("audit_writer")) as tables:
        assert await tables.check() is None
        only_reads = f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'
        stack._postgres.run_sql(only_reads)  # noqa: SLF001 - from another database
        await tables._opened.expire_connections()  # noqa: SLF001 - a session of the server that only reads
        assert "read-only transaction" in (await tables.check() or "")
        stack._postgres.run_sql(only_reads.replace("= on", "= off"))  # noqa: SLF001
        assert await tables.check() is None


async def test_a_pooler_may_give_each_transaction_another_session(postgres_dsn: Dsn) -> None:
    async with PostgresStore(postgres_dsn("audit_writer"), pooled=True) as tables:
        assert await tables.write(rows(EVENTS)) == len(EVENTS)
        async with tables._opened.acquire() as connection:  # noqa: SLF001 - what a session still has
            left = await connection.fetchval("SELECT count(*) FROM pg_prepared_statements WHERE name <> ''")
    assert left == 0


async def test_a_damaged_page_is_a_finding_and_not_an_outage(postgres_dsn: Dsn, stack: LocalStack) -> None:
    await store(postgres_dsn("audit_writer"), EVENTS)
    [(file,)] = await fetch(postgres_dsn(), "SELECT pg_relation_filepath('fill')")
    stack.stop_postgres()
    [page] = stack.log_dir.parent.glob(f"**/{file}")
    with page.open("r+b") as opened:
        opened.seek(4_000)
        opened.write(b"damaged by a disk" * 20)
    stack.start_postgres()
    report = await verified(postgres_dsn())
    assert [(str(one.what), "runbook DatabaseDamaged" in one.detail) for one in report.findings] == [
        ("damaged", True)
    ]
    password = postgres_dsn().partition("://owner:")[2].partition("@")[0]
    done = await asyncio.to_thread(fillproof, "verify", "--database", postgres_dsn())
    assert (done.returncode, password in done.stdout + done.stderr) == (1, False)
    now = 0.0
    async with PostgresStore(postgres_dsn("audit_writer"), clock=lambda: now) as tables:
        with pytest.raises(StoreUnavailable, match="a page of the database is damaged"):
            await tables.write(rows([event("order.filled", 99)]))
        assert await tables.write(rows([event("order.accepted", 98)])) == 1, "this meets no damaged page"
        assert (tables.damaged, "runbook DatabaseDamaged" in (await tables.check() or "")) == (True, True)
        now += DAMAGE_SECONDS
        assert (tables.damaged, await tables.check()) == (False, None), "as after a repair"


async def test_a_password_with_other_signs_is_in_no_message(postgres_dsn: Dsn) -> None:
    address = postgres_dsn().replace("://owner:", "://owner:s3cr3t@word:")
    done = await asyncio.to_thread(fillproof, "verify", "--database", address)
    assert (done.returncode, "s3cr3t" in done.stdout + done.stderr) == (2, False)


async def test_a_database_that_holds_not_every_text_is_refused(stack: LocalStack, migrated: str) -> None:  # noqa: ARG001 - makes the roles
    stack._postgres.run_sql(  # noqa: SLF001 - a database as no step of ours makes one
        "CREATE DATABASE latin OWNER owner ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0"
        " LOCALE_PROVIDER libc"
    )
    try:
        with pytest.raises(StackError, match="expected a database with encoding UTF8, found LATIN1"):
            stack.migrate("latin")
    finally:
        stack.drop_database("latin")
