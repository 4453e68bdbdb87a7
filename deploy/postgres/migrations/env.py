"""Bring one database to the newest schema; several may run at once, the others wait and find nothing to do.

Everything happens in one transaction: a migration that fails leaves the database as it was.
"""

import asyncio
import os

from alembic import context
from alembic.util import CommandError
from sqlalchemy import Connection, pool, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import create_async_engine

ENCODING = "UTF8"
VERSION_TABLE = "fillproof_schema_version"
"""Not `alembic_version`: the engine may keep its own migrations in the same database."""
LOCK = 0x66_69_6C_6C
"""The advisory lock that migrations hold: `fill` in ASCII."""


def database_url() -> URL:
    """Return DATABASE_URL for the asyncpg driver.

    Raises:
        CommandError: it is missing or not a PostgreSQL address.

    """
    found = os.environ.get("DATABASE_URL", "")
    try:
        url = make_url(found)
    except ArgumentError:
        url = None
    if url is None or url.get_backend_name() != "postgresql":
        raise CommandError(
            "DATABASE_URL: expected postgresql://role:password@host:port/database of the schema's owner, "
            f"found {'nothing' if not found else 'something else'}: set it in the environment"
        )
    return url.set(drivername="postgresql+asyncpg")


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


async def connect_and_migrate() -> None:
    """Connect as the schema's owner and migrate."""
    engine = create_async_engine(database_url(), poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(migrate)


asyncio.run(connect_and_migrate())
