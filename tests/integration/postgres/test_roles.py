"""Who may do what: the writer only adds, the reader only reads the dashboard's views."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
import pytest

if TYPE_CHECKING:
    from conftest import Dsn

    from local_stack import Role

pytestmark = pytest.mark.stack

TABLES = ("order_event", "fill", "reconciler_anomaly_log")
VIEWS = ("dashboard.open_anomaly", "dashboard.order_fill", "dashboard.order_state")
INSERT = (
    "INSERT INTO reconciler_anomaly_log (event_id, detected_at, account, sequence, market, side, remaining,"
)
INSERT += (
    " removal_reason, action_taken) VALUES (gen_random_uuid(), now(), 'rX', 1, 'm', 'SELL', 1, 'r', 'none')"
)


async def refusal(url: str, *statements: str) -> list[str]:
    """Return the error class of each statement."""
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


@pytest.mark.parametrize("table", TABLES)
async def test_the_writer_can_neither_read_nor_change_nor_remove(postgres_dsn: Dsn, table: str) -> None:
    statements = (
        f"SELECT * FROM {table}",  # noqa: S608 - the table's name is ours
        f"UPDATE {table} SET account = 'rY'",  # noqa: S608
        f"DELETE FROM {table}",  # noqa: S608
        f"TRUNCATE {table}",
        f"ALTER TABLE {table} ADD COLUMN more text",
        f"DROP TABLE {table}",
    )
    assert await refusal(postgres_dsn("audit_writer"), *statements) == ["InsufficientPrivilegeError"] * 6


async def test_the_writer_adds_but_gets_nothing_back(postgres_dsn: Dsn) -> None:
    statements = (
        INSERT,
        f"{INSERT} ON CONFLICT DO NOTHING",
        f"{INSERT} RETURNING event_id",
        f"{INSERT} ON CONFLICT (event_id) DO UPDATE SET account = 'rY'",
        "SELECT * FROM dashboard.open_anomaly",
        "CREATE TABLE more (number integer)",
    )
    refused = ["InsufficientPrivilegeError"] * 4
    assert await refusal(postgres_dsn("audit_writer"), *statements) == ["done", "done", *refused]


async def test_the_reader_sees_the_views_and_nothing_else(postgres_dsn: Dsn) -> None:
    reader = postgres_dsn("grafana_reader")
    seen = await refusal(reader, *(f"SELECT * FROM {view}" for view in VIEWS))  # noqa: S608 - ours
    assert seen == ["done"] * len(VIEWS)
    hidden = await refusal(reader, *(f"SELECT * FROM {table}" for table in TABLES))  # noqa: S608 - ours
    assert hidden == ["InsufficientPrivilegeError"] * len(TABLES)


async def test_the_reader_cannot_write_even_where_it_asks_to(postgres_dsn: Dsn) -> None:
    asked = await refusal(
        postgres_dsn("grafana_reader"),
        INSERT,
        "SET default_transaction_read_only = off",
        INSERT,
        "CREATE TABLE dashboard.more (number integer)",
    )
    assert asked == [
        "ReadOnlySQLTransactionError",
        "done",
        "InsufficientPrivilegeError",
        "InsufficientPrivilegeError",
    ]


@pytest.mark.parametrize(
    ("role", "setting", "value"),
    [
        ("grafana_reader", "statement_timeout", "15s"),
        ("grafana_reader", "default_transaction_read_only", "on"),
        ("audit_writer", "default_transaction_read_only", "off"),
    ],
)
async def test_a_role_has_its_limits(postgres_dsn: Dsn, role: Role, setting: str, value: str) -> None:
    connection = await asyncpg.connect(postgres_dsn(role))
    assert await connection.fetchval("SELECT current_setting($1)", setting) == value
    await connection.close()
