"""The audit tables in PostgreSQL. The role may insert, and read the chain's digests."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from importlib.metadata import version
from importlib.resources import files
from itertools import groupby
from types import TracebackType
from typing import Self

import asyncpg
import msgspec
from asyncpg.pool import PoolConnectionProxy

from audit_writer.ports import (
    ChainLink,
    MissingMessages,
    Rows,
    RowsRefused,
    StoreUnavailable,
    StreamState,
    Taken,
)
from service_kit.database_access import DatabaseAccess

APPLICATION = f"fillproof-audit-writer/{version('fillproof-audit-writer')}"
"""How the sessions are named in PostgreSQL: `fillproof doctor` reads which version writes."""
CONNECT_SECONDS = 5.0
STATEMENT_SECONDS = 20.0
CONNECTIONS = 8
"""Two write what is new, two what is given again, two proofs; one checks readiness, one reads the chain."""

FAULTS_OF_THE_ROWS = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
)
DAMAGE = (asyncpg.DataCorruptedError, asyncpg.IndexCorruptedError)
DAMAGE_SECONDS = 60.0
"""So long damage is reported after a statement has met it.

Other statements, which meet no damaged page, go on meanwhile; the one that met it is tried again within half
a minute.
"""
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


def _sql(name: str) -> str:
    return files("audit_writer.adapters").joinpath(f"sql/{name}.sql").read_text()


COUNT_NEW = "SELECT count(*) FROM new_event"
INSERT_BATCH = _sql("insert_batch") + COUNT_NEW
"""Of events that came in no stream whose messages are counted."""
INSERT_BATCH_OF_STREAM = _sql("insert_batch") + _sql("insert_range") + COUNT_NEW
INSERT_PROOFS = files("audit_writer.adapters").joinpath("sql/insert_proofs.sql").read_text()

LINKS = "SELECT position, previous, digest FROM batch_digest WHERE position > $1 ORDER BY position LIMIT $2"
ACTS = "SELECT act FROM batch_digest WHERE act IS NOT NULL ORDER BY position DESC"

WATCH = """
    SELECT first_sequence, last_sequence, first_ledger, last_ledger FROM public.watch_stream($1, $2, $3, $4)
"""
NOTHING = ("[]",) * 4


class PostgresStore:
    """A store; an async context manager that closes its connections. It opens none before they are needed."""

    def __init__(
        self,
        url: str,
        *,
        pooled: bool = False,
        access: DatabaseAccess | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Know the address.

        Args:
            url: of the database, with role and password.
            pooled: a pooler gives each transaction another session.
            access: how to connect over TLS.
            clock: seconds that never go back.

        """
        self._url = url
        self._access = access or DatabaseAccess.model_construct()
        self._pooled = pooled
        self._clock = clock
        self._damage: str | None = None
        """What PostgreSQL said of the last damaged page that a statement met; None: none has met one."""
        self._damage_met = 0.0
        self._pool: asyncpg.Pool | None = None

    async def __aenter__(self) -> Self:
        self._pool = await asyncpg.create_pool(
            self._url,
            min_size=0,
            max_size=CONNECTIONS,
            timeout=CONNECT_SECONDS,
            command_timeout=STATEMENT_SECONDS,
            reset=_as_it_is,
            ssl=self._access.tls(),
            # a pooler's sessions do not have what another one has prepared
            statement_cache_size=0 if self._pooled else 100,
            server_settings={"application_name": APPLICATION, "timezone": "UTC"},
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
        arrays = (_array(rows.events), _array(rows.fills), _array(rows.anomalies))
        if not rows.taken:
            return await self._insert(INSERT_BATCH, *arrays)
        return await self._insert(INSERT_BATCH_OF_STREAM, *arrays, _ranges(rows.taken))

    async def write_proofs(self, proofs: Sequence[str]) -> int:
        """Write proofs in one transaction; see :class:`audit_writer.ports.ProofStore`."""
        return await self._insert(INSERT_PROOFS, _array(proofs))

    async def _insert(self, statement: str, *arrays: str) -> int:
        try:
            async with self._opened.acquire(timeout=CONNECT_SECONDS) as connection:
                return await self._run(connection, statement, *arrays)
        except FAULTS_OF_THE_ROWS as error:
            raise RowsRefused(f"PostgreSQL refuses it: {error}") from error
        except OUTAGES as error:
            raise await self._away(error) from error

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

    async def watch(self, state: StreamState) -> Sequence[MissingMessages]:
        """Take what a stream is now, and return what is missing of it."""
        rows = await self._fetch(
            WATCH,
            state.stream,
            datetime.fromisoformat(state.identity),
            state.acknowledged,
            state.last_sequence,
        )
        return [MissingMessages(**row) for row in rows]

    async def check(self) -> str | None:
        """Answer None if a batch could be written now, else what is wrong.

        An empty batch is written as a full one is: a server that only reads refuses it.
        """
        try:
            async with (
                asyncio.timeout(CONNECT_SECONDS),
                self._opened.acquire(timeout=CONNECT_SECONDS) as connection,
            ):
                await self._run(connection, INSERT_BATCH_OF_STREAM, *NOTHING)
        except asyncpg.UndefinedTableError:
            return "the tables do not exist: run the migrations"
        except OUTAGES as error:
            return str(await self._away(error))
        return self._damage if self.damaged else None

    @property
    def damaged(self) -> bool:
        """Whether a statement met a damaged page in the last minute."""
        return self._damage is not None and self._clock() - self._damage_met < DAMAGE_SECONDS

    async def _run(self, connection: PoolConnectionProxy, statement: str, *arrays: str) -> int:
        if not self._pooled:
            return int(await connection.fetchval(statement, *arrays))
        # what is prepared and what is run must meet the same server
        async with connection.transaction():
            return int(await connection.fetchval(statement, *arrays))

    async def _away(self, error: BaseException) -> StoreUnavailable:
        """Say why the store can't be used; connect anew, as a session may be on a server that was left."""
        await self._opened.expire_connections()
        said = self._access.explained(error)
        if isinstance(error, DAMAGE):
            self._damage_met = self._clock()
            said = self._damage = f"a page of the database is damaged (runbook DatabaseDamaged): {said}"
        return StoreUnavailable(said)

    async def _fetch(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        try:
            async with self._opened.acquire(timeout=CONNECT_SECONDS) as connection, connection.transaction():
                return await connection.fetch(statement, *arguments)
        except OUTAGES as error:
            raise await self._away(error) from error

    @property
    def _opened(self) -> asyncpg.Pool:
        if self._pool is None:
            raise RuntimeError("the store is used before it was entered")
        return self._pool


async def _as_it_is(connection: asyncpg.Connection) -> None:
    """Give a connection back without a question to the server: nothing here leaves traces in a session."""


def _ranges(taken: Sequence[Taken]) -> str:
    return msgspec.json.encode(
        [
            {
                "stream": one.stream,
                "identity": one.identity,
                "sequences": f"{{{','.join(_pieces(one.sequences))}}}",
                "first_ledger": one.first_ledger,
                "last_ledger": one.last_ledger,
            }
            for one in taken
        ]
    ).decode()


def _pieces(sequences: Sequence[int]) -> Iterator[str]:
    """Yield ascending numbers as ranges."""
    # numbers that follow each other differ by as much as their places do
    for _, piece in groupby(enumerate(sequences), key=lambda one: one[1] - one[0]):
        numbers = [number for _, number in piece]
        yield f"[{numbers[0]},{numbers[-1]}]"


def _array(payloads: Sequence[str]) -> str:
    return f"[{','.join(payloads)}]"
