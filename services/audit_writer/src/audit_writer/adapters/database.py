"""The audit tables in PostgreSQL. The role may insert, and read the chain's digests."""

from collections.abc import Sequence
from importlib.resources import files
from types import TracebackType
from typing import Self

import asyncpg

from audit_writer.ports import ChainLink, Rows, RowsRefused, StoreUnavailable

CONNECT_SECONDS = 5.0
STATEMENT_SECONDS = 20.0
CONNECTIONS = 8
"""Two write what is new, two what is given again, two proofs; one checks readiness, one reads the chain."""

FAULTS_OF_THE_ROWS = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
)
OUTAGES = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
"""Everything else that the server or the connection says: also a full disk, a table not migrated yet, a
connection that was cut between two steps of a statement (InternalClientError).
"""


INSERT_BATCH = files("audit_writer.adapters").joinpath("sql/insert_batch.sql").read_text()
INSERT_PROOFS = files("audit_writer.adapters").joinpath("sql/insert_proofs.sql").read_text()

LINKS = "SELECT position, previous, digest FROM batch_digest WHERE position > $1 ORDER BY position LIMIT $2"
ACTS = "SELECT act FROM batch_digest WHERE act IS NOT NULL ORDER BY position DESC"


class PostgresStore:
    """A store; an async context manager that closes its connections. It opens none before they are needed."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool: asyncpg.Pool | None = None

    async def __aenter__(self) -> Self:
        self._pool = await asyncpg.create_pool(
            self._url,
            min_size=0,
            max_size=CONNECTIONS,
            timeout=CONNECT_SECONDS,
            command_timeout=STATEMENT_SECONDS,
            reset=_as_it_is,
            server_settings={"application_name": "fillproof-audit-writer", "timezone": "UTC"},
        )
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._opened.terminate()

    async def write(self, rows: Rows) -> int:
        """Write all tables in one transaction; see :class:`audit_writer.ports.Store`."""
        return await self._insert(
            INSERT_BATCH, _array(rows.events), _array(rows.fills), _array(rows.anomalies)
        )

    async def write_proofs(self, proofs: Sequence[str]) -> int:
        """Write proofs in one transaction; see :class:`audit_writer.ports.ProofStore`."""
        return await self._insert(INSERT_PROOFS, _array(proofs))

    async def _insert(self, statement: str, *arrays: str) -> int:
        try:
            async with self._opened.acquire(timeout=CONNECT_SECONDS) as connection:
                new = await connection.fetchval(statement, *arrays)
        except FAULTS_OF_THE_ROWS as error:
            raise RowsRefused(f"PostgreSQL refuses it: {error}") from error
        except OUTAGES as error:
            raise StoreUnavailable(str(error) or repr(error)) from error
        return int(new)

    async def links(self, after: int, count: int) -> Sequence[ChainLink]:
        """Return at most so many rows of the chain after a position."""
        rows = await self._fetch(LINKS, after, count)
        return [ChainLink(position=row[0], previous=row[1], digest=row[2]) for row in rows]

    async def acts(self) -> Sequence[str]:
        """Return the signed acts in the chain, the newest first."""
        return [row[0] for row in await self._fetch(ACTS)]

    async def end_reader_sessions(self) -> int:
        """End sessions of the reader that hold others up."""
        return sum(row[0] for row in await self._fetch("SELECT public.end_reader_sessions()"))

    async def check(self) -> str | None:
        """Answer None if the tables can be reached, else what is wrong."""
        async with self._opened.acquire(timeout=CONNECT_SECONDS) as connection:
            found = await connection.fetchval("SELECT to_regclass('order_event') IS NOT NULL")
        return None if found else "the table order_event does not exist: run the migrations"

    async def _fetch(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        try:
            async with self._opened.acquire(timeout=CONNECT_SECONDS) as connection:
                return await connection.fetch(statement, *arguments)
        except OUTAGES as error:
            raise StoreUnavailable(str(error) or repr(error)) from error

    @property
    def _opened(self) -> asyncpg.Pool:
        if self._pool is None:
            raise RuntimeError("the store is used before it was entered")
        return self._pool


async def _as_it_is(connection: asyncpg.Connection) -> None:
    """Give a connection back without a question to the server: nothing here leaves traces in a session."""


def _array(payloads: Sequence[str]) -> str:
    return f"[{','.join(payloads)}]"
