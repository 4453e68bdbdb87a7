"""`fillproof verify`: whether the audit tables still say what was stored, and what the ledger says."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import asyncpg
import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from console.asking import server_at
from console.errors import BadOption
from console.proof.chain import Finding, Head, parse_head
from console.proof.on_ledger import OnLedger, hold_against
from console.proof.tables import Counts, Verification, sql
from ledger_client import LedgerServer, find_transaction
from offer_lifecycle import Transaction
from order_events import OrderEvent, decode

SHOWN = 50
"""Findings in the table; the rest is counted."""
CONNECT_SECONDS = 5.0


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was found."""

    findings: list[Finding]
    counts: Counts
    head: Head
    on_ledger: OnLedger | None
    """None where no server was asked."""


def verify(database: str, noted: Sequence[str], xrpl: str | None, sample: int, console: Console) -> Report:
    """Hold every row against the chain, and `sample` rows against the ledger where `xrpl` is given.

    Raises:
        BadOption: a noted head is none, the database or the node does not answer, the role may not read.
        ServerError: the node does not answer, or its answers are none.

    """
    try:
        heads = [parse_head(written) for written in noted]
    except ValueError as error:
        raise BadOption(str(error)) from error
    try:
        found, events = asyncio.run(_verify_tables(database, heads, sample if xrpl else 0, console))
    except (asyncpg.InsufficientPrivilegeError, asyncpg.UndefinedTableError) as error:
        raise BadOption(f"expected the owner of migrated audit tables, found: {error}") from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, ValueError) as error:
        raise BadOption(
            f"expected a database at postgresql://owner:password@host:port/database, found: {error!r}"
        ) from error
    if xrpl is None:
        return found
    result = OnLedger()
    with _progress(console, "against the ledger", len(events)) as advance:
        differences = asyncio.run(_hold_against(server_at(xrpl), events, result, advance))
    return msgspec.structs.replace(found, findings=found.findings + differences, on_ledger=result)


def show(report: Report, console: Console) -> None:
    """Print what was found, what was counted and the chain's head."""
    if report.findings:
        table = Table(
            title="Not as it was stored", title_justify="left", box=SIMPLE_HEAD, collapse_padding=True
        )
        for heading in ("what", "table"):
            table.add_column(heading)
        for heading in ("batch", "ledger"):
            table.add_column(heading, justify="right")
        for heading in ("event", "how"):
            table.add_column(heading, overflow="fold")
        for one in report.findings[:SHOWN]:
            numbers = ("" if number is None else str(number) for number in (one.batch, one.ledger_index))
            table.add_row(one.what, one.table, *numbers, one.event_id or "", one.detail)
        console.print(table)
        if len(report.findings) > SHOWN:
            console.print(f"and {len(report.findings) - SHOWN} more")
    counts = report.counts
    console.print(
        f"{counts.events} events in {counts.batches} batches, {counts.fills} fills, "
        f"{counts.anomalies} anomalies: {len(report.findings) or 'none'} not as stored"
    )
    if counts.dropped:
        console.print(f"{counts.dropped} events were dropped by retention, as the chain says")
    if counts.unproven:
        console.print(f"{counts.unproven} anomalies are older than the events: nothing proves them")
    if result := report.on_ledger:
        console.print(
            f"{result.held} rows held against the ledger, {result.unknown} of transactions that the node "
            "does not have"
        )
    console.print(f"head {report.head}")


async def _verify_tables(
    database: str, noted: Sequence[Head], sample: int, console: Console
) -> tuple[Report, list[OrderEvent]]:
    connection = await asyncpg.connect(
        database,
        timeout=CONNECT_SECONDS,
        server_settings={"timezone": "UTC", "application_name": "fillproof"},
    )
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            total = await connection.fetchval(
                "SELECT coalesce(sum(cardinality(event_ids)), 0) FROM public.batch_digest"
            )
            with _progress(console, "against the chain", int(total)) as advance:
                verification = Verification(connection, noted, advance)
                findings = [finding async for finding in verification.findings()]
            rows = await connection.fetch(sql("sample"), sample)
    finally:
        await connection.close()
    report = Report(
        findings=findings, counts=verification.counts, head=verification.chain.head, on_ledger=None
    )
    events = [decode(row["payload"].encode()) for row in rows]
    return report, [event for event in events if isinstance(event, OrderEvent)]


async def _hold_against(
    server: LedgerServer, events: list[OrderEvent], result: OnLedger, advance: Callable[[int], None]
) -> list[Finding]:
    async def ask(transaction_hash: str) -> Transaction | None:
        advance(1)
        return await find_transaction(server, transaction_hash)

    try:
        return [finding async for finding in hold_against(events, ask, result)]
    finally:
        await server.close()


@contextmanager
def _progress(console: Console, what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show how far it is, on a terminal only."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=total)
        yield lambda count: progress.advance(task, count)
