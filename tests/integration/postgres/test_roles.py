"""Who may do what, held against roles that try to break out: the writer only adds, the reader only reads."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import asyncpg
import pytest
from audit_tables import broken, fetch, store
from sample_events import mixed

from audit_writer.prepare import make_desk

if TYPE_CHECKING:
    from conftest import Dsn

    from local_stack import LocalStack, Role

pytestmark = pytest.mark.stack

TABLES = ("order_event", "fill", "reconciler_anomaly_log")
# fmt: off
KEPT = (
    "order_event_default", "event_name", "batch_digest", "chain_head", "unproven_anomaly",
    "anomaly_acknowledgement", "book_finding", "mended_letter",
)
# fmt: on
"""What only the owner reaches: a partition, and what proves the rows."""
# fmt: off
VIEWS = tuple(f"dashboard.{name}" for name in (
    "open_anomaly", "order_fill", "order_state", "chain_head", "event", "order_end", "disappearance",
    "answered_anomaly", "anomaly", "session_fill", "balance_drift", "halt", "history_gap", "database_size",
    "book_finding",
))
# fmt: on
INSERT = (
    "INSERT INTO reconciler_anomaly_log (event_id, detected_at, account, sequence, market, side, remaining,"
)
INSERT += (
    " removal_reason, action_taken) VALUES (gen_random_uuid(), now(), 'rX', 1, 'm', 'SELL', 1, 'r', 'none')"
)
DENIED = "InsufficientPrivilegeError"
UNCHANGEABLE = "ObjectNotInPrerequisiteStateError"
"""Of a view that PostgreSQL could not write through for anybody."""
READERS = 20

BREAKOUTS = (
    "SET ROLE owner",
    "SET ROLE postgres",
    "SET SESSION AUTHORIZATION owner",
    "SET session_replication_role = replica",
    "ALTER TABLE order_event DISABLE TRIGGER chain_batch",
    "CREATE TABLE public.more (number integer)",
    "CREATE VIEW dashboard.more AS SELECT 1",
    "CREATE SCHEMA more",
    "CREATE TEMPORARY TABLE more (number integer)",
    "CREATE FUNCTION public.more() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "CREATE EXTENSION file_fdw",
    "COPY (SELECT 1) TO PROGRAM 'cat'",
    "COPY (SELECT 1) TO '/nowhere/more'",
    "SELECT pg_read_file('postgresql.conf')",
    "SELECT pg_ls_dir('.')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT rolpassword FROM pg_authid",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'owner'",
    "SELECT ensure_partitions(1)",
    "SELECT drop_months('{2020-01}', 'act')",
    "SELECT due_months(1)",
    "SELECT append_link(NULL, NULL)",
    "SELECT append_act('act')",
    "ALTER SYSTEM SET fsync = off",
    "ALTER ROLE CURRENT_USER CONNECTION LIMIT 1000",
    "ALTER ROLE CURRENT_USER CREATEROLE",
    "CREATE ROLE more",
    "DROP VIEW dashboard.order_state",
    *(
        f"{change} {table}{rest}"
        for table in (*TABLES, *KEPT)
        for change, rest in (("TRUNCATE", ""), ("DELETE FROM", ""), ("DROP TABLE", ""))
    ),
    *(f"UPDATE {table} SET account = 'rY'" for table in TABLES),  # noqa: S608 - ours
    *(f"SELECT * FROM {table}" for table in (*TABLES, *KEPT)),  # noqa: S608 - ours
    *(f"SELECT 1; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE" for table in KEPT),
    "UPDATE batch_digest SET digest = ''",
    "UPDATE chain_head SET position = 0",
    "INSERT INTO anomaly_acknowledgement (event_id, acknowledged_by, note) VALUES ('a', 'b', 'c')",
    "INSERT INTO batch_digest VALUES (1, '', '', 1, 1, '{}', '{}', '{}', NULL, NULL)",
    "INSERT INTO order_event_default SELECT FROM generate_series(1, 1)",
)
"""What neither role may do; in transactions that may write."""


async def refusal(url: str, *statements: str) -> list[str]:
    """Return the error class of each statement, each on its own."""
    connection = await asyncpg.connect(url)
    answers = []
    for statement in statements:
        try:
            await connection.execute(statement)
        except asyncpg.PostgresError as error:
            answers.append(type(error).__name__)
        else:
            answers.append("done")
    await connection.close()
    return answers


@pytest.fixture
def own_dsn(stack: LocalStack, empty_postgres_dsn: Dsn) -> Dsn:
    """Give a database that was migrated itself: what a database forbids is not copied with a template."""
    stack.migrate(empty_postgres_dsn().rpartition("/")[2])
    return empty_postgres_dsn


@pytest.mark.parametrize("role", ["audit_writer", "grafana_reader", "metrics_reader"])
async def test_no_role_breaks_out(own_dsn: Dsn, role: Role) -> None:
    await store(own_dsn("audit_writer"), mixed(20))
    owner = await asyncpg.connect(own_dsn())  # a session that somebody may want to end
    answers = await refusal(own_dsn(role), "SET default_transaction_read_only = off", *BREAKOUTS)
    await owner.close()
    broken_out = [
        (statement, answer)
        for statement, answer in zip(BREAKOUTS, answers[1:], strict=True)
        if answer not in {DENIED, "InvalidParameterValueError"}
    ]
    assert broken_out == []
    assert await fetch(own_dsn(), "SELECT count(*) FROM order_event") == [(20,)]
    assert await broken(own_dsn()) == []


async def test_the_exporter_s_role_sees_the_servers_statistics_and_nothing_of_ours(postgres_dsn: Dsn) -> None:
    reader = postgres_dsn("metrics_reader")
    size = "SELECT pg_database_size(datname) > 0 FROM pg_stat_database WHERE datname = current_database()"
    assert await fetch(reader, size) == [(True,)]
    limits = "SELECT rolconnlimit, rolconfig FROM pg_roles WHERE rolname = 'metrics_reader'"
    assert await fetch(reader, limits) == [(3, ["default_transaction_read_only=on", "statement_timeout=5s"])]
    assert await refusal(reader, "SELECT * FROM dashboard.open_anomaly") == [DENIED]


async def test_the_operators_login_sees_anomalies_and_nothing_else_of_ours(postgres_dsn: Dsn) -> None:
    owner = postgres_dsn()
    await make_desk(owner, "seen-to")
    desk = owner.replace(owner.split("//")[1].split("@")[0], "desk:seen-to")
    assert await fetch(desk, "SELECT count(*) FROM dashboard.anomaly") == [(0,)]
    beyond = ("SELECT * FROM order_event", "DELETE FROM anomaly_acknowledgement")
    assert await refusal(desk, *beyond) == [DENIED] * 2


async def test_the_writer_adds_but_gets_nothing_back(postgres_dsn: Dsn) -> None:
    statements = (
        INSERT,
        f"{INSERT} ON CONFLICT DO NOTHING",
        f"{INSERT} RETURNING event_id",
        f"{INSERT} ON CONFLICT (event_id) DO UPDATE SET account = 'rY'",
        "SELECT * FROM dashboard.open_anomaly",
    )
    assert await refusal(postgres_dsn("audit_writer"), *statements) == ["done", "done", *[DENIED] * 3]


async def test_the_reader_sees_the_views_and_cannot_write_even_where_it_asks_to(postgres_dsn: Dsn) -> None:
    reader = postgres_dsn("grafana_reader")
    seen = await refusal(reader, *(f"SELECT * FROM {view}" for view in VIEWS))  # noqa: S608 - ours
    assert seen == ["done"] * len(VIEWS)
    writes = (INSERT, *(f"DELETE FROM {view}" for view in VIEWS))  # noqa: S608 - ours
    asked = await refusal(reader, INSERT, "SET default_transaction_read_only = off", *writes)
    assert asked[:3] == ["ReadOnlySQLTransactionError", "done", DENIED]
    assert set(asked[3:]) <= {DENIED, UNCHANGEABLE}


@pytest.mark.parametrize(
    ("role", "setting", "value"),
    [
        ("grafana_reader", "statement_timeout", "15s"),
        ("grafana_reader", "idle_in_transaction_session_timeout", "1min"),
        ("grafana_reader", "default_transaction_read_only", "on"),
        ("audit_writer", "default_transaction_read_only", "off"),
    ],
)
async def test_a_role_starts_with_its_limits(postgres_dsn: Dsn, role: Role, setting: str, value: str) -> None:
    assert await fetch(postgres_dsn(role), "SELECT current_setting($1)", setting) == [(value,)]


async def test_a_statement_of_the_readers_that_takes_too_long_is_ended(postgres_dsn: Dsn) -> None:
    """The timeout is its own to change, as any role's is; the number of its connections is not."""
    connection = await asyncpg.connect(
        postgres_dsn("grafana_reader"), server_settings={"statement_timeout": "50ms"}
    )
    with pytest.raises(asyncpg.QueryCanceledError, match="statement timeout"):
        await connection.execute("SELECT count(*) FROM generate_series(1, 1000000000)")
    await connection.close()


