"""PgBouncer in transaction mode between everything of ours and PostgreSQL."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import asyncpg
import pytest
from audit_tables import VIEWS, rows, verified
from packaged_postgres import run_as
from running_command import running
from sample_events import mixed
from waiting import until_found, wait_until

from audit_writer.adapters.database import PostgresStore
from audit_writer.maintain import maintain
from audit_writer.ports import StreamState
from audit_writer.prepare import migrate
from audit_writer.settings import MaintenanceSettings
from console.proof.connecting import connected
from local_stack.account import postgres_account
from local_stack.ports import LOOPBACK, any_free

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Dsn

    from local_stack import LocalStack

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(
        shutil.which("pgbouncer") is None,
        reason="no PgBouncer: apt-get install pgbouncer (tests/ops/tools.sh)",
    ),
]

ROLES = ("owner", "audit_writer", "grafana_reader")
CONFIGURATION = """
[databases]
* = host={host} port={server}
[pgbouncer]
listen_addr = {host}
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {place}/users
pool_mode = transaction
default_pool_size = 3
server_login_retry = 1
"""
"""As Debian ships it, but for the pool mode and the pause after a refused login (15 s)."""


@pytest.fixture(scope="module")
def through(stack: LocalStack, migrated: str) -> Iterator[Callable[[str], str]]:  # noqa: ARG001 - makes the roles
    """Give the address that leads through PgBouncer, for one that leads to the server."""
    place, port = Path(tempfile.mkdtemp(prefix="pgbouncer-")), any_free()
    addresses = {role: urlsplit(stack.postgres_dsn(role)) for role in ROLES}
    users = "".join(f'"{role}" "{address.password}"\n' for role, address in addresses.items())
    (place / "users").write_text(users)
    server = addresses["owner"].port
    (place / "ini").write_text(CONFIGURATION.format(host=LOOPBACK, port=port, server=server, place=place))
    account = postgres_account()
    for path in (place, *place.iterdir()):
        if account is not None:
            account.own(path)
    with (
        (place / "log").open("w") as log,
        running(
            [str(shutil.which("pgbouncer")), place / "ini"],
            stdout=log.fileno(),
            stderr=log,
            **run_as(account),
        ) as bouncer,
    ):
        wait_until(
            lambda: bouncer.poll() is not None or "process up" in (place / "log").read_text(),
            "PgBouncer runs",
        )
        assert bouncer.poll() is None, (place / "log").read_text()
        yield lambda dsn: dsn.replace(f":{server}/", f":{port}/")
    shutil.rmtree(place)


async def test_the_writer_stores_and_looks_through_a_pooler(
    postgres_dsn: Dsn, through: Callable[[str], str]
) -> None:
    events = mixed(40)
    async with PostgresStore(through(postgres_dsn("audit_writer")), pooled=True) as tables:
        # more at once than the pooler has sessions: each transaction gets another one
        written = await asyncio.gather(
            *(tables.write(rows(events[first : first + 5])) for first in range(0, 40, 5)),
            *(tables.check() for _ in range(5)),
        )
        assert written == [5] * 8 + [None] * 5
        assert len(await tables.links(0, 100)) == 8
        state = StreamState(
            stream="ORDERS", identity="2026-11-29T18:00:00+00:00", acknowledged=0, last_sequence=0
        )
        assert (await tables.watch(state), await tables.acts(), await tables.end_reader_sessions()) == (
            [],
            [],
            0,
        )
    report = await verified(through(postgres_dsn()))
    assert (report.findings, report.counts.events) == ([], 40)
    assert report == await verified(postgres_dsn())


async def test_a_pooler_is_used_again_after_its_server_was_away(
    postgres_dsn: Dsn, through: Callable[[str], str], stack: LocalStack
) -> None:
    async with PostgresStore(through(postgres_dsn("audit_writer")), pooled=True) as tables:
        await tables.write(rows(mixed(1)))
        stack.stop_postgres()
        assert await tables.check() is not None
        stack.start_postgres()

        async def is_back() -> bool:
            return await tables.check() is None

        await until_found(is_back)
        assert await tables.write(rows(mixed(2))) == 1


async def test_migrations_the_monthly_step_and_the_views_work_through_a_pooler(
    empty_postgres_dsn: Dsn, through: Callable[[str], str]
) -> None:
    owner = through(empty_postgres_dsn())
    for _ in range(2):  # what the first leaves in the pooler's sessions must not meet the second
        await asyncio.to_thread(migrate, owner)
    made, _ = await maintain(MaintenanceSettings.model_validate({"owner_database_url": owner}))
    assert made
    async with PostgresStore(through(empty_postgres_dsn("audit_writer")), pooled=True) as tables:
        await tables.write(rows(mixed(8)))
    async with connected(owner) as connection:
        views = await connection.fetch(VIEWS)
    reader = await asyncpg.connect(through(empty_postgres_dsn("grafana_reader")), statement_cache_size=0)
    for (view,) in views:
        async with reader.transaction():
            await reader.fetch(f"SELECT * FROM {view}")  # noqa: S608 - the database's own names
    await reader.close()
