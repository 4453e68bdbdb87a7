"""The audit tables of a test: written as the audit writer does, tampered with as the owner could."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import asyncpg
from rich.console import Console

from audit_writer.adapters.database import PostgresStore
from audit_writer.ports import Rows
from console.proof.chain import Trust
from console.verify import Report, verify
from order_events import BalanceDrift, OrderDisappeared, OrderFilled, OrdersEvent, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from console.proof.chain import Head

VIEWS = "SELECT format('%I.%I', schemaname, viewname) FROM pg_views WHERE schemaname = 'dashboard' ORDER BY 1"
"""The dashboards' views, by name."""


def rows(events: Sequence[OrdersEvent]) -> Rows:
    """Return what the audit writer's service would have stored of these."""

    def texts(wanted: Callable[[OrdersEvent], bool]) -> tuple[str, ...]:
        return tuple(encode(one).decode() for one in events if wanted(one))

    return Rows(
        events=texts(lambda _: True),
        fills=texts(lambda one: isinstance(one, OrderFilled)),
        anomalies=texts(
            lambda one: isinstance(one, BalanceDrift) or (isinstance(one, OrderDisappeared) and one.anomaly)
        ),
    )


async def store(dsn: str, *batches: Sequence[OrdersEvent]) -> int:
    """Write batches one after the other as the role of `dsn`; return how many events were new."""
    async with PostgresStore(dsn) as tables:
        return sum([await tables.write(rows(batch)) for batch in batches])


async def fetch(dsn: str, query: str, *arguments: object) -> list[tuple[object, ...]]:
    connection = await asyncpg.connect(dsn)
    try:
        return [tuple(row) for row in await connection.fetch(query, *arguments)]
    finally:
        await connection.close()


async def execute(dsn: str, statements: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statements)
    finally:
        await connection.close()


async def verified(dsn: str, *noted: Head, xrpl: str | None = None, trust: Trust | None = None) -> Report:
    """Return what `fillproof verify` finds."""
    trust = trust or Trust(heads=noted)
    return await asyncio.to_thread(verify, dsn, trust, xrpl, 100, Console(stderr=True))


async def broken(dsn: str, *noted: Head) -> list[tuple[str, str, int | None]]:
    """Return what is not as it was stored: what, table, batch."""
    report = await verified(dsn, *noted)
    return [(str(one.what), one.table, one.batch) for one in report.findings]
