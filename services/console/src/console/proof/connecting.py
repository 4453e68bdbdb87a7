"""Connections to the audit database, and what is said where there is none."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg

from audit_log import EPOCH, Moment, microseconds
from console.errors import BadOption
from service_kit import load_settings
from service_kit.database_access import DatabaseAccess

CONNECT_SECONDS = 5.0


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
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, ValueError) as error:
        raise BadOption(
            "expected a database at postgresql://owner:password@host:port/database, found: "
            f"{type(error).__name__}: {without_password(str(error), database)}"
        ) from error


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
