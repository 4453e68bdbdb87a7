"""What PostgreSQL and the bus hold: read back for the demo's answer."""

from pathlib import Path

import asyncpg
import nats

from order_events import OrderEvent, decode
from order_events.subjects import AUDIT_CONSUMER, ORDERS_STREAM

CHIP_QUERY = Path(__file__).with_name("queries") / "open_anomaly_count.sql"
"""The same statement that Grafana runs."""

_EVENTS = "SELECT payload::text FROM order_event WHERE network_id = $1"
_ANOMALIES = """
    SELECT anomaly.account, anomaly.sequence
    FROM reconciler_anomaly_log AS anomaly
    JOIN order_event AS event USING (event_id)
    WHERE event.network_id = $1
"""


async def stored_events(dsn: str, network_id: int) -> list[OrderEvent]:
    """Return every order event of one network that the audit writer has stored."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(_EVENTS, network_id)
    finally:
        await connection.close()
    events = [decode(row["payload"].encode()) for row in rows]
    return [event for event in events if isinstance(event, OrderEvent)]


async def stored_anomalies(dsn: str, network_id: int) -> set[tuple[str, int]]:
    """Return the orders of one network, by (account, sequence), that have a row in the anomaly log."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(_ANOMALIES, network_id)
    finally:
        await connection.close()
    return {(row["account"], row["sequence"]) for row in rows}


async def open_anomalies(dsn: str) -> int:
    """Return what the chip counts; 0 where the table does not exist yet."""
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval(CHIP_QUERY.read_text()))
    finally:
        await connection.close()


async def unwritten(nats_url: str) -> int:
    """Return how many order events the audit writer has not acknowledged yet."""
    connection = await nats.connect(nats_url)
    try:
        info = await connection.jetstream().consumer_info(ORDERS_STREAM, AUDIT_CONSUMER)
    finally:
        await connection.close()
    return (info.num_pending or 0) + (info.num_ack_pending or 0)
