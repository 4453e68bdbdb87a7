"""A managed database: Debian's PostgreSQL, an owner who is no superuser, and its provider's settings."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import asyncpg
import pytest
from audit_tables import VIEWS, fetch, store, verified
from fillproof_command import run_with
from packaged_postgres import PASSWORD, packaged_postgres
from sample_events import mixed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaged_postgres import PackagedPostgres

pytestmark = pytest.mark.stack

EVENTS = mixed(16)
ROLES = ("audit_writer", "grafana_reader", "fillproof_operator")
LIMITS = "SELECT unnest(rolconfig) FROM pg_roles WHERE rolname = 'grafana_reader'"


@pytest.fixture(scope="module")
def server() -> Iterator[PackagedPostgres]:
    settings = (
        "timezone=Pacific/Auckland",
        "datestyle=SQL,DMY",
        "default_transaction_isolation=serializable",
    )
    with packaged_postgres(settings=settings, initdb=("-E", "UTF8", "--locale=C.UTF-8")) as running:
        yield running


@pytest.fixture
def roles(server: PackagedPostgres) -> Iterator[None]:
    """Leave no role of ours behind: they belong to all databases of the server."""
    yield
    for database in ("able", "unable"):
        server.run_as_superuser(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
    for role in (*ROLES, "able", "unable"):
        server.run_as_superuser(f"DROP ROLE IF EXISTS {role}")


def prepare(server: PackagedPostgres, owner: str) -> tuple[int, str]:
    """Run the step as a deployment does; return its status and what it says."""
    settings = {
        "FILLPROOF_OWNER_DATABASE_URL": server.url(owner, owner),
        "FILLPROOF_DATABASE_URL": server.url("audit_writer", owner),
        "FILLPROOF_GRAFANA_READER_PASSWORD": PASSWORD,
    }
    ended = run_with(settings, [sys.executable, "-m", "audit_writer.prepare"])
    return ended.returncode, ended.stderr


async def assert_it_works(server: PackagedPostgres, database: str) -> None:
    """Store, verify, and read every view as the dashboards do."""
    assert await store(server.url("audit_writer", database), EVENTS[:8], EVENTS[8:]) == len(EVENTS)
    report = await verified(server.url(database, database))
    assert (report.findings, report.counts.events) == ([], len(EVENTS))
    for (view,) in await fetch(server.url(database, database), VIEWS):
        await fetch(server.url("grafana_reader", database), f"SELECT * FROM {view}")  # noqa: S608 - ours


@pytest.mark.usefixtures("roles")
async def test_an_owner_who_may_make_roles_prepares_it_and_is_told_what_takes_a_superuser(
    server: PackagedPostgres,
) -> None:
    server.create_database("able", owner_rights="CREATEROLE")
    status, said = prepare(server, "able")
    assert (status, "grafana_reader may fill the disk" in said, "large objects" in said) == (0, True, True), (
        said
    )
    await assert_it_works(server, "able")
    # what the provider can grant, and what is done with it
    server.run_as_superuser("ALTER ROLE grafana_reader SET temp_file_limit = '256MB'")
    limits = {row[0] for row in await fetch(server.url("able", "able"), LIMITS)}
    assert "temp_file_limit=256MB" in limits
    assert prepare(server, "able")[0] == 0


@pytest.mark.usefixtures("roles")
async def test_an_owner_who_may_make_no_roles_uses_those_that_the_provider_made(
    server: PackagedPostgres,
) -> None:
    server.create_database("unable", owner_rights="NOCREATEROLE")
    status, said = prepare(server, "unable")
    assert (status, "permission denied to create role" in said) == (1, True), said
    for role in ROLES:
        server.run_as_superuser(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'")
    status, said = prepare(server, "unable")
    assert (status, "the password of audit_writer was not set" in said) == (0, True), said
    await assert_it_works(server, "unable")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await fetch(server.url("grafana_reader", "unable"), "SELECT * FROM order_event")
