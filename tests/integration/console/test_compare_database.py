"""A book held against the audit database, as its reader sees it."""

import asyncio
import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest
from audit_tables import execute, fetch, rows
from engine_books.comparing import compared
from engine_books.truth import recorded

from audit_writer.adapters.database import PostgresStore
from console.compare.comparison import Options, compare, read
from console.compare.findings import Kind
from console.compare.ledger.database import AuditDatabase
from console.compare.report import make_report
from console.compare.store import store_findings
from console.errors import BadOption
from console.replay import steps
from console.sessions import find_session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from conftest import Dsn

pytestmark = pytest.mark.stack
BOOKS = Path(__file__).parents[2] / "data" / "engines"


async def store_session(dsn: str, name: str) -> None:
    """Store all that the reconciler would have said of a session."""
    async with PostgresStore(dsn) as tables:
        for step in steps(find_session(name).session):
            await tables.write(rows(step.events))


@pytest.fixture
async def reader(postgres_dsn: "Dsn") -> str:
    await store_session(postgres_dsn("audit_writer"), "random_2")
    return postgres_dsn("grafana_reader")


@pytest.fixture
def book() -> Options:
    answers = json.loads((BOOKS / "nautilus_random_2.faults.json").read_text())
    return Options(books=tuple(BOOKS / name for name in answers["book"]["files"]), complete=True)


def test_the_database_says_of_a_book_what_the_session_says(reader: str, book: Options) -> None:
    record = AuditDatabase(reader)
    comparison = compare(read(book), book, record, lambda *_: None)
    by_session = compared("random_2", book.books)
    findings = {one.id: one.kind for one in by_session.judged.findings}
    for finding in comparison.judged.findings:
        assert findings.pop(finding.id) is finding.kind
    # The database reaches as far as its last event, the session to its last ledger
    assert set(findings.values()) <= {Kind.UNKNOWN_ORDER}
    assert len(findings) == len(comparison.judged.not_checked)
    assert make_report(comparison, record, 3, lambda *_: None).positions


def test_the_orders_of_the_database_are_those_of_the_session(reader: str) -> None:
    accounts = recorded("random_2").accounts
    stored = AuditDatabase(reader).read(accounts, None, None, lambda *_: None)
    folded = recorded("random_2").reading
    assert {one.key: one for one in stored.orders if one.distance_bps is None} == {
        one.key: one for one in folded.orders
    }


@pytest.mark.parametrize("last", [1080, 1120])
def test_up_to_a_ledger_the_database_says_what_the_session_up_to_it_says(reader: str, last: int) -> None:
    accounts = recorded("random_2").accounts
    stored = AuditDatabase(reader).read(accounts, None, last, lambda *_: None)
    folded = recorded("random_2").record.read(accounts, None, last, lambda *_: None)
    assert {one.key: (one.status, one.reason, one.fills) for one in stored.orders} == {
        one.key: (one.status, one.reason, one.fills) for one in folded.orders
    }


def test_an_account_that_the_database_does_not_know_is_refused(reader: str, book: Options) -> None:
    other = Options(books=book.books, accounts=("rrrrrrrrrrrrrrrrrrrrBZbvji",))
    with pytest.raises(BadOption, match="is the account right"):
        compare(read(other), other, AuditDatabase(reader), lambda *_: None)


def test_a_database_that_does_not_answer_and_one_without_tables_are_refused(
    empty_postgres_dsn: "Dsn", book: Options
) -> None:
    for dsn, said in (
        ("postgresql://127.0.0.1:1/none", "expected a database"),
        (empty_postgres_dsn(), "views"),
    ):
        with pytest.raises(BadOption, match=said):
            compare(read(book), book, AuditDatabase(dsn), lambda *_: None)


async def test_a_gap_of_the_database_is_known(postgres_dsn: "Dsn", reader: str) -> None:
    accounts = recorded("random_2").accounts
    connection = await asyncpg.connect(postgres_dsn())
    await connection.execute(
        "INSERT INTO order_event (event_id, event_type, version, network_id, account, sequence, status, "
        "occurred_at, payload) "
        "VALUES (gen_random_uuid(), 'reconciler.history_gap', 1, 0, $1, 0, '', now(), $2)",
        accounts[0],
        '{"first_ledger": 1070, "last_ledger": 1072, "resolution": "pending"}',
    )
    await connection.close()
    reading = await asyncio.to_thread(AuditDatabase(reader).read, accounts, None, None, lambda *_: None)
    assert [covered.gaps for covered in reading.coverage] == [((1070, 1072),), ()]


async def test_findings_are_stored_once_and_shown_to_the_reader(
    postgres_dsn: "Dsn", reader: str, book: Options
) -> None:
    findings = compared("random_2", book.books).judged.findings
    for _ in range(2):
        await asyncio.to_thread(store_findings, postgres_dsn(), findings, "digest")
    connection = await asyncpg.connect(reader)
    stored = await connection.fetch("SELECT finding_id, kind, text FROM dashboard.book_finding")
    await connection.close()
    assert {(row["finding_id"], row["kind"], row["text"]) for row in stored} == {
        (one.id, one.kind.value, one.text) for one in findings
    }
    with pytest.raises(BadOption, match="fillproof_operator"):
        await asyncio.to_thread(store_findings, reader, findings, "digest")


@pytest.fixture
async def operator(postgres_dsn: "Dsn") -> "AsyncIterator[str]":
    """Give the address of a person who may store findings and nothing else of them."""
    name, owner = f"person_{uuid.uuid4().hex}", postgres_dsn()
    await execute(owner, f"CREATE ROLE {name} LOGIN PASSWORD 'secret'; GRANT fillproof_operator TO {name}")
    yield f"postgresql://{name}:secret@{owner.rpartition('@')[2]}"
    await execute(owner, f"DROP ROLE {name}")


async def test_an_operator_may_store_findings_and_neither_change_nor_remove_them(
    operator: str, book: Options
) -> None:
    findings = compared("random_2", book.books).judged.findings
    await asyncio.to_thread(store_findings, operator, findings, "digest")
    for change in ("DELETE FROM public.book_finding", "UPDATE public.book_finding SET cause = 'other'"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await execute(operator, change)
    assert await fetch(operator, "SELECT count(*) FROM dashboard.book_finding") == [(len(findings),)]
