"""Migrations on every database that may be there: empty, made by hand, migrated already, right now."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from audit_tables import broken, execute, fetch, rows, verified
from sample_events import ANOMALY, event, mixed

from audit_writer.adapters.database import PostgresStore
from audit_writer.ports import Rows, RowsRefused, StoreUnavailable
from order_events import encode

if TYPE_CHECKING:
    from conftest import Dsn

pytestmark = pytest.mark.stack

ROOT = Path(__file__).parents[3]
CHIP = (ROOT / "grafana/queries/open_anomaly_count.sql").read_text()

THIRTEEN = {
    "event_id": "uuid",
    "detected_at": "timestamp with time zone",
    "session_id": "text",
    "account": "text",
    "sequence": "bigint",
    "market": "text",
    "side": "text",
    "price": "numeric",
    "remaining": "numeric",
    "removal_reason": "text",
    "action_taken": "text",
    "mid_price": "numeric",
    "distance_bps": "numeric",
}
HANDMADE = """
CREATE TABLE reconciler_anomaly_log (
    event_id text {key}, detected_at timestamp, session_id varchar(64), account varchar(40), sequence integer,
    market text, side text, price double precision, remaining double precision, removal_reason text,
    action_taken text, mid_price double precision, distance_bps double precision
);
INSERT INTO reconciler_anomaly_log (event_id, account, sequence)
SELECT 'row-' || number, 'rX', number FROM generate_series(1, 3) AS number;
"""


TAKES_A_SUPERUSER = "every role may make large objects"
"""What the migrations warn of here, where the owner is none."""


async def alembic(url: str, revision: str = "head") -> tuple[int | None, str]:
    command = ("-m", "alembic", "-c", str(ROOT / "deploy/postgres/alembic.ini"), "upgrade", revision)
    migration = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        env=os.environ | {"DATABASE_URL": url},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await migration.communicate()
    lines = output.decode().splitlines(keepends=True)
    return migration.returncode, "".join(line for line in lines if not line.startswith(TAKES_A_SUPERUSER))


def anomalies(count: int) -> Rows:
    texts = tuple(encode(event(ANOMALY, sequence)).decode() for sequence in range(count))
    return Rows(events=texts, fills=(), anomalies=texts)


async def test_several_migrations_at_once_leave_one_schema(empty_postgres_dsn: Dsn) -> None:
    results = await asyncio.gather(*(alembic(empty_postgres_dsn()) for _ in range(3)))
    assert [status for status, _ in results] == [0, 0, 0], results
    assert await alembic(empty_postgres_dsn()) == (0, "")
    assert await fetch(empty_postgres_dsn(), "SELECT version_num FROM fillproof_schema_version") == [
        ("0016",)
    ]


async def test_the_anomaly_log_has_its_thirteen_columns_and_indexes(postgres_dsn: Dsn) -> None:
    columns = await fetch(
        postgres_dsn(),
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_name = 'reconciler_anomaly_log' ORDER BY ordinal_position",
    )
    assert columns == list(THIRTEEN.items())
    indexes = await fetch(
        postgres_dsn(), "SELECT indexdef FROM pg_indexes WHERE tablename = 'reconciler_anomaly_log'"
    )
    definitions = " ".join(str(definition) for (definition,) in indexes)
    assert all(f"btree ({name})" in definitions for name in ("event_id", "session_id", "action_taken"))


@pytest.mark.parametrize("key", ["", "PRIMARY KEY"])
async def test_an_anomaly_log_made_by_hand_keeps_every_row_and_is_written_once(
    empty_postgres_dsn: Dsn, migrated: str, key: str
) -> None:
    assert migrated, "the roles exist"
    owner = empty_postgres_dsn()
    await execute(owner, HANDMADE.format(key=key))
    before = await fetch(owner, "SELECT * FROM reconciler_anomaly_log ORDER BY event_id")
    assert await fetch(owner, CHIP) == [(3,)]
    status, told = await alembic(owner)
    assert status == 0, told
    assert "reconciler_anomaly_log.event_id stays text" in told
    assert await fetch(owner, "SELECT * FROM reconciler_anomaly_log ORDER BY event_id") == before
    async with PostgresStore(empty_postgres_dsn("audit_writer")) as store:
        assert await store.write(anomalies(2)) == 2
        assert await store.write(anomalies(2)) == 0
    assert await fetch(owner, CHIP) == [(5,)]


async def test_a_table_with_only_some_of_the_columns_is_given_the_others(empty_postgres_dsn: Dsn) -> None:
    owner = empty_postgres_dsn()
    await execute(owner, "CREATE TABLE reconciler_anomaly_log (event_id uuid, account text)")
    assert await alembic(owner) == (0, "")
    names = await fetch(
        owner,
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'reconciler_anomaly_log'",
    )
    assert {name for (name,) in names} == set(THIRTEEN)


@pytest.mark.parametrize("url", ["", "mysql://there/database"])
async def test_a_migration_without_a_usable_address_says_what_it_expected(url: str) -> None:
    status, output = await alembic(url)
    assert status != 0
    assert "DATABASE_URL: expected postgresql://role:password@host:port/database" in output
    assert "Traceback" not in output


@pytest.mark.parametrize("count", [0, 1, 3])
async def test_the_chip_counts_the_anomalies(postgres_dsn: Dsn, count: int) -> None:
    if count:
        async with PostgresStore(postgres_dsn("audit_writer")) as store:
            await store.write(anomalies(count))
    assert await fetch(postgres_dsn(), CHIP) == [(count,)]
    assert await fetch(postgres_dsn("grafana_reader"), CHIP) == [(count,)]


async def test_the_chip_counts_0_on_a_database_without_the_table(empty_postgres_dsn: Dsn) -> None:
    assert await fetch(empty_postgres_dsn(), CHIP) == [(0,)]


async def test_a_store_without_tables_is_an_outage_that_says_what_to_do(
    empty_postgres_dsn: Dsn, migrated: str
) -> None:
    assert migrated, "the roles exist"
    async with PostgresStore(empty_postgres_dsn("audit_writer")) as store:
        assert await store.check() == "the tables do not exist: run the migrations"
        with pytest.raises(StoreUnavailable, match="does not exist"):
            await store.write(anomalies(1))


async def test_a_refused_row_leaves_nothing_of_its_batch(postgres_dsn: Dsn) -> None:
    good = anomalies(2)
    bad = encode(event("order.canceled", 3, account="r\0")).decode()
    async with PostgresStore(postgres_dsn("audit_writer")) as store:
        with pytest.raises(RowsRefused, match="PostgreSQL refuses it"):
            await store.write(Rows(events=(*good.events, bad), fills=(), anomalies=good.anomalies))
    assert await fetch(postgres_dsn(), "SELECT count(*) FROM order_event") == [(0,)]


async def test_text_that_no_view_could_show_is_refused_and_what_only_looks_like_it_is_not(
    postgres_dsn: Dsn,
) -> None:
    zero, backslash = event("order.canceled", 1, market="a\0/b"), event("order.canceled", 2, market="\\u0000")
    async with PostgresStore(postgres_dsn("audit_writer")) as store:
        with pytest.raises(RowsRefused, match="unsupported Unicode escape sequence"):
            await store.write(rows([zero]))
        assert await store.write(rows([backslash])) == 1
    assert await fetch(postgres_dsn("grafana_reader"), "SELECT market FROM dashboard.order_state") == [
        ("\\u0000",)
    ]


FOREIGN_TYPES = """
CREATE TABLE reconciler_anomaly_log (
    event_id text, detected_at timestamp, session_id varchar(64), account varchar(40), sequence integer,
    market text, side text, price double precision, remaining double precision, removal_reason text,
    action_taken text, mid_price double precision, distance_bps double precision
);
INSERT INTO reconciler_anomaly_log
SELECT gen_random_uuid(), '2026-01-02 03:04:05', 's', 'rX', number, 'm', 'SELL', 0.1, 12345.678901234567,
    'CANCELED', 'held', 1e-9, -0.30000000000000004
