"""Each test has a migrated database of its own, with the roles that migrations make."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
import pytest

from local_stack import ChildFailed, LocalStack, Role, StackError

if TYPE_CHECKING:
    from conftest import Dsn

pytestmark = pytest.mark.stack


async def fetch(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


@pytest.mark.parametrize("role", ["owner", "audit_writer", "grafana_reader", "metrics_reader"])
async def test_every_role_can_connect_with_its_password(role: Role, postgres_dsn: Dsn) -> None:
    assert await fetch(postgres_dsn(role), "SELECT current_user") == role


@pytest.mark.parametrize("_time", ["first", "second"])
async def test_what_a_test_writes_is_not_seen_by_the_next(_time: str, postgres_dsn: Dsn) -> None:
    await fetch(postgres_dsn(), "CREATE TABLE only_mine ()")
    assert await fetch(postgres_dsn(), "SELECT count(*) FROM reconciler_anomaly_log") == 0


async def test_migrating_again_changes_nothing(stack: LocalStack, postgres_dsn: Dsn) -> None:
    columns = (
        "SELECT string_agg(column_name, ' ' ORDER BY table_name, column_name) FROM information_schema.columns"
    )
    before = await fetch(postgres_dsn(), columns)
    stack.migrate(postgres_dsn().rpartition("/")[2])
    assert await fetch(postgres_dsn(), columns) == before


async def test_an_empty_database_has_no_table(empty_postgres_dsn: Dsn) -> None:
    assert await fetch(empty_postgres_dsn(), "SELECT to_regclass('reconciler_anomaly_log')") is None


def test_a_migration_that_fails_is_reported_with_its_reason(stack: LocalStack) -> None:
    with pytest.raises(ChildFailed, match=r'(?s)the migration ended .* "no_such_database" does not exist'):
        stack.migrate("no_such_database")


def test_a_database_that_exists_is_not_made_again(stack: LocalStack) -> None:
    with pytest.raises(StackError, match=r'PostgreSQL refused: .*database "fillproof" already exists'):
        stack.create_database("fillproof")
