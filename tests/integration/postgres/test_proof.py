"""Whoever changes, drops, inserts or swaps what was stored is found out, also the database's owner."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import asyncpg
import pytest
from audit_tables import broken, execute, fetch, store, verified
from fillproof_command import fillproof
from sample_events import event, mixed

from audit_writer.adapters.database import INSERT_EVENTS
from order_events import encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conftest import Dsn

    from order_events import OrderEvent

pytestmark = pytest.mark.stack

EVENTS = mixed(40)
"""Accepted, filled, canceled, disappeared in turn; three batches of them."""
BATCHES = (EVENTS[:16], EVENTS[16:32], EVENTS[32:])


@pytest.fixture
async def owner(postgres_dsn: Dsn) -> str:
    """Give the owner's address of tables with three batches."""
    assert await store(postgres_dsn("audit_writer"), *BATCHES) == len(EVENTS)
    return postgres_dsn()


def named(one: OrderEvent) -> str:
    return f"event_id = '{one.event_id}'"


A, B, FILL, ANOMALY = EVENTS[18], EVENTS[20], EVENTS[17], EVENTS[19]
"""All of the second batch."""
OTHER_BATCH = EVENTS[2]
FORGED = event("order.accepted", 1_000)
PAYLOAD_OF = "payload = (SELECT payload FROM order_event WHERE event_id = '{}')"

TAMPERING: dict[str, tuple[str, Sequence[tuple[str, str, int | None]]]] = {
    "a payload is changed": (
        f"""UPDATE order_event SET payload = replace(payload::text, '"SELL"', '"BUY"')::json WHERE {named(A)}""",
        [("changed", "order_event", 2)],
    ),
    "a payload becomes what no column can hold": (
        f"""UPDATE order_event SET payload = '{{"sequence": "x", "event_id": 3}}' WHERE {named(FILL)}""",
        [("changed", "order_event", 2)],
    ),
    "a column is changed": (
        f"UPDATE order_event SET status = 'FILLED' WHERE {named(A)}",
        [("changed", "order_event", 2)],
    ),
    "a version is changed": (
        f"UPDATE order_event SET version = 2 WHERE {named(A)}",
        [("changed", "order_event", 2)],
    ),
    "an event is moved to another month": (
        f"UPDATE order_event SET occurred_at = occurred_at - interval '70 days' WHERE {named(A)}",
        [("changed", "order_event", 2)],
    ),
    "an event is dropped": (
        f"DELETE FROM order_event WHERE {named(A)}",
        [("missing", "order_event", 2)],
    ),
    "an event is renamed": (
        f"UPDATE order_event SET event_id = gen_random_uuid() WHERE {named(A)}",
        [("missing", "order_event", 2), ("inserted", "order_event", None)],
    ),
    "an event is inserted past the chain": (
        "INSERT INTO order_event_default SELECT gen_random_uuid(), event_type, version, network_id, account,"
        " sequence, client_order_id, session_id, ledger_index, transaction_hash, transaction_index, status,"
        f" '2001-01-01', payload FROM order_event WHERE {named(A)}",
        [("inserted", "order_event", None)],
    ),
    "two payloads of a batch are swapped": (
        f"""WITH both_rows AS (SELECT event_id, payload FROM order_event
            WHERE event_id IN ('{A.event_id}', '{B.event_id}'))
        UPDATE order_event AS event SET payload = other.payload FROM both_rows AS other
        WHERE event.event_id IN ('{A.event_id}', '{B.event_id}') AND other.event_id <> event.event_id""",
        [("swapped", "order_event", 2)] * 2,
    ),
    "two payloads of different batches are swapped": (
        f"""WITH both_rows AS (SELECT event_id, payload FROM order_event
            WHERE event_id IN ('{A.event_id}', '{OTHER_BATCH.event_id}'))
        UPDATE order_event AS event SET payload = other.payload FROM both_rows AS other
        WHERE event.event_id IN ('{A.event_id}', '{OTHER_BATCH.event_id}')
            AND other.event_id <> event.event_id""",
        [("swapped", "order_event", 1), ("swapped", "order_event", 2)],
    ),
    "a fill is changed": (
        f"UPDATE fill SET gave = gave + 1 WHERE {named(FILL)}",
        [("changed", "fill", None)],
    ),
    "a fill is dropped": (f"DELETE FROM fill WHERE {named(FILL)}", [("missing", "fill", None)]),
    "a fill is inserted": (
        "INSERT INTO fill SELECT gen_random_uuid(), network_id, account, sequence, trade_id, ledger_index,"
        " transaction_hash, transaction_index, occurred_at, market, side, last_qty, last_px, gave_asset, gave,"
        f" got_asset, got, liquidity_side, provenance FROM fill WHERE {named(FILL)}",
        [("inserted", "fill", None)],
    ),
    "two fills are swapped": (
        f"""UPDATE fill SET event_id = gen_random_uuid() WHERE {named(FILL)};
        UPDATE fill SET event_id = '{FILL.event_id}' WHERE {named(EVENTS[1])};
        UPDATE fill SET event_id = '{EVENTS[1].event_id}'
        WHERE event_id NOT IN (SELECT event_id FROM order_event)""",
        [("changed", "fill", None)] * 2,
    ),
    "an anomaly is changed": (
        f"UPDATE reconciler_anomaly_log SET action_taken = 'none' WHERE {named(ANOMALY)}",
        [("changed", "reconciler_anomaly_log", None)],
    ),
    "an anomaly is dropped": (
        f"DELETE FROM reconciler_anomaly_log WHERE {named(ANOMALY)}",
        [("missing", "reconciler_anomaly_log", None)],
    ),
    "an anomaly is inserted": (
        "INSERT INTO reconciler_anomaly_log (event_id, detected_at, account, sequence, market, side, remaining,"
        " removal_reason, action_taken) VALUES (gen_random_uuid(), now(), 'rX', 1, 'm', 'SELL', 1, 'r', 'none')",
        [("inserted", "reconciler_anomaly_log", None)],
    ),
    "a batch goes with its rows": (
        "DELETE FROM order_event WHERE event_id IN (SELECT unnest(event_ids) FROM batch_digest WHERE position = 2);"
        "DELETE FROM fill WHERE event_id IN (SELECT unnest(event_ids) FROM batch_digest WHERE position = 2);"
        "DELETE FROM reconciler_anomaly_log"
        " WHERE event_id IN (SELECT unnest(event_ids) FROM batch_digest WHERE position = 2);"
        "DELETE FROM batch_digest WHERE position = 2",
        [("missing", "batch_digest", 2)],
    ),
    "two batches are swapped": (
        "UPDATE batch_digest SET position = 9 WHERE position = 1;"
        "UPDATE batch_digest SET position = 1 WHERE position = 2;"
        "UPDATE batch_digest SET position = 2 WHERE position = 9",
        [("changed", "batch_digest", 1)] * 2
        + [("changed", "batch_digest", 2)] * 2
        + [("changed", "batch_digest", 3)],
    ),
    "a batch's list forgets an event": (
        "UPDATE batch_digest SET event_ids = event_ids[2:], occurred_at = occurred_at[2:],"
        " payload_digests = payload_digests[2:] WHERE position = 2",
        [("changed", "batch_digest", 2), ("inserted", "order_event", None)],
    ),
    "lists of different lengths": (
        "UPDATE batch_digest SET payload_digests = payload_digests || payload_digests WHERE position = 3",
        [("changed", "batch_digest", 3)],
    ),
    "the last batch is cut off": (
        "DELETE FROM order_event WHERE event_id IN (SELECT unnest(event_ids) FROM batch_digest WHERE position = 3);"
        "DELETE FROM fill WHERE event_id NOT IN (SELECT event_id FROM order_event);"
        "DELETE FROM reconciler_anomaly_log WHERE event_id NOT IN (SELECT event_id FROM order_event);"
        "DELETE FROM batch_digest WHERE position = 3",
        [("missing", "chain_head", 2)],
    ),
}


