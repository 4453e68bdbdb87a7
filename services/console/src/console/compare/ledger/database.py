"""What the audit database says of orders: its read-only views, in one snapshot."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from sys import intern

import asyncpg
import msgspec

from console.compare.ledger.record import Coverage, LedgerFill, LedgerOrder, Market, Moment, Reading, Watch
from console.errors import BadOption
from console.proof.connecting import NO_DATABASE, no_database, open_connection
from offer_lifecycle import units
from order_events import Amount, OrderStatus, RemovalReason, Side

_SQL = Path(__file__).parent / "sql"
_STATEMENT_SECONDS = 120
"""The reader's own limit is 15 s, which is for panels."""
_ROWS = 1_000
"""Fetched at a time."""
_OWN_END = frozenset({RemovalReason.CANCELED, RemovalReason.REPLACED})

Key = tuple[str, int]


class AuditDatabase:
    """The orders of the audit database, as its reader may see them."""

    knows_markets = False

    def __init__(self, url: str) -> None:
        """`url`: of a role that may read the views of `dashboard`, as grafana_reader."""
        self._url = url

    def accounts(self) -> Iterable[str]:
        """Return the accounts of which the database has an order."""
        return asyncio.run(self._accounts())

    def read(self, accounts: Sequence[str], first: int | None, last: int | None, watch: Watch) -> Reading:
        """Read the accounts' orders in one snapshot, as they stood after ledger `last`."""
        return asyncio.run(self._read(accounts, first, last, watch))

    def market(self, order: LedgerOrder, ledger_index: int) -> Market | None:
        """Return nothing: the database has the market of disappearances alone, which stands in the orders."""
        del order, ledger_index
        return None

    async def _accounts(self) -> list[str]:
        connection = await self._connect()
        try:
            return [row["account"] for row in await connection.fetch(_sql("accounts"))]
        finally:
            await connection.close()

    async def _read(
        self, accounts: Sequence[str], first: int | None, last: int | None, watch: Watch
    ) -> Reading:
        connection = await self._connect()
        try:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                await connection.execute(f"SET LOCAL statement_timeout = '{_STATEMENT_SECONDS}s'")
                return await _Snapshot(connection, accounts, first, last, watch).reading()
        except (asyncpg.InsufficientPrivilegeError, asyncpg.UndefinedTableError) as error:
            raise BadOption(
                f"expected the views of migrated audit tables, and a role that may read them, found: {error}"
            ) from error
        except asyncpg.PostgresError as error:
            raise BadOption(f"expected the audit database to answer, found: {error}") from error
        finally:
            await connection.close()

    async def _connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        try:
            return await open_connection(self._url, application="fillproof compare")
        except NO_DATABASE as error:
            raise no_database(error, self._url, role="reader") from error


class _Snapshot:
    """One reading, within one transaction."""

    def __init__(
        self,
        connection: "asyncpg.Connection[asyncpg.Record]",
        accounts: Sequence[str],
        first: int | None,
        last: int | None,
        watch: Watch,
    ) -> None:
        self._connection = connection
        self._accounts = list(accounts)
        self._first = first
        self._last = last
        self._watch = watch
        self._moments: dict[int, Moment] = {}

    async def reading(self) -> Reading:
        coverage = await self._coverage()
        times = {covered.account: covered.last.time for covered in coverage}
        fills, placed = await self._fills()
        async for row in self._rows("placements"):
            placed[_key(row)] = intern(row["transaction_hash"]), self._moment(row)
        distances = {_key(row): row["distance_bps"] async for row in self._rows("distances")}
        expired = {_key(row): row["occurred_at"] async for row in self._rows("expirations")}
        orders: list[LedgerOrder] = []
        async for row in self._rows("orders"):
            key = _key(row)
            at = self._moment(row) if row["ledger_index"] is not None else None
            order = _order(row, at, placed.pop(key, None), fills.pop(key, ()), distances.get(key))
            if (as_of := _as_of(order, self._last, expired.get(key), times[order.account])) is not None:
                orders.append(as_of)
        return Reading(source="the audit database", orders=orders, coverage=coverage, explain=())

    async def _coverage(self) -> list[Coverage]:
        gaps: dict[str, list[tuple[int, int]]] = defaultdict(list)
        async for row in self._rows("gaps"):
            gaps[row["account"]].append((row["first_ledger"], row["last_ledger"]))
        found = {row["account"]: row async for row in self._rows("coverage", self._last)}
        if missing := [account for account in self._accounts if account not in found]:
            raise BadOption(
                f"expected accounts that the audit database has orders of, found {', '.join(missing)}: "
                "is the account right, and the database?"
            )
        return [
            _covered(found[account], gaps[account], self._first, self._last) for account in self._accounts
        ]

    async def _fills(self) -> tuple[dict[Key, tuple[LedgerFill, ...]], dict[Key, tuple[str, Moment]]]:
        """Return the fills by order, and the placements of those that traded in their own transaction."""
        fills: dict[Key, tuple[LedgerFill, ...]] = {}
        placed: dict[Key, tuple[str, Moment]] = {}
        async for row in self._rows("fills"):
            key = _key(row)
            fills[key] = (*fills.get(key, ()), _fill(row, self._moment(row)))
            if row["liquidity_side"] == "TAKER":
                placed.setdefault(key, (row["transaction_hash"], self._moment(row)))
        return fills, placed

    def _moment(self, row: asyncpg.Record) -> Moment:
        """Return the row's ledger; the same object for all rows of one ledger."""
        index = row["ledger_index"]
        return self._moments.setdefault(index, Moment(ledger_index=index, time=row["occurred_at"]))

    async def _rows(self, name: str, *more: object) -> AsyncIterator[asyncpg.Record]:
        done = 0
        cursor = await self._connection.cursor(_sql(name), self._accounts, *more)
        while rows := await cursor.fetch(_ROWS):
            done += len(rows)
            self._watch(f"{name} of the audit database", done, 0)
            for row in rows:
                yield row


