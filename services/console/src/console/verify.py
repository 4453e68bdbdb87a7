"""`fillproof verify`: whether the audit tables still say what was stored, and what the ledger says."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import asyncpg
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from console.asking import server_at
from console.fitted_tables import Column, print_table
from console.fitting import print_sentence
from console.proof.chain import Break, Finding, Head, Trust
from console.proof.connecting import connected
from console.proof.on_ledger import OnLedger, hold_against
from console.proof.on_lives import derive_again
from console.proof.on_proofs import OnProofs, hold_against_proofs
from console.proof.tables import Counts, Verification, order_events, sql
from console.refill import gone_messages, unstored
from console.stream_reading import bus_at
from ledger_client import LedgerServer, find_transaction
from ledger_proof import TrustPolicy
from offer_lifecycle import Transaction
from order_events import OrderEvent

DAMAGE = (asyncpg.DataCorruptedError, asyncpg.IndexCorruptedError)
SHOWN = 50
"""Findings in the table; the rest is counted."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was found."""

    findings: list[Finding]
    counts: Counts
    head: Head
    checkpoints: int = 0
    """Checkpoints that the chain still contains."""
    lost_checkpoints: int = 0
    """Checkpoints of a tail that was lost in a failover, as an operator has signed."""
    uncovered: int | None = None
    """Batches after the newest checkpoint; None: no checkpoint was given."""
    on_ledger: OnLedger | None
    """None where no server was asked."""
    on_proofs: OnProofs | None = None
    """None where the kept proofs were not asked."""


def verify(  # noqa: PLR0913 - what it is held against
    database: str,
    trust: Trust,
    xrpl: str | None,
    sample: int,
    console: Console,
    *,
    proofs: TrustPolicy | None = None,
) -> Report:
    """Hold every row against the chain, and `sample` rows against the ledger where `xrpl` is given.

    `proofs`: whose votes count where `sample` orders are derived again from kept proofs; None: none is.

    Raises:
        BadOption: the database or the node does not answer, the role may not read.
        ServerError: the node does not answer, or its answers are none.

    """
    found, events = asyncio.run(_verify_tables(database, trust, sample if xrpl else 0, console))
    if proofs is not None:
        with _progress(console, "against the kept proofs", sample) as advance:
            derived = asyncio.run(_hold_against_proofs(database, proofs, sample, advance))
        found = msgspec.structs.replace(found, findings=found.findings + derived.findings, on_proofs=derived)
    if xrpl is None:
        return found
    result = OnLedger()
    with _progress(console, "against the ledger", len(events)) as advance:
        unlike = asyncio.run(_hold_against(database, server_at(xrpl), events, result, advance))
    return msgspec.structs.replace(found, findings=found.findings + unlike, on_ledger=result)


def compare_with_bus(database: str, nats_url: str) -> list[Finding]:
    """Tell of every event that stream ORDERS has, or had, and the store has not.

    Raises:
        BadOption: the database or the bus can't be used.

    """
    return asyncio.run(_compare_with_bus(database, nats_url))


async def _compare_with_bus(database: str, nats_url: str) -> list[Finding]:
    async with connected(database) as connection, bus_at(nats_url) as jetstream:
        findings = [
            Finding(
                what=Break.MISSING,
                table="order_event",
                ledger_index=one.ledger_index,
                event_id=str(one.event_id),
                detail=f"it is message {one.sequence} of stream ORDERS: fillproof refill",
            )
            async for one, _ in unstored(connection, jetstream)
        ]
        for gone in await gone_messages(connection):
            first, last = gone.first_ledger or "the first", gone.last_ledger or "the newest"
            messages = f"messages {gone.first_sequence} to {gone.last_sequence} were lost"
            detail = f"{messages}, of ledgers {first} to {last}: fillproof refill"
            findings.append(Finding(what=Break.MISSING, table="stream ORDERS", detail=detail))
    return findings


_COLUMNS = (
    Column("what"),
    Column("table", drop=3),
    Column("batch", "right", drop=2),
    Column("ledger", "right", drop=1),
    Column("event"),
    Column("how", wraps=True),
)