@pytest.mark.parametrize("what", TAMPERING)
async def test_what_the_owner_does_to_the_rows_is_found_and_named(owner: str, what: str) -> None:
    statements, expected = TAMPERING[what]
    assert await broken(owner) == []
    await execute(owner, statements)
    assert await broken(owner) == list(expected)


async def test_a_finding_names_the_event_and_its_ledger(owner: str) -> None:
    await execute(owner, f"UPDATE order_event SET status = 'LOST' WHERE {named(A)}")
    [found] = (await verified(owner)).findings
    assert (found.event_id, found.ledger_index) == (str(A.event_id), A.ledger_index)


async def test_a_chain_cut_off_with_its_head_is_caught_by_a_head_noted_before(owner: str) -> None:
    noted = (await verified(owner)).head
    assert noted.position == len(BATCHES)
    assert await broken(owner, noted) == []
    await execute(owner, TAMPERING["the last batch is cut off"][0])
    await execute(
        owner,
        "UPDATE chain_head SET (position, digest) ="
        " (SELECT position, digest FROM batch_digest ORDER BY position DESC LIMIT 1)",
    )
    assert await broken(owner) == []
    assert await broken(owner, noted) == [("missing", "batch_digest", 3)]


async def test_a_chain_written_anew_is_caught_by_a_head_noted_before(owner: str) -> None:
    noted = (await verified(owner)).head
    start = "UPDATE chain_head SET position = 0, digest = decode(repeat('00', 32), 'hex')"
    rows = "CREATE TEMPORARY TABLE kept AS SELECT * FROM order_event; TRUNCATE order_event, batch_digest"
    changed = f"UPDATE kept SET payload = replace(payload::text, '100', '200')::json WHERE {named(A)}"
    again = "INSERT INTO order_event SELECT * FROM kept WHERE event_id <= '8' ;"
    again += "INSERT INTO order_event SELECT * FROM kept WHERE event_id > '8'"
    again = again.replace("'8'", "'80000000-0000-0000-0000-000000000000'")
    await execute(owner, f"{rows}; {start}; {changed}; {again}")
    assert ("missing", "batch_digest", 3) in await broken(owner, noted)


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
    await connection.execute(INSERT_EVENTS, f"[{encode(FORGED).decode()}]")
    connection.terminate()
    report = await verified(owner)
    assert (report.findings, report.counts.batches) == ([], len(BATCHES))
    assert await store(postgres_dsn("audit_writer"), [FORGED]) == 1
    assert await broken(owner) == []


async def test_a_row_that_is_given_again_is_whole_again(postgres_dsn: Dsn, owner: str) -> None:
    await execute(owner, f"DELETE FROM order_event WHERE {named(B)}")
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
    assert (await run("--head", head))[0] == 0
    await execute(owner, TAMPERING["a payload is changed"][0])
    status, output, _ = await run("--head", head)
    assert (status, str(A.event_id) in output, output.split()[-1]) == (1, True, head)
    status, _, errors = await run("--head", "3:abc")
    assert (status, "expected a head as verify prints it" in errors) == (2, True)
    status, _, errors = await run(database=postgres_dsn("audit_writer"))
    assert (status, "expected the owner of migrated audit tables" in errors) == (2, True)
    status, _, errors = await run(database="postgresql://owner:x@127.0.0.1:1/none")
    assert (status, "expected a database at" in errors) == (2, True)
    status, _, errors = await run("--xrpl", "ftp://there")
    assert (status, "expected a URL as https://HOST:PORT" in errors) == (2, True)