FROM generate_series(1, 3) AS number;
"""


async def catalog(owner: str) -> list[tuple[object, ...]]:
    """Return everything that a schema is made of; months are left out, which come with rows."""
    return await fetch(owner, Path(__file__).with_name("catalog.sql").read_text())


@pytest.mark.parametrize("start", ["made by hand", "with foreign types", "0001 with rows"])
async def test_whatever_was_there_the_schema_is_that_of_an_empty_database(
    postgres_dsn: Dsn, empty_postgres_dsn: Dsn, start: str
) -> None:
    owner = empty_postgres_dsn()
    if start == "made by hand":
        columns = ", ".join(f"{name} {kind}" for name, kind in THIRTEEN.items())
        await execute(owner, f"CREATE TABLE reconciler_anomaly_log ({columns})")
    elif start == "with foreign types":
        await execute(owner, FOREIGN_TYPES)
    else:
        assert await alembic(owner, "0001") == (0, "")
        async with PostgresStore(empty_postgres_dsn("audit_writer")) as store:
            await store.write(rows(mixed(20)))
    status, output = await alembic(owner)
    assert (status, output) == (0, "")
    expected = await catalog(postgres_dsn())
    assert len(expected) > 100
    assert await catalog(owner) == expected


async def test_every_row_of_the_first_schema_is_kept_and_proven(empty_postgres_dsn: Dsn) -> None:
    owner = empty_postgres_dsn()
    await alembic(owner, "0001")
    events = mixed(500)
    async with PostgresStore(empty_postgres_dsn("audit_writer")) as store:
        await store.write(rows(events))
        everything = [
            f"SELECT to_jsonb({table}) FROM {table} ORDER BY event_id"  # noqa: S608 - ours
            for table in ("order_event", "fill", "reconciler_anomaly_log")
        ]
        before = [await fetch(owner, query) for query in everything]
        assert await alembic(owner) == (0, "")
        assert [await fetch(owner, query) for query in everything] == before
        # a writer that ran meanwhile goes on with the connection that it has
        assert await store.write(rows([*events, event("order.canceled", 9_999)])) == 1
    report = await verified(owner)
    assert (report.findings, report.counts.events, report.counts.unproven) == ([], 501, 0)


async def test_values_of_foreign_types_lose_no_digit(empty_postgres_dsn: Dsn) -> None:
    owner = empty_postgres_dsn()
    await execute(owner, FOREIGN_TYPES)
    assert await alembic(owner) == (0, "")
    [values] = await fetch(
        owner,
        "SELECT DISTINCT detected_at, price::text, remaining::text, mid_price::text, distance_bps::text"
        " FROM reconciler_anomaly_log",
    )
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert values == (moment, "0.1", "12345.678901234567", "0.000000001", "-0.30000000000000004")
    report = await verified(owner)
    assert (report.findings, report.counts.unproven) == ([], 3)


async def test_a_migration_that_runs_while_events_arrive_loses_none(empty_postgres_dsn: Dsn) -> None:
    owner = empty_postgres_dsn()
    await alembic(owner, "0001")
    events = mixed(600)
    async with PostgresStore(empty_postgres_dsn("audit_writer")) as store:
        migration = asyncio.create_task(alembic(owner))
        new = 0
        at = 0
        while at < len(events) or not migration.done():
            new += await store.write(rows(events[at : at + 5]))
            at += 5
            await asyncio.sleep(0)
    assert (new, await migration) == (600, (0, ""))
    assert await broken(owner) == []