def show(report: Report, console: Console) -> None:
    """Print what was found, what was counted and the chain's head."""
    if report.findings:
        rows = [
            [
                one.what, one.table, _number(one.batch), _number(one.ledger_index),
                one.event_id or "", one.detail,
            ]
            for one in report.findings[:SHOWN]
        ]  # fmt: skip
        print_table(console, "Not as it was stored", _COLUMNS, rows)
        if len(report.findings) > SHOWN:
            console.print(f"and {len(report.findings) - SHOWN} more")
    for line in _summary(report):
        print_sentence(console, line)


def _number(number: int | None) -> str:
    return "" if number is None else str(number)


def _summary(report: Report) -> Iterator[str]:
    counts = report.counts
    yield (
        f"{counts.events} events in {counts.batches} batches, {counts.fills} fills, "
        f"{counts.anomalies} anomalies: {len(report.findings) or 'none'} not as stored"
    )
    if counts.dropped:
        yield f"{counts.dropped} events were dropped by retention, as operators have signed"
    if counts.unproven:
        yield f"{counts.unproven} anomalies are older than the events: nothing proves them"
    if report.uncovered is None:
        yield "no checkpoints were given (--checkpoints): a chain that was written anew would not be noticed"
    else:
        yield f"{report.checkpoints} signed checkpoints hold; {report.uncovered} batches are newer"
    if report.lost_checkpoints:
        lost = f"{report.lost_checkpoints} checkpoints are of batches that a failover lost"
        yield f"{lost}, as operators have signed"
    if derived := report.on_proofs:
        yield (
            f"{derived.proven} orders derived again from kept proofs, {derived.unconfirmed} more from proofs "
            f"that validators did not confirm; of {len(derived.unprovable)} the kept proofs prove nothing"
        )
        yield from derived.unprovable[:1]
    if result := report.on_ledger:
        yield (
            f"{result.held} rows held against the ledger, {result.unknown} of transactions that the node "
            "does not have"
        )
        yield (
            f"{result.derived} orders derived again from their lives on the ledger, every field compared; "
            f"{result.not_derived} could not be: adopted while they rested, or without their whole history"
        )
    yield f"head {report.head}"


async def _verify_tables(
    database: str, trust: Trust, sample: int, console: Console
) -> tuple[Report, list[OrderEvent]]:
    async with (
        connected(database) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        total = await connection.fetchval(
            "SELECT coalesce(sum(cardinality(event_ids)), 0) FROM public.batch_digest WHERE act IS NULL"
        )
        with _progress(console, "against the chain", int(total)) as advance:
            verification = Verification(connection, trust, advance)
            findings: list[Finding] = []
            rows: list[asyncpg.Record] = []
            try:
                async for finding in verification.findings():
                    findings.append(finding)  # noqa: PERF401 - those before a damaged page count
                rows = await connection.fetch(sql("sample"), sample)
            except DAMAGE as error:
                findings.append(
                    Finding(
                        what=Break.DAMAGED,
                        table="a page of the database",
                        detail=f"{error}; what comes after it was not read: runbook DatabaseDamaged",
                    )
                )
    chain = verification.chain
    newest = max((one.position for one in trust.checkpoints), default=None)
    report = Report(
        findings=findings,
        counts=verification.counts,
        head=chain.head,
        checkpoints=chain.held,
        lost_checkpoints=len(chain.lost),
        uncovered=None if newest is None else max(0, chain.head.position - newest),
        on_ledger=None,
    )
    return report, order_events(row["payload"] for row in rows)


async def _hold_against_proofs(
    database: str, policy: TrustPolicy, sample: int, advance: Callable[[int], None]
) -> OnProofs:
    async with (
        connected(database) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        return await hold_against_proofs(connection, policy, sample, advance)


async def _hold_against(
    database: str,
    server: LedgerServer,
    events: list[OrderEvent],
    result: OnLedger,
    advance: Callable[[int], None],
) -> list[Finding]:
    async def ask(transaction_hash: str) -> Transaction | None:
        return await find_transaction(server, transaction_hash)

    try:
        findings = [finding async for finding in hold_against(events, ask, result)]
        told = {finding.event_id for finding in findings}
        async with connected(database) as connection:
            derived = await derive_again(connection, server, events, result, advance)
        return findings + [finding for finding in derived if finding.event_id not in told]
    finally:
        await server.close()


@contextmanager
def _progress(console: Console, what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show how far it is, on a terminal only."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=total)
        yield lambda count: progress.advance(task, count)