def _as_of(
    order: LedgerOrder, last: int | None, expired: datetime | None, until: datetime
) -> LedgerOrder | None:
    """Return the order as it stood after ledger `last`, closed at `until`; None: it was not placed yet."""
    if last is None:
        return order
    if order.placed is not None and order.placed.ledger_index > last:
        return None
    fills = tuple(fill for fill in order.fills if fill.at.ledger_index <= last)
    if order.ended is not None and order.ended.ledger_index <= last:
        return order
    if expired is not None and expired <= until:
        return msgspec.structs.replace(
            order,
            fills=fills,
            status=OrderStatus.EXPIRED,
            reason=RemovalReason.EXPIRED,
            removed_by=None,
            ended_by_owner=False,
            ended=None,
            expired_at=expired,
        )
    status = OrderStatus.PARTIALLY_FILLED if fills else OrderStatus.ACCEPTED
    return msgspec.structs.replace(
        order,
        fills=fills,
        status=status,
        reason=None,
        removed_by=None,
        ended_by_owner=False,
        ended=None,
        expired_at=None,
    )


def _covered(
    row: asyncpg.Record, gaps: Sequence[tuple[int, int]], first: int | None, last: int | None
) -> Coverage:
    begins, ends = row["first_ledger"] - 1, row["last_ledger"]
    return Coverage(
        account=row["account"],
        source="the audit database",
        first=Moment(ledger_index=max(begins, (first or 0) - 1), time=row["first_time"]),
        last=Moment(ledger_index=ends if last is None else last, time=row["last_time"]),
        gaps=tuple(gaps),
    )


def _order(
    row: asyncpg.Record,
    at: Moment | None,
    placed: tuple[str, Moment] | None,
    fills: tuple[LedgerFill, ...],
    distance: Decimal | None,
) -> LedgerOrder:
    base, _, quote = row["market"].partition("/")
    status = OrderStatus(row["status"])
    reason = None if row["removal_reason"] is None else RemovalReason(row["removal_reason"])
    has_ended = row["removed_by"] is not None or status is OrderStatus.REJECTED
    return LedgerOrder(
        account=intern(row["account"]),
        sequence=row["sequence"],
        placed_tx=None if placed is None else placed[0],
        base=intern(base),
        quote=intern(quote),
        side=Side(row["side"]),
        quantity=row["quantity"],
        price=row["price"],
        status=status,
        reason=reason,
        removed_by=None if row["removed_by"] is None else intern(row["removed_by"]),
        ended_by_owner=reason in _OWN_END,
        placed=None if placed is None else placed[1],
        ended=at if has_ended else None,
        expired_at=row["occurred_at"] if status is OrderStatus.EXPIRED and not has_ended else None,
        fills=fills,
        distance_bps=distance,
    )


def _fill(row: asyncpg.Record, at: Moment) -> LedgerFill:
    gave, got = (_units(row[f"{way}_asset"], row[way]) for way in ("gave", "got"))
    base, quote = (gave, got) if row["side"] == Side.SELL else (got, gave)
    return LedgerFill(transaction=intern(row["transaction_hash"]), at=at, base=base, quote=quote)


def _units(asset: str, value: Decimal) -> Decimal:
    return units(Amount(asset, value))


def _key(row: asyncpg.Record) -> Key:
    return intern(row["account"]), row["sequence"]


def _sql(name: str) -> str:
    return (_SQL / f"{name}.sql").read_text("utf-8")
