"""Rows that no program of the project writes: views, `verify` and the monthly step survive and name them."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import TYPE_CHECKING

import asyncpg
import hypothesis
import pytest
from audit_tables import VIEWS, execute, fetch, rows, store, verified
from hypothesis import given, strategies
from sample_events import ANOMALY, event, mixed

from audit_writer.adapters.database import PostgresStore

if TYPE_CHECKING:
    from conftest import Dsn

pytestmark = pytest.mark.stack

TIMES = (
    "2026-11-29 18:00:00Z",
    "infinity",
    "-infinity",
    "294276-12-31 23:59:59.999999Z",
    "4713-01-01 00:00:00Z BC",
    "9999-12-31 23:59:59.999999Z",
    "10000-01-01 00:00:00Z",
    "0044-03-15 00:00:00Z BC",
)
NUMBERS = (
    "NaN",
    "Infinity",
    "-Infinity",
    "0",
    "-1",
    "1e131000",
    "1e-16000",
    "12345678901234567890.123456789",
)
TEXTS = ("", "\U0001f4a9 \u202e", "x" * 100_000, "'; DROP TABLE fill; --")
WHOLE = (0, -1, 2**31 - 1, -(2**31))
KINDS = [
    "order.accepted",
    "order.filled",
    "order.canceled",
    "order.disappeared",
    "order.corrected",
    "order.rejected",
    "order.new",
    "reconciler.halted",
    "reconciler.resumed",
    "reconciler.balance_drift",
    "reconciler.history_gap",
]
PAYLOADS = (
    "null",
    "3",
    "[]",
    '"text"',
    "{}",
    '{"a": "\\ud800"}',
    '{"version": "two", "event_id": 7}',
    '{"a":1,"a":2}',
    '{"payload": {"payload": []}}',
    "[" * 500 + "]" * 500,
    '{"version": 99, "event_type": "order.filled"}',
)
FIELDS = [
    "price",
    "quantity",
    "filled_qty",
    "leaves_qty",
    "avg_px",
    "remaining",
    "anomaly",
    "external",
    "market_context",
    "first_ledger",
    "last_ledger",
    "since_ledger",
    "amount",
    "corrects",
    "resolution",
    "last_qty",
    "last_px",
    "gave",
    "got",
    "version",
    "occurred_at",
    "ledger_index",
    "sequence",
    "market",
    "removal_reason",
    "answers",
]
values = strategies.sampled_from(
    (
        None,
        True,
        0,
        -1,
        10**30,
        0.5,
        "",
        "abc",
        "NaN",
        "1e999",
        "1" * 200,
        [],
        {},
        {"mid_price": "abc"},
        {"value": []},
    )
)
odd_fields = strategies.dictionaries(strategies.sampled_from(FIELDS), values, max_size=6)
payloads = strategies.one_of(
    strategies.sampled_from(PAYLOADS),
    odd_fields.map(json.dumps),
    odd_fields.map(lambda fields: json.dumps({**json.loads(SAMPLE), **fields})),
)
SAMPLE = rows([event(ANOMALY, 1)]).events[0]
stored_rows = strategies.fixed_dictionaries(
    {
        "event_type": strategies.sampled_from(KINDS),
        "version": strategies.sampled_from(WHOLE),
        "network_id": strategies.sampled_from((0, 2**63 - 1)),
        "account": strategies.sampled_from(TEXTS),
        "sequence": strategies.sampled_from((0, 1, -(2**63), 2**63 - 1)),
        "ledger_index": strategies.sampled_from((None, -1, 2**63 - 1)),
        "transaction_hash": strategies.sampled_from((None, "", "no hash")),
        "status": strategies.sampled_from(("", "FILLED", "LOST", "GONE")),
        "occurred_at": strategies.sampled_from(TIMES),
        "payload": payloads,
    }
)
INSERT = """
    INSERT INTO order_event (
        event_id, event_type, version, network_id, account, sequence, ledger_index, transaction_hash, status,
        occurred_at, payload
    )
    SELECT
        gen_random_uuid(), event_type, version, network_id, account, sequence, ledger_index, transaction_hash,
        status, occurred_at, payload::json
    FROM jsonb_to_record($1::jsonb) AS row (
        event_type text, version integer, network_id bigint, account text, sequence bigint,
        ledger_index bigint, transaction_hash text, status text, occurred_at timestamptz, payload text
    )
"""
FILL = """
    INSERT INTO fill
    SELECT event_id, 0, $2, 1, '', NULL, NULL, NULL, $3::text::timestamptz, $2, $2, $1::text::numeric,
        $1::text::numeric, $2, $1::text::numeric, $2, $1::text::numeric, $2, $2
    FROM order_event WHERE event_id = $4
"""
ANOMALY_ROW = """
    INSERT INTO reconciler_anomaly_log
    VALUES ($4, $3::text::timestamptz, NULL, $2, 1, $2, $2, $1::text::numeric, $1::text::numeric, $2, $2,
        $1::text::numeric, $1::text::numeric)
"""


async def look_at_everything(owner: str, reader: str) -> int:
    """Read every view, run the monthly step, verify; return how many rows `verify` names."""
    for (view,) in await fetch(owner, VIEWS):
        await fetch(reader, f"SELECT count(*) FROM (SELECT * FROM {view} OFFSET 0) AS shown")  # noqa: S608 - ours
    await fetch(owner, "SELECT ensure_partitions(1)")
    report = await verified(owner)
    assert report.counts.events > 0
    return len(report.findings)


def test_views_and_verify_survive_any_row_that_the_owner_can_insert(postgres_dsn: Dsn) -> None:
    owner, reader = postgres_dsn(), postgres_dsn("grafana_reader")
    asyncio.run(store(postgres_dsn("audit_writer"), mixed(8)))

    async def survive(some: list[dict[str, object]]) -> None:
        connection = await asyncpg.connect(owner)
        for row in some:
            await connection.execute(INSERT, json.dumps(row))
        await connection.close()
        await look_at_everything(owner, reader)

    # rows stay from one example to the next, so that none can be made smaller
    @hypothesis.settings(max_examples=8, database=None, phases=[hypothesis.Phase.generate])
    @given(strategies.lists(stored_rows, min_size=6, max_size=12))
    def any_rows(some: list[dict[str, object]]) -> None:
        asyncio.run(survive(some))

    any_rows()


async def test_views_and_verify_survive_any_fill_and_any_anomaly(postgres_dsn: Dsn) -> None:
    events = [event("order.filled", number) for number in range(1, 9)]
    async with PostgresStore(postgres_dsn("audit_writer")) as tables:
        await tables.write(rows(events))
    await execute(postgres_dsn(), "TRUNCATE fill")
    connection = await asyncpg.connect(postgres_dsn())
    for number, text, moment, one in zip(NUMBERS, TEXTS * 2, TIMES, events, strict=True):
        await connection.execute(FILL, number, text, moment, one.event_id)
        await connection.execute(ANOMALY_ROW, number, text, moment, uuid.uuid4())
    await connection.close()
    # each fill and each anomaly is named; none of them ends the command
    assert await look_at_everything(postgres_dsn(), postgres_dsn("grafana_reader")) == 16
