"""What the audit writer is held against: plain COPY, and two consumers as one would first write them.

They write tables of the same columns, keys and indexes as ours, without months, names and chain.
`python -m bench.rivals one_by_one` or `... executemany` runs a consumer.
"""

import asyncio
import os
import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any

import asyncpg
from faststream import AckPolicy, FastStream
from faststream.nats import JStream, NatsBroker, NatsMessage, PullSub
from faststream.nats.message import NatsBatchMessage
from faststream.params import NoCast

from order_events import OrderDisappeared, OrderEvent, OrderFilled, decode
from order_events.subjects import ORDERS_STREAM

PLAIN = """
    CREATE TABLE plain_order_event (LIKE order_event INCLUDING INDEXES);
    CREATE TABLE plain_fill (LIKE fill INCLUDING INDEXES);
    CREATE TABLE plain_reconciler_anomaly_log (LIKE reconciler_anomaly_log INCLUDING INDEXES);
"""
COLUMNS = {
    table: tuple(columns.split())
    for table, columns in {
        "order_event": "event_id event_type version network_id account sequence client_order_id session_id "
        "ledger_index transaction_hash transaction_index status occurred_at payload",
        "fill": "event_id network_id account sequence trade_id ledger_index transaction_hash "
        "transaction_index occurred_at market side last_qty last_px gave_asset gave got_asset got "
        "liquidity_side provenance",
        "reconciler_anomaly_log": "event_id detected_at session_id account sequence market side price "
        "remaining removal_reason action_taken mid_price distance_bps",
    }.items()
}

BATCH = 1_000

Row = tuple[Any, ...]


def rows(events: Iterable[tuple[OrderEvent, bytes]]) -> dict[str, list[Row]]:
    """Return the rows of each table."""
    found: dict[str, list[Row]] = {table: [] for table in COLUMNS}
    for event, payload in events:
        given = {
            "event_type": event.__struct_config__.tag,
            "payload": payload.decode(),
            "detected_at": event.occurred_at,
        }
        found["order_event"].append(_row("order_event", event, given))
        if isinstance(event, OrderFilled):
            given |= {"gave_asset": event.gave.asset, "gave": event.gave.value}
            given |= {"got_asset": event.got.asset, "got": event.got.value}
            found["fill"].append(_row("fill", event, given))
        elif isinstance(event, OrderDisappeared):
            context = event.market_context
            given |= {"mid_price": context and context.mid_price}
            given |= {"distance_bps": context and context.distance_bps}
            found["reconciler_anomaly_log"].append(_row("reconciler_anomaly_log", event, given))
    return found


def _row(table: str, event: OrderEvent, given: dict[str, Any]) -> Row:
    return tuple(given[name] if name in given else getattr(event, name) for name in COLUMNS[table])


async def copy_rate(dsn: str, events: Sequence[tuple[OrderEvent, bytes]], prefix: str) -> float:
    """Return how many events a second COPY takes, a commit each thousand; the rows are made before."""
    batches = [rows(events[start : start + BATCH]) for start in range(0, len(events), BATCH)]
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(PLAIN)
        started = time.perf_counter()
        for batch in batches:
            async with connection.transaction():
                for table, records in batch.items():
                    await connection.copy_records_to_table(
                        prefix + table, records=records, columns=COLUMNS[table]
                    )
        return len(events) / (time.perf_counter() - started)
    finally:
        await connection.close()


def statement(table: str) -> str:
    """Return an INSERT of one row into a plain table that leaves alone what is there."""
    places = ", ".join(f"${number}" for number in range(1, len(COLUMNS[table]) + 1))
    names = ", ".join(COLUMNS[table])
    return f"INSERT INTO plain_{table} ({names}) VALUES ({places}) ON CONFLICT DO NOTHING"  # noqa: S608 - ours


async def store(pool: asyncpg.Pool, payloads: Iterable[bytes]) -> None:
    """Write them in one transaction, row by row."""
    events = [(event, payload) for payload in payloads if isinstance(event := decode(payload), OrderEvent)]
    async with pool.acquire() as connection, connection.transaction():
        for table, records in rows(events).items():
            if records:
                await connection.executemany(statement(table), records)


async def body_of(message: NatsMessage) -> bytes:
    """Leave the decoding to :func:`store`."""
    return message.body


async def bodies_of(message: NatsBatchMessage) -> list[bytes]:
    """Leave the decoding to :func:`store`."""
    return [one.data for one in message.raw_message]


async def main() -> None:
    """Run the consumer that the command line names."""
    kind = sys.argv[1]
    broker = NatsBroker(os.environ["FILLPROOF_NATS_URL"], logger=None)
    async with asyncpg.create_pool(os.environ["FILLPROOF_DATABASE_URL"], min_size=1, max_size=4) as pool:

        async def one(body: NoCast[bytes]) -> None:
            await store(pool, [body])

        async def many(bodies: NoCast[list[bytes]], message: NatsMessage) -> None:
            await store(pool, bodies)
            await message.ack()

        stream = JStream(ORDERS_STREAM, declare=False)
        if kind == "one_by_one":
            broker.subscriber("order.>", stream=stream, durable=kind, decoder=body_of)(one)
        else:
            pull = PullSub(batch_size=BATCH, timeout=0.2, batch=True)
            broker.subscriber(
                "order.>",
                stream=stream,
                durable=kind,
                pull_sub=pull,
                decoder=bodies_of,
                ack_policy=AckPolicy.MANUAL,
            )(many)
        await FastStream(broker, logger=None).run()


if __name__ == "__main__":
    asyncio.run(main())
