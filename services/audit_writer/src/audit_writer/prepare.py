"""The one-shot step before the services start: `python -m audit_writer.prepare` (schema, months, passwords).

Running it again changes nothing but the roles' passwords, which become what the settings say. Needs
Alembic: `fillproof-audit-writer[migrate]`.
"""

import asyncio
import importlib.util
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import asyncpg

from audit_writer import maintain
from audit_writer.settings import PreparationSettings
from service_kit import load_settings
from service_kit.database_access import DatabaseAccess

MIGRATIONS = Path(__file__).with_name("migrations")
METRICS_READER = """
DO $$
BEGIN
    IF to_regrole('metrics_reader') IS NULL THEN
        CREATE ROLE metrics_reader CONNECTION LIMIT 3;
        ALTER ROLE metrics_reader SET default_transaction_read_only = on;
        ALTER ROLE metrics_reader SET statement_timeout = '5s';
    END IF;
END
$$
"""
"""A PostgreSQL exporter's role: it sees the server's statistics that every role sees, and nothing of ours."""

DESK = """
DO $$
BEGIN
    IF to_regrole('desk') IS NULL THEN
        CREATE ROLE desk CONNECTION LIMIT 10;
    END IF;
    GRANT fillproof_operator TO desk;
END
$$
"""
"""The operators' login of a deployment: a member of fillproof_operator, and nothing more."""


def main() -> int:
    """Return the exit status; what went wrong is on standard error."""
    if importlib.util.find_spec("alembic") is None:
        sys.stderr.write("preparing the database needs Alembic: install fillproof-audit-writer[migrate]\n")
        return maintain.FAILED
    settings = load_settings(PreparationSettings)
    owner = settings.owner_database_url.get_secret_value()
    writer = urlsplit(settings.database_url.get_secret_value()).password or ""
    passwords = {
        "audit_writer": unquote(writer),
        "grafana_reader": settings.grafana_reader_password.get_secret_value(),
    }
    try:
        migrate(owner)
        if settings.metrics_reader_password:
            asyncio.run(_execute(owner, METRICS_READER))
            passwords["metrics_reader"] = settings.metrics_reader_password.get_secret_value()
        asyncio.run(set_passwords(owner, passwords))
        if settings.desk_password:
            asyncio.run(make_desk(owner, settings.desk_password.get_secret_value()))
    except maintain.OUTAGES as error:
        said = load_settings(DatabaseAccess).explained(error)
        sys.stderr.write(
            f"expected a database that its owner can prepare, found: {said}; mend that and run it again\n"
        )
        return maintain.FAILED
    return maintain.main()


def migrate(owner: str) -> None:
    """Bring the database at the owner's address to the newest schema."""
    from alembic import command  # noqa: PLC0415 - an extra: the writer itself runs without
    from alembic.config import Config  # noqa: PLC0415

    configuration = Config()
    configuration.attributes["database_url"] = owner
    configuration.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    command.upgrade(configuration, "head")


async def make_desk(owner: str, password: str) -> None:
    """Make the operators' login, where it is missing, with that password."""
    await _execute(owner, DESK)
    await set_passwords(owner, {"desk": password})


async def _execute(owner: str, statement: str) -> None:
    connection = await asyncpg.connect(owner, ssl=load_settings(DatabaseAccess).tls())
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def set_passwords(owner: str, passwords: dict[str, str]) -> None:
    """Let the roles log in, each with its password; `ALTER ROLE` takes no parameters."""
    connection = await asyncpg.connect(owner, ssl=load_settings(DatabaseAccess).tls(), statement_cache_size=0)
    try:
        for role, password in passwords.items():
            try:
                await _set_password(connection, role, password)
            except asyncpg.InsufficientPrivilegeError as error:
                # a managed database, whose roles its provider makes
                sys.stderr.write(f"the password of {role} was not set: {error}; set it as a role that may\n")
    finally:
        await connection.close()


async def _set_password(connection: asyncpg.Connection, role: str, password: str) -> None:
    async with connection.transaction():
        statement = await connection.fetchval(
            "SELECT format('ALTER ROLE %I LOGIN PASSWORD %L', $1::text, $2::text)", role, password
        )
        await connection.execute(statement)


if __name__ == "__main__":
    sys.exit(main())