async def test_the_reader_can_not_fill_the_disk_with_what_it_sorts(
    postgres_dsn: Dsn, stack: LocalStack
) -> None:
    limits = "SELECT 'temp_file_limit=256MB' = ANY (rolconfig) FROM pg_roles WHERE rolname = 'grafana_reader'"
    assert await fetch(postgres_dsn(), limits) == [(True,)]
    name = postgres_dsn().rpartition("/")[2]
    smaller = f"ALTER ROLE grafana_reader IN DATABASE \"{name}\" SET temp_file_limit = '1MB'"
    stack._postgres.run_sql(smaller)  # noqa: SLF001 - reached sooner than 256 MB
    sort = "SELECT number FROM generate_series(1, 300000) AS number ORDER BY -number OFFSET 299999"
    lifted = ("SET temp_file_limit = -1", "RESET temp_file_limit", sort)
    assert await refusal(postgres_dsn("grafana_reader"), "SET work_mem = '64kB'", *lifted) == [
        "done", DENIED, DENIED, "ConfigurationLimitExceededError",
    ]  # fmt: skip


async def test_the_reader_has_only_so_many_connections(postgres_dsn: Dsn) -> None:
    async with contextlib.AsyncExitStack() as opened:
        for _ in range(READERS):
            connection = await asyncpg.connect(postgres_dsn("grafana_reader"))
            opened.push_async_callback(connection.close)
        with pytest.raises(asyncpg.TooManyConnectionsError, match="too many connections for role"):
            await asyncpg.connect(postgres_dsn("grafana_reader"))


async def test_a_reader_that_holds_every_lock_it_can_stops_no_writer(postgres_dsn: Dsn) -> None:
    connection = await asyncpg.connect(postgres_dsn("grafana_reader"))
    async with connection.transaction():
        for view in VIEWS:
            await connection.fetch(f"SELECT * FROM {view}")  # noqa: S608 - ours
        assert await store(postgres_dsn("audit_writer"), mixed(20)) == 20
    await connection.close()
