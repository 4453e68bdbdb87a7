"""Bring one database to the newest schema; several may run at once, the others wait and find nothing to do.

Everything happens in one transaction: a migration that fails leaves the database as it was.
"""

import asyncio
import os
import sys
from typing import Any
from urllib.parse import urlsplit

import asyncpg
from alembic import context
from alembic.util import CommandError
from sqlalchemy import Connection, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

from service_kit import load_settings
from service_kit.database_access import DatabaseAccess

ENCODING = "UTF8"
VERSION_TABLE = "fillproof_schema_version"
"""Not `alembic_version`: the engine may keep its own migrations in the same database."""
RAISED = "01000"
"""The SQLSTATE of a warning that a migration itself gives."""
LOCK = 0x66_69_6C_6C
"""The advisory lock that migrations hold: `fill` in ASCII."""


def database_url() -> str:
    """Return the owner's address: of the configuration's attribute `database_url`, else DATABASE_URL.

    Raises:
        CommandError: it is missing or not a PostgreSQL address.

    """
    found: str = context.config.attributes.get("database_url") or os.environ.get("DATABASE_URL", "")
    if urlsplit(found).scheme not in {"postgresql", "postgres"}:
        raise CommandError(
            "DATABASE_URL: expected postgresql://role:password@host:port/database of the schema's owner, "
            f"found {'nothing' if not found else 'something else'}: set it in the environment"
        )
    return found


def migrate(connection: Connection) -> None:
    """Run the missing migrations under the lock, which ends with the transaction.

    Raises:
        CommandError: the database can't hold every text.

    """
    context.configure(connection=connection, version_table=VERSION_TABLE)
    with context.begin_transaction():
        encoding = connection.scalar(text("SHOW server_encoding"))
        if encoding != ENCODING:
            raise CommandError(
                f"expected a database with encoding {ENCODING}, found {encoding}, which has no place for "
                "every text of an event: CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0"
            )
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        context.run_migrations()


def tell(_: object, message: asyncpg.PostgresLogMessage) -> None:
    """Say on standard error what a migration warns of: what it could not do with the owner's rights."""
    if message.sqlstate == RAISED:
        sys.stderr.write(f"{message.message}\n")


async def connect_and_migrate() -> None:
    """Connect as the schema's owner and migrate."""
    url, tls = database_url(), load_settings(DatabaseAccess).tls()

    async def connect(**options: Any) -> asyncpg.Connection:  # noqa: ANN401 - SQLAlchemy's own
        # the address as asyncpg reads it: several hosts, sslmode, target_session_attrs
        connection: asyncpg.Connection = await asyncpg.connect(url, ssl=tls, **options)
        connection.add_log_listener(tell)
        return connection

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(migrate)


asyncio.run(connect_and_migrate())
