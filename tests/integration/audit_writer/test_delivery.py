"""Everything published is stored once, whatever dies meanwhile; nothing is acknowledged before its commit."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import signal
from decimal import Decimal
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import asyncpg
import pytest
from nats.js.api import ConsumerConfig
from sample_events import SAMPLES, event, mixed
from waiting import limit

from order_events import encode
from order_events.subjects import (
    AUDIT_CONSUMER,
    DEAD_LETTER_STREAM,
    ORDERS_STREAM,
    ORIGIN_SEQUENCE,
    ORIGIN_STREAM,
    ORIGIN_SUBJECT,
    REASON,
    REDELIVERY_STREAM,
)
from service_kit import StreamSettings, provision
from service_kit.streams import AUDIT_FILTER, MAX_ACK_PENDING

from .conftest import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Dsn

    from local_stack import Child, LocalStack

    from .conftest import Bus, Tables

pytestmark = pytest.mark.stack

HOLDING = b"holding the batch"

MALFORMED = {
    b"not json": "JSON is malformed",
    b"\xff\xfe": "JSON is malformed",
    b'{"event_type":"order.filled"}': "missing required field",
    encode(event("order.canceled", 1)).replace(b'"sequence":1,', b'"sequence":"one",'): "Expected `int`",
    b'{"event_type":"order.invented"}': "Invalid value 'order.invented'",
    encode(event("order.canceled", 3, version=2)): "expected version 1 of OrderCanceled, found 2",
    SAMPLES.joinpath("engine.session.started.json").read_bytes(): "found engine",
}
REFUSED = {
    encode(event("order.canceled", 4, client_order_id="\0")): "\\u0000 cannot be converted to text",
    encode(event("order.canceled", 2**64 - 1)): "out of range for type bigint",
    encode(event("order.canceled", 5, transaction_index=2**31)): "out of range for type integer",
    encode(event("order.filled", 6, last_px=Decimal("1E+200000"))): "overflows numeric format",
}
BAD = MALFORMED | REFUSED
"""Each kind of message that can't be stored, and what its dead letter says."""


def ask(url: str) -> tuple[int, bytes]:
    parts = urlsplit(url)
    with contextlib.closing(http.client.HTTPConnection(parts.netloc, timeout=limit())) as connection:
        connection.request("GET", parts.path)
        answer = connection.getresponse()
        return answer.status, answer.read()


async def stopped_listening(url: str) -> bool:
    try:
        await asyncio.to_thread(ask, f"{url}/health/live")
    except OSError:
        return True
    return False


async def dead_letters(bus: Bus) -> list[tuple[bytes, dict[str, str]]]:
    info = await bus.jetstream.stream_info(DEAD_LETTER_STREAM)
    letters = [
        await bus.jetstream.get_msg(DEAD_LETTER_STREAM, number)
        for number in range(1, info.state.messages + 1)
    ]
    return [(letter.data or b"", letter.headers or {}) for letter in letters]


async def test_a_thousand_events_with_doubles_and_bad_ones_are_stored_exactly_once(
    start: Callable[..., Child], bus: Bus, tables: Tables
) -> None:
    events = mixed(900)
    payloads = [encode(one) for one in events]
    await bus.publish(*payloads[:450], *BAD, *payloads[450:], *payloads[400:495])
    writer = start()
    url = writer.wait_ready()
    await bus.all_acknowledged()

    assert await tables.ids() == sorted(str(one.event_id) for one in events)
    assert await tables.count("fill") == 225
    assert await tables.count("reconciler_anomaly_log") == 225
    letters = await dead_letters(bus)
    assert sorted(payload for payload, _ in letters) == sorted(BAD)
    for payload, headers in letters:
        assert BAD[payload] in headers[REASON]
        assert (headers[ORIGIN_STREAM], headers[ORIGIN_SUBJECT]) == (ORDERS_STREAM, "order.filled.rX")
        assert 450 < int(headers[ORIGIN_SEQUENCE]) <= 450 + len(BAD)
    assert await bus.redelivered() == 0
    metrics = ask(f"{url}/metrics")[1].decode()
    assert "audit_writer_duplicates_total 95.0" in metrics
    assert f'{{event_type="unknown",result="malformed"}} {len(MALFORMED):.1f}' in metrics
    assert 'audit_writer_events_total{event_type="order.canceled",result="refused"} 3.0' in metrics
    assert writer.stop() == 0, writer.output()


