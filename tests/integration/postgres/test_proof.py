"""Whoever changes, drops, inserts or swaps what was stored is found out, also the database's owner."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import asyncpg
import pytest
from audit_tables import broken, execute, fetch, store, verified
from fillproof_command import fillproof
from sample_events import event, mixed

from audit_writer.adapters.database import INSERT_BATCH
from console.errors import BadOption
from order_events import encode

if TYPE_CHECKING:
    from conftest import Dsn

pytestmark = pytest.mark.stack

EVENTS = mixed(40)
"""Accepted, filled, canceled, disappeared in turn; three batches of them."""
BATCHES = (EVENTS[:16], EVENTS[16:32], EVENTS[32:])


@pytest.fixture
async def owner(postgres_dsn: Dsn) -> str:
    """Give the owner's address of tables with three batches."""
    assert await store(postgres_dsn("audit_writer"), *BATCHES) == len(EVENTS)
    return postgres_dsn()


FORGED = event("order.accepted", 1_000)
ROWS = {
    ":event": EVENTS[18],
    ":neighbour": EVENTS[20],
    ":fill": EVENTS[17],
    ":anomaly": EVENTS[19],
    ":stranger": EVENTS[2],
    ":stranger_fill": EVENTS[1],
}
"""Who is meant in tampering.sql."""


class Tampering(NamedTuple):
    """Statements, and what must be found after them: what, table, batch."""

    statements: str
    finds: list[tuple[str, str, int | None]]


def read_tampering() -> dict[str, Tampering]:
    written = Path(__file__).with_name("tampering.sql").read_text()
    read = {}
    for section in written.split("-- name: ")[1:]:
        name, _, rest = section.partition("\n")
        found = [line.split() for line in re.findall(r"^-- finds: (.*)$", rest, re.MULTILINE)]
        finds = [(what, table, None if batch == "-" else int(batch)) for what, table, batch in found]
        statements = re.sub(r":[a-z_]+\b", lambda who: f"'{ROWS[who[0]].event_id}'", rest.replace("::", "@@"))
        read[name] = Tampering(statements.replace("@@", "::"), finds)
    return read


TAMPERING = read_tampering()


@pytest.mark.parametrize("what", TAMPERING)
async def test_what_the_owner_does_to_the_rows_is_found_and_named(owner: str, what: str) -> None:
    await execute(owner, TAMPERING[what].statements)
    assert await broken(owner) == TAMPERING[what].finds


async def test_a_finding_names_the_event_and_its_ledger(owner: str) -> None:
    await execute(owner, TAMPERING["a column is changed"].statements)
    [found] = (await verified(owner)).findings
    assert (found.event_id, found.ledger_index) == (str(ROWS[":event"].event_id), ROWS[":event"].ledger_index)


async def test_a_chain_cut_off_with_its_head_is_caught_by_a_head_noted_before(owner: str) -> None:
    noted = (await verified(owner)).head
    assert noted.position == len(BATCHES)
    assert await broken(owner, noted) == []
    await execute(owner, TAMPERING["the last batch is cut off"].statements)
    await execute(
        owner,
        "UPDATE chain_head SET (position, digest) ="
        " (SELECT position, digest FROM batch_digest ORDER BY position DESC LIMIT 1)",
    )
    assert await broken(owner) == []
    assert await broken(owner, noted) == [("missing", "batch_digest", 3)]


async def test_a_chain_written_anew_is_caught_by_a_head_noted_before(owner: str) -> None:
    noted = (await verified(owner)).head
    await execute(
        owner,
        """
        CREATE TEMPORARY TABLE kept AS SELECT * FROM order_event;
        TRUNCATE order_event, batch_digest;
        UPDATE chain_head SET position = 0, digest = decode(repeat('00', 32), 'hex');
        UPDATE kept SET payload = replace(payload::text, '"100"', '"200"')::json WHERE sequence = 20;
        INSERT INTO order_event SELECT * FROM kept WHERE sequence < 16;
        INSERT INTO order_event SELECT * FROM kept WHERE sequence BETWEEN 16 AND 31;
        INSERT INTO order_event SELECT * FROM kept WHERE sequence > 31;
        """,
    )
    assert await broken(owner) == []
    assert await broken(owner, noted) == [("changed", "batch_digest", 3)]


