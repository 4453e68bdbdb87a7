"""The audit database as Grafana sees it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import asyncpg
from grafana_macros import expand

if TYPE_CHECKING:
    from grafana_macros import View


def ask(dsn: str, query: str, view: View, *, interval: str = "1m") -> list[dict[str, Any]]:
    """Run a query of Grafana's as the role of `dsn`, and return the rows by column."""

    async def answer() -> list[dict[str, Any]]:
        connection = await asyncpg.connect(dsn)
        try:
            return [dict(row) for row in await connection.fetch(expand(query, view, interval=interval))]
        finally:
            await connection.close()

    return asyncio.run(answer())
