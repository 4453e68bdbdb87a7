"""What the bus or the database has lost is noticed, named, and mended by one command."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from fillproof_command import fillproof
from sample_events import event

from console.verify import compare_with_bus
from order_events import encode
from order_events.subjects import ORDERS_STREAM

from .conftest import eventually
from .test_delivery import ask

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Dsn

    from local_stack import Child, LocalStack

    from .conftest import Bus, Tables

pytestmark = pytest.mark.stack

EVENTS = [event("order.filled", number, ledger_index=100 + number) for number in range(1, 41)]
"""One a ledger, and the message of that number."""
PAYLOADS = [encode(one) for one in EVENTS]
MISSING = "SELECT first_sequence, last_sequence, first_ledger, last_ledger FROM dashboard.missing_sequence"


async def missing(tables: Tables) -> list[tuple[int, int]]:
    return [(row[0], row[1]) for row in await tables.connection.fetch(MISSING)]


async def told(url: str, count: int) -> None:
    """Wait until the writer counts so many lost messages."""

    async def shown() -> bool:
        metrics = (await asyncio.to_thread(ask, f"{url}/metrics"))[1].decode()
        return f"audit_writer_missing_messages {count}.0" in metrics

    await eventually(shown, f"{count} messages are counted as lost")


async def refill(dsn: str, nats_url: str, *options: str) -> tuple[int, str]:
    done = await asyncio.to_thread(fillproof, "refill", "--database", dsn, "--nats", nats_url, *options)
    return done.returncode, done.stdout + done.stderr


async def test_nothing_is_missing_where_all_was_stored_or_set_apart(
    start: Callable[..., Child], bus: Bus, tables: Tables, postgres_dsn: Dsn, provisioned_nats_url: str
) -> None:
    url = start().wait_ready()
    await bus.publish(*PAYLOADS[:10], b"no event", *PAYLOADS[10:])
    await bus.all_acknowledged()
    await told(url, 0)
    assert await missing(tables) == []
    assert await refill(postgres_dsn(), provisioned_nats_url) == (
        0,
        "0 events that were on the bus alone were sent again, 0 wait\n",
    )


async def test_a_message_that_is_gone_before_it_was_stored_is_named_with_its_ledgers(
    start: Callable[..., Child], bus: Bus, tables: Tables, postgres_dsn: Dsn, provisioned_nats_url: str
) -> None:
    await bus.publish(*PAYLOADS)
    await bus.jetstream.delete_msg(ORDERS_STREAM, 7)
    await bus.jetstream.delete_msg(ORDERS_STREAM, 8)
    url = start(FILLPROOF_BATCH_SIZE="5").wait_ready()
    await told(url, 2)
    assert await missing(tables) == [(7, 8)]
    status, output = await refill(postgres_dsn(), provisioned_nats_url)
    [row] = await tables.connection.fetch(MISSING)
    first, last = row["first_ledger"], row["last_ledger"]
    assert (status, first <= 107, last >= 108) == (1, True, True)
    assert (
        f"messages 7 to 8 of stream ORDERS are gone: their events are of ledgers {first} to {last}" in output
    )
    assert f"rebuild --account {EVENTS[0].account} --from {first} --to {last}" in output


async def test_a_database_restored_to_an_earlier_moment_gets_from_the_bus_what_it_lacks(
    start: Callable[..., Child], bus: Bus, tables: Tables, postgres_dsn: Dsn, provisioned_nats_url: str
) -> None:
    writer = start(FILLPROOF_BATCH_SIZE="10")
    url = writer.wait_ready()
    await bus.publish(*PAYLOADS)
    await bus.all_acknowledged()
    await told(url, 0)
    assert writer.stop() == 0
    # as after a restore: neither the last rows nor what was noted of them is there
    await tables.connection.execute(
        """
        DELETE FROM fill WHERE sequence > 25;
        DELETE FROM order_event WHERE sequence > 25;
        UPDATE stream_watch SET known = '{[1,25]}', seen = 25, acknowledged = 25;
        DELETE FROM stream_range;
        """
    )
    url = start().wait_ready()
    await told(url, 15)
    assert await missing(tables) == [(26, 40)]
    found = await asyncio.to_thread(compare_with_bus, postgres_dsn(), provisioned_nats_url)
    unstored = {one.event_id for one in found if one.table == "order_event"}
    assert unstored == {str(one.event_id) for one in EVENTS[25:]}
    assert [one.detail.partition(",")[0] for one in found if one.table == "stream ORDERS"] == [
        "messages 26 to 40 were lost"
    ]
    assert await refill(postgres_dsn(), provisioned_nats_url) == (
        0,
        "15 events that were on the bus alone were sent again, 0 wait\n",
    )
    assert await tables.ids() == sorted(str(one.event_id) for one in EVENTS)
    assert await tables.count("fill") == 40
    await told(url, 0)
    assert await asyncio.to_thread(compare_with_bus, postgres_dsn(), provisioned_nats_url) == []


async def test_a_stream_that_is_cut_off_before_all_was_stored_is_noticed(
    start: Callable[..., Child], bus: Bus, tables: Tables, stack: LocalStack
) -> None:
    start(FILLPROOF_BATCH_SIZE="1").wait_ready()
    await bus.publish(*PAYLOADS[:20])
    await bus.all_acknowledged()
    [block] = stack.log_dir.parent.glob(f"**/streams/{ORDERS_STREAM}/msgs/*.blk")
    kept = block.read_bytes()
    async with tables.locked():
        await bus.publish(*PAYLOADS[20:])
        await eventually(lambda: seen(tables, 40), "the watch has seen them")
        stack.kill_nats()
        block.write_bytes(kept)
        (block.parent / "index.db").unlink(missing_ok=True)
        stack.restart_nats()

    async def noticed() -> bool:
        # a few were on their way already, and are stored
        return await missing(tables) == [(await tables.count("order_event") + 1, 40)]

    await eventually(noticed, "what was cut off and is not stored is missing")
    assert await tables.count("order_event") < 30


async def seen(tables: Tables, last: int) -> bool:
    return bool(await tables.connection.fetchval("SELECT seen = $1 FROM stream_watch", last))
