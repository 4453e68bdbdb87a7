"""Connections to the audit database, and what is said where there is none."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import urlsplit

import asyncpg

from audit_log import EPOCH, Moment, microseconds
from console.errors import BadOption
from service_kit import load_settings, reason_of
from service_kit.database_access import DatabaseAccess

CONNECT_SECONDS = 5.0
_PORT = 5432
NO_DATABASE = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    OSError,
    TimeoutError,
    ValueError,
    OverflowError,
)
"""What connecting raises; a bad address is a ValueError, a port beyond 65535 an OverflowError."""


async def open_connection(database: str, *, application: str = "fillproof") -> asyncpg.Connection:
    """Return a connection; TLS as the settings say (:class:`service_kit.database_access.DatabaseAccess`).

    Raises:
        ConnectionError: the server or this process is not let in by TLS; the text names the files.
        asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, ValueError: as asyncpg does.

    """
    access = load_settings(DatabaseAccess)
    try:
        return await asyncpg.connect(
            database,
            ssl=access.tls(),
            timeout=CONNECT_SECONDS,
            server_settings={"timezone": "UTC", "datestyle": "ISO", "application_name": application},
        )
    except (asyncpg.PostgresError, OSError) as error:
        said = access.explained(error)
        if said == str(error):
            raise
        raise ConnectionError(said) from error


@asynccontextmanager
async def connected(database: str) -> AsyncIterator[asyncpg.Connection]:
    """Give a connection as the owner, and say what is wrong in the words of the command.

    Raises:
        BadOption: nobody answers at that address, or the role may not do what is done with the connection.

    """
    try:
        connection = await open_connection(database)
        try:
            # a row may have a time that Python's calendar does not have
            await connection.set_type_codec(
                "timestamptz", schema="pg_catalog", format="tuple", encoder=_encoded, decoder=_decoded
            )
            yield connection
        finally:
            await connection.close()
    except (
        asyncpg.InsufficientPrivilegeError,
        asyncpg.UndefinedTableError,
        asyncpg.UndefinedColumnError,
        asyncpg.UndefinedFunctionError,
    ) as error:
        raise BadOption(f"expected the owner of migrated audit tables, found: {error}") from error
    except BadOption:  # a ValueError itself, as what a bad address is
        raise
    except NO_DATABASE as error:
        raise no_database(error, database, role="owner") from error


def no_database(error: Exception, url: str, *, role: str) -> BadOption:
    """Say why there is no connection to the database, as `role`, in one line without the password."""
    expected = f"expected a database at postgresql://{role}:password@host:port/database"
    where = _address(url)
    if where is None:
        return BadOption(f"{expected}, found no such URL; correct it")
    said = without_password(reason_of(error), url)
    return BadOption(f"{expected}, found at {where}: {said}; start it or correct the URL")


def _address(url: str) -> str | None:
    """Return host and port of a URL of PostgreSQL, which may be left out; None: it is no such URL."""
    try:
        parts = urlsplit(url)
        servers = parts.netloc.rpartition("@")[2]
        if "," in servers:  # a primary and its standby
            return servers
        port = parts.port or _PORT
    except ValueError:
        return None
    if parts.scheme not in {"postgresql", "postgres"}:
        return None
    return f"{parts.hostname or 'localhost'}:{port}"


def _encoded(moment: Moment) -> tuple[int]:
    return (microseconds(moment),)


def _decoded(since_2000: tuple[int]) -> Moment:
    try:
        return EPOCH + timedelta(microseconds=since_2000[0])
    except OverflowError:
        return since_2000[0]


def without_password(text: str, database: str) -> str:
    """Return what a driver says, less the password that it may quote from the address."""
    _, _, rest = database.partition("://")
    user, _, _ = rest.rpartition("@")
    _, _, password = user.partition(":")
    return text.replace(password, "***") if password else text
