# ruff: noqa: S608 - the statements are ours
"""Nothing that the database's owner does to what was signed stays unseen: some 700 ways, made from a few.

Each way runs in a transaction of its own that is rolled back. What is changed is one of the rows; the change
is then left as it is, or everything is chained anew over it as the schema's own functions do, or a retention
or a failover that nobody has signed is put into the chain to excuse it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import asyncpg
import pytest
from audit_tables import store
from sample_events import mixed
from signed_log import KEYS, LOG_KEY, MADE_AT, OPERATOR_KEY, STRANGER_KEY, checkpoint_of

from audit_log import Failover, Retention, sign_act
from console.proof.chain import Trust
from console.proof.tables import Verification

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from conftest import Dsn

pytestmark = pytest.mark.stack

EVENTS = mixed(12)
"""Accepted, filled, canceled, disappeared in turn, in three batches."""
BATCHES = (EVENTS[:4], EVENTS[4:8], EVENTS[8:])

COLUMNS = {
    "event_type": "'order.x'",
    "version": "version + 1",
    "network_id": "network_id + 1",
    "account": "'rOther'",
    "sequence": "sequence + 1",
    "client_order_id": "'other'",
    "session_id": "'other'",
    "ledger_index": "ledger_index + 1",
    "transaction_hash": "repeat('F', 64)",
    "transaction_index": "coalesce(transaction_index, 0) + 1",
    "status": "'OTHER'",
    "occurred_at": "occurred_at + interval '1 second'",
    "event_id": "gen_random_uuid()",
}
PAYLOAD = {
    "another price": """replace(payload::text, '"price":"', '"price":"1')""",
    "another account": "replace(payload::text, account, 'rOther')",
    "a space": "payload::text || ' '",
    "no payload": "'{}'",
}
FILL = ("sequence", "ledger_index", "last_qty", "last_px", "gave", "got")
ANOMALY = ("sequence", "price", "remaining")

HERE = Path(__file__).parent
RECHAINED = (HERE / "chain_anew.sql").read_text()
UNSIGNED_RETENTION = (HERE / "unsigned_retention.sql").read_text()
MONTH = f"{EVENTS[0].occurred_at:%Y-%m}"
LATER = datetime(2027, 6, 1, tzinfo=UTC)
RETENTION = Retention(operator="mia", time=LATER, keep=1, months=(MONTH,))
FAILOVER = Failover(operator="mia", time=MADE_AT, lost=3, continues=0, digest=bytes(32), reason="so it is")
FORGED_ACTS = {
    "a retention that a stranger signed": sign_act(RETENTION, STRANGER_KEY),
    "a retention that the log's key signed": LOG_KEY.sign(RETENTION.text),
    "a failover that a stranger signed": sign_act(FAILOVER, STRANGER_KEY),
    "a retention of a month that was not due": OPERATOR_KEY.sign(
        Retention(operator="mia", time=MADE_AT, keep=1200, months=(MONTH,)).text
    ),
}


def act(note: str) -> str:
    quoted = note.replace("'", "''")
    return f"SELECT append_act('{quoted}');"


AFTERWARDS = {
    "left so": "",
    "chained anew": RECHAINED,
    "an unsigned retention": UNSIGNED_RETENTION,
    "chained anew, an unsigned retention": RECHAINED + UNSIGNED_RETENTION,
    **{name: act(note) for name, note in FORGED_ACTS.items()},
    "chained anew, a failover that a stranger signed": RECHAINED
    + act(FORGED_ACTS["a failover that a stranger signed"]),
}


class Way(NamedTuple):
    what: str
    statements: str


def changes_of(number: int) -> list[Way]:
    """Return what can be done to one event and its rows in other tables."""
    one = EVENTS[number]
    where = f"WHERE event_id = '{one.event_id}'"
    ways = [
        Way(f"{name} of {number}", f"UPDATE order_event SET {name} = {to} {where};")
        for name, to in COLUMNS.items()
    ]
    ways += [
        Way(f"{name} in {number}", f"UPDATE order_event SET payload = ({to})::json {where};")
        for name, to in PAYLOAD.items()
    ]
    ways += [Way(f"{number} is deleted", f"DELETE FROM order_event {where};")]
    other = f"'{EVENTS[(number + 1) % len(EVENTS)].event_id}'"
    ways += [
        Way(
            f"{number} has the payload of the next",
            "UPDATE order_event SET payload ="
            f" (SELECT payload FROM order_event WHERE event_id = {other}) {where};",
        )
    ]
    return ways


def changes_of_other_tables() -> list[Way]:
    ways = []
    for table, columns, kind in (
        ("fill", FILL, "order.filled"),
        ("reconciler_anomaly_log", ANOMALY, "order.disappeared"),
    ):
        for one in (one for one in EVENTS if one.__struct_config__.tag == kind):
            where = f"WHERE event_id = '{one.event_id}'"
            ways += [
                Way(f"{name} of {table}", f"UPDATE {table} SET {name} = {name} + 1 {where};")
                for name in columns
            ]
            ways += [Way(f"a row less in {table}", f"DELETE FROM {table} {where};")]
    return ways


EVENT_WAYS = [way for number in range(len(EVENTS)) for way in changes_of(number)]
CHAIN_WAYS = [
    *(Way(f"batch {at} is dropped", f"DELETE FROM batch_digest WHERE position = {at};") for at in (1, 2, 3)),
    *(
        Way(f"{column} of batch {at}", f"UPDATE batch_digest SET {column} = {to} WHERE position = {at};")
        for at in (1, 2, 3)
        for column, to in {
            "digest": "sha256('x')",
            "previous": "sha256('x')",
            "event_ids": "event_ids[2:]",
            "payload_digests": "payload_digests[2:] || payload_digests[1]",
            "occurred_at": "array_replace(occurred_at, occurred_at[1], occurred_at[1] + interval '1 second')",
        }.items()
    ),
    Way(
        "the end is cut off",
        "DELETE FROM order_event"
        " WHERE event_id IN (SELECT unnest(event_ids) FROM batch_digest WHERE position = 3);"
        "DELETE FROM fill WHERE event_id NOT IN (SELECT event_id FROM order_event);"
        "DELETE FROM reconciler_anomaly_log WHERE event_id NOT IN (SELECT event_id FROM order_event);"
        "DELETE FROM batch_digest WHERE position = 3;"
        "UPDATE chain_head SET (position, digest) ="
        " (SELECT position, digest FROM batch_digest ORDER BY position DESC LIMIT 1);",
    ),
    Way(
        "all is emptied",
        "TRUNCATE order_event, fill, reconciler_anomaly_log, batch_digest;"
        "UPDATE chain_head SET position = 0, digest = decode(repeat('00', 32), 'hex');",
    ),
]
WAYS = [
    *(
        Way(f"{way.what}; {after}", way.statements + statements)
        for (at, way), (place, (after, statements)) in product(
            enumerate(EVENT_WAYS), enumerate(AFTERWARDS.items())
        )
        # every change as it is and chained anew; of the rest every eighth, each time another
        if place < 2 or (at + place) % 8 == 0
    ),
    *(
        Way(f"{way.what}; {after}", way.statements + AFTERWARDS[after])
        for way, after in product(changes_of_other_tables(), ("left so", "an unsigned retention"))
    ),
    *CHAIN_WAYS,
]


@pytest.fixture
async def connection(postgres_dsn: Dsn) -> AsyncIterator[asyncpg.Connection]:
    """Give the owner's connection to tables with three batches."""
    assert await store(postgres_dsn("audit_writer"), *BATCHES) == len(EVENTS)
    connection = await asyncpg.connect(postgres_dsn(), server_settings={"timezone": "UTC"})
    yield connection
    await connection.close()