async def test_duplicates_leave_no_trace_in_the_chain(postgres_dsn: Dsn, owner: str) -> None:
    head = (await verified(owner)).head
    assert await store(postgres_dsn("audit_writer"), EVENTS, EVENTS[10:30]) == 0
    assert await store(postgres_dsn("audit_writer"), [*EVENTS[:3], FORGED, FORGED]) == 1
    report = await verified(owner, head)
    assert (report.findings, report.head.position) == ([], head.position + 1)


async def test_replicas_that_write_at_once_make_one_chain(postgres_dsn: Dsn) -> None:
    events = mixed(400)
    # every event by two replicas, in batches that overlap
    halves = [[events[at : at + 20] for at in range(start, 400, 20)] for start in (0, 0, 10)]
    written = await asyncio.gather(*(store(postgres_dsn("audit_writer"), *batches) for batches in halves))
    assert sum(written) == len(events)
    report = await verified(postgres_dsn())
    assert (report.findings, report.counts.events) == ([], len(events))


async def test_a_writer_that_dies_amid_a_batch_leaves_no_trace(postgres_dsn: Dsn, owner: str) -> None:
    connection = await asyncpg.connect(postgres_dsn("audit_writer"))
    await connection.execute("BEGIN")
    await connection.execute(INSERT_BATCH, f"[{encode(FORGED).decode()}]", "[]", "[]")
    connection.terminate()
    report = await verified(owner)
    assert (report.findings, report.counts.batches) == ([], len(BATCHES))
    assert await store(postgres_dsn("audit_writer"), [FORGED]) == 1
    assert await broken(owner) == []


async def test_a_row_that_is_given_again_is_whole_again(postgres_dsn: Dsn, owner: str) -> None:
    await execute(owner, TAMPERING["an event is dropped"].statements)
    assert await broken(owner) == [("missing", "order_event", 2)]
    assert await store(postgres_dsn("audit_writer"), EVENTS) == 1
    assert await broken(owner) == []


async def test_the_payload_is_kept_as_it_was_published(owner: str) -> None:
    stored = await fetch(owner, "SELECT event_id, payload::text FROM order_event")
    assert dict(stored) == {one.event_id: encode(one).decode() for one in EVENTS}


async def test_the_command_tells_by_its_exit_status(postgres_dsn: Dsn, owner: str) -> None:
    async def run(*options: str, database: str = owner) -> tuple[int, str, str]:
        done = await asyncio.to_thread(fillproof, "verify", "--database", database, *options)
        return done.returncode, done.stdout, done.stderr

    status, output, _ = await run()
    assert (status, "40 events in 3 batches, 10 fills, 10 anomalies: none not as stored" in output) == (
        0,
        True,
    )
    head = output.split()[-1]
    await execute(owner, TAMPERING["a payload is changed"].statements)
    status, output, _ = await run("--head", head)
    assert (status, str(ROWS[":event"].event_id) in output, output.split()[-1]) == (1, True, head)
    status, _, errors = await run("--head", "3:abc")
    assert (status, "expected a head as verify prints it" in errors) == (2, True)
    status, _, errors = await run(database=postgres_dsn("audit_writer"))
    assert (status, "expected the owner of migrated audit tables" in errors) == (2, True)


@pytest.mark.parametrize(
    ("database", "xrpl", "expected"),
    [
        ("postgresql://owner:x@127.0.0.1:1/none", None, "expected a database at postgresql://"),
        ("mysql://there", None, "expected a database at postgresql://"),
        (None, "ftp://there", "expected a URL as https://HOST:PORT"),
    ],
)
async def test_an_address_that_cannot_be_used_is_refused(
    owner: str, database: str | None, xrpl: str | None, expected: str
) -> None:
    with pytest.raises(BadOption, match=expected):
        await verified(database or owner, xrpl=xrpl)