async def test_an_outage_of_the_database_loses_nothing_and_acknowledges_nothing(
    start: Callable[..., Child], bus: Bus, stack: LocalStack, postgres_dsn: Dsn
) -> None:
    payloads = [encode(one) for one in mixed(500)]
    writer = start()
    url = writer.wait_ready()
    await bus.publish(*payloads[:200])
    await bus.all_acknowledged()
    stack.stop_postgres()
    await bus.publish(*payloads[200:])
    writer.wait_for(lambda: HOLDING in writer.output() or None, what="hold the batch")
    assert await bus.acknowledged() == 200
    assert ask(f"{url}/health/live")[0] == 200
    assert ask(f"{url}/health/ready")[0] == 503
    stack.start_postgres()
    await bus.all_acknowledged()
    connection = await asyncpg.connect(postgres_dsn())
    assert await connection.fetchval("SELECT count(*) FROM order_event") == 500
    await connection.close()
    writer.wait_ready()
    assert writer.stop() == 0, writer.output()


async def test_a_writer_killed_amid_a_batch_leaves_every_row_once(
    start: Callable[..., Child], bus: Bus, tables: Tables
) -> None:
    await bus.jetstream.add_consumer(
        ORDERS_STREAM,
        ConsumerConfig(
            durable_name=AUDIT_CONSUMER,
            filter_subject=AUDIT_FILTER,
            ack_wait=1,
            max_deliver=-1,
            max_ack_pending=MAX_ACK_PENDING,
        ),
    )
    writer = start(FILLPROOF_BATCH_SIZE="100")
    events = mixed(1_500)
    payloads = [encode(one) for one in events]
    await bus.publish(*payloads[:700])
    await bus.all_acknowledged()

    async with tables.locked():
        await bus.publish(*payloads[700:])
        await eventually(tables.somebody_waits, "a batch waits for the table")
        assert await bus.acknowledged() == 700
        writer.kill()
    start()
    await bus.all_acknowledged()
    assert await tables.ids() == sorted(str(one.event_id) for one in events)


async def test_two_writers_share_the_work_and_store_every_event_once(
    start: Callable[..., Child], bus: Bus, tables: Tables
) -> None:
    payloads = [encode(one) for one in mixed(1_000)]
    urls = [writer.wait_ready() for writer in (start(FILLPROOF_BATCH_SIZE="50") for _ in range(2))]
    await bus.publish(*payloads, *payloads)
    await bus.all_acknowledged()
    assert await tables.count("order_event") == 1_000
    for url in urls:
        assert b"audit_writer_last_commit_timestamp_seconds 0.0" not in ask(f"{url}/metrics")[1]


async def test_messages_that_trickle_in_are_never_left_until_they_are_redelivered(
    start: Callable[..., Child], bus: Bus
) -> None:
    start(FILLPROOF_BATCH_SECONDS="0.01").wait_ready()
    for one in mixed(100):
        await bus.publish(encode(one))
    # a batch that the loop forgot would come again after the consumer's ack_wait, 30 s
    await bus.all_acknowledged()
    assert await bus.redelivered() == 0


async def test_a_writer_stopped_amid_a_batch_finishes_it_and_takes_no_more(
    start: Callable[..., Child], bus: Bus, tables: Tables
) -> None:
    writer = start(FILLPROOF_BATCH_SIZE="10")
    url = writer.wait_ready()
    async with tables.locked():
        await bus.publish(*(encode(one) for one in mixed(100)))
        await eventually(tables.somebody_waits, "a batch waits for the table")
        writer.send(signal.SIGTERM)
        await eventually(lambda: stopped_listening(url), "the writer is stopping")
    assert await asyncio.to_thread(writer.wait) == 0
    info = await bus.jetstream.consumer_info(ORDERS_STREAM, AUDIT_CONSUMER)
    stored = await tables.count("order_event")
    assert stored >= 10
    assert (info.num_ack_pending, await bus.acknowledged()) == (0, stored)


async def test_a_writer_stopped_during_an_outage_gives_its_batch_back_at_once(
    start: Callable[..., Child], bus: Bus, stack: LocalStack
) -> None:
    writer = start()
    writer.wait_ready()
    stack.stop_postgres()
    try:
        await bus.publish(*(encode(one) for one in mixed(100)))
        writer.wait_for(lambda: HOLDING in writer.output() or None, what="hold the batch")
        assert writer.stop() == 0, writer.output()
    finally:
        stack.start_postgres()
    start()
    # the consumer's ack_wait is 30 s: what was not given back would not be here so soon
    await bus.all_acknowledged()