async def signed(connection: asyncpg.Connection) -> Trust:
    rows = await connection.fetch("SELECT digest FROM batch_digest ORDER BY position")
    made = checkpoint_of([row["digest"] for row in rows])
    return Trust(notes={made.signed_by(LOG_KEY): made}, keys=KEYS)


async def findings_after(connection: asyncpg.Connection, statements: str, trust: Trust) -> list[str]:
    """Return what `verify` finds after the statements, which are undone."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        if statements:
            await connection.execute(statements)
        verification = Verification(connection, trust, lambda _: None)
        return [f"{one.what} {one.table}" async for one in verification.findings()]
    finally:
        await transaction.rollback()


async def test_whatever_the_owner_does_is_found(connection: asyncpg.Connection) -> None:
    trust = await signed(connection)
    assert await findings_after(connection, "", trust) == []
    unseen = [way.what for way in WAYS if not await findings_after(connection, way.statements, trust)]
    assert unseen == []
    assert len(WAYS) >= 600


async def test_a_chain_that_is_made_anew_is_found_by_its_checkpoint_alone(
    connection: asyncpg.Connection,
) -> None:
    """What makes the ways above worth trying: without a checkpoint this one is not seen."""
    where = f"WHERE event_id = '{EVENTS[2].event_id}'"
    anew = (
        "UPDATE order_event SET account = 'rOther', payload = replace(payload::text, account, 'rOther')::json"
        f" {where}; {RECHAINED}"
    )
    assert await findings_after(connection, anew, Trust()) == []
    assert await findings_after(connection, anew, await signed(connection)) == ["changed batch_digest"]


async def test_a_signed_retention_excuses_what_is_gone_and_nothing_that_is_there(
    connection: asyncpg.Connection,
) -> None:
    trust = await signed(connection)
    months = "{" + MONTH + "}"
    await connection.execute("SELECT ensure_partitions(0)")
    drop = f"SELECT drop_months('{months}', '{sign_act(RETENTION, OPERATOR_KEY)}');"
    assert await findings_after(connection, drop, trust) == []
    for change, found in (
        ("UPDATE fill SET gave = gave + 1;", "changed fill"),
        ("UPDATE reconciler_anomaly_log SET remaining = remaining + 1;", "changed reconciler_anomaly_log"),
        ("DELETE FROM fill;", "missing fill or reconciler_anomaly_log"),
        (f"UPDATE fill SET event_id = '{EVENTS[0].event_id}' WHERE sequence = 1;", "inserted fill"),
    ):
        assert found in await findings_after(connection, drop + change, trust), change
    # rows of such a month that are there, because a rebuild gave them again or the month was not dropped
    signed_only = act(sign_act(RETENTION, OPERATOR_KEY))
    changed = f"UPDATE order_event SET status = 'OTHER' WHERE event_id = '{EVENTS[2].event_id}';"
    assert await findings_after(connection, signed_only + changed, trust) == ["changed order_event"]