async def test_a_writer_stopped_under_load_leaves_nothing_behind_and_nothing_twice(
    start: Callable[..., Child], bus: Bus, tables: Tables
) -> None:
    events = mixed(2_000)
    await bus.publish(*(encode(one) for one in events))
    for _ in range(2):
        more = min(await bus.acknowledged() + 100, len(events))
        writer = start(FILLPROOF_BATCH_SIZE="20")
        writer.wait_listening()

        async def under_way(more: int = more) -> bool:
            return await bus.acknowledged() >= more

        await eventually(under_way, f"{more} are stored")
        assert await asyncio.to_thread(writer.stop) == 0
        info = await bus.jetstream.consumer_info(ORDERS_STREAM, AUDIT_CONSUMER)
        assert (info.num_ack_pending, info.num_redelivered) == (0, 0)
        assert await bus.acknowledged() == await tables.count("order_event")
    url = start().wait_ready()
    await bus.all_acknowledged()
    assert await tables.ids() == sorted(str(one.event_id) for one in events)
    assert "audit_writer_duplicates_total 0.0" in ask(f"{url}/metrics")[1].decode()


@pytest.mark.parametrize("stream", [ORDERS_STREAM, REDELIVERY_STREAM])
async def test_a_consumer_deleted_while_the_writer_runs_is_told_and_taken_up_again_when_it_is_back(
    start: Callable[..., Child], bus: Bus, tables: Tables, stream: str
) -> None:
    writer = start()
    url = writer.wait_ready()
    await bus.jetstream.delete_consumer(stream, AUDIT_CONSUMER)
    said = f"the stream {stream} has no consumer 'audit-writer': provision the streams"

    async def not_ready() -> bool:
        status, answer = await asyncio.to_thread(ask, f"{url}/health/ready")
        return status == 503 and said.encode() in answer

    await eventually(not_ready, "readiness says so")
    assert said.encode() in writer.output()
    await provision(bus.jetstream, StreamSettings())
    prefix = "" if stream == ORDERS_STREAM else "audit.redeliver."
    await bus.jetstream.publish(f"{prefix}order.filled.rX", encode(event("order.filled", 1)))

    async def stored() -> bool:
        return await tables.count("order_event") == 1

    await eventually(stored, "the writer goes on")
    writer.wait_ready()


async def test_a_writer_does_not_start_without_its_consumer(start: Callable[..., Child], bus: Bus) -> None:
    await bus.jetstream.delete_consumer(REDELIVERY_STREAM, AUDIT_CONSUMER)
    writer = start()
    assert await asyncio.to_thread(writer.wait) == 1
    assert b"REDELIVER has no consumer 'audit-writer': provision the streams" in writer.output()


async def test_the_metrics_tell_how_far_behind_the_writer_is(
    start: Callable[..., Child], bus: Bus, tables: Tables
) -> None:
    url = start(FILLPROOF_BATCH_SIZE="1").wait_ready()

    async def shown(*lines: str) -> bool:
        metrics = (await asyncio.to_thread(ask, f"{url}/metrics"))[1].decode().splitlines()
        return set(lines) <= set(metrics)

    async with tables.locked():
        await bus.publish(*(encode(one) for one in mixed(10)))
        # two are handled, two more have arrived
        lag = (
            'audit_writer_unacknowledged{stream="ORDERS"} 4.0',
            'audit_writer_pending{stream="ORDERS"} 6.0',
        )
        await eventually(lambda: shown(*lag, "audit_writer_bus_connected 1.0"), "the lag is told")
    caught_up = (
        f'audit_writer_{what}{{stream="{stream}"}} 0.0'
        for what in ("unacknowledged", "pending", "redelivered")
        for stream in (ORDERS_STREAM, REDELIVERY_STREAM)
    )
    lines = tuple(caught_up)
    await eventually(lambda: shown(*lines), "the lag is gone")


def test_a_wrong_setting_ends_it_with_a_clear_error(start: Callable[..., Child]) -> None:
    writer = start(FILLPROOF_DATABASE_URL="mysql://there", FILLPROOF_BATCH_SIZE="0")
    assert writer.wait() == 2
    output = writer.output().decode()
    assert "FILLPROOF_DATABASE_URL: expected postgresql://" in output
    assert "FILLPROOF_BATCH_SIZE" in output
    assert "Traceback" not in output
