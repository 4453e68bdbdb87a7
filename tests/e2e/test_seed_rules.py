"""The rules that the project began with, each pinned in one assertion, on the real stack."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import asyncpg
import nats
import pytest
from conftest import Dsn
from waiting import wait_until

from console.session_run import SessionRun, network_of
from console.sessions import find_session
from console.store import open_anomalies
from local_stack import LocalStack
from order_events import OrderDisappeared, OrderFilled, decode
from order_events.subjects import AUDIT_CONSUMER, ORDERS_STREAM
from service_kit import StreamSettings, provision

pytestmark = pytest.mark.stack


def play(stack: LocalStack, name: str) -> None:
    """Play a session to its end with nobody consuming what is published."""
    run = SessionRun(find_session(name), stack)
    wait_until(run.done, "the session's end")
    run.end(wait=True)


def orders_published(nats_url: str) -> list[tuple[str, bytes]]:
    """Return subject and bytes of everything in stream ORDERS, in the stream's order."""

    async def read() -> list[tuple[str, bytes]]:
        connection = await nats.connect(nats_url)
        try:
            jetstream = connection.jetstream()
            info = await jetstream.stream_info(ORDERS_STREAM)
            messages = [
                await jetstream.get_msg(ORDERS_STREAM, sequence)
                for sequence in range(info.state.first_seq, info.state.last_seq + 1)
            ]
        finally:
            await connection.close()
        return [(str(message.subject), message.data or b"") for message in messages]

    return asyncio.run(read())


def fills_of(published: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    return [message for message in published if message[0].startswith("order.filled.")]


@pytest.fixture
def bus(stack: LocalStack) -> Iterator[Callable[[], None]]:
    """Make the project's streams anew, empty, whenever it is called, and delete them afterwards."""

    async def renew(*, again: bool = True) -> None:
        connection = await nats.connect(stack.nats_url)
        jetstream = connection.jetstream()
        for stream in await jetstream.streams_info():
            await jetstream.delete_stream(str(stream.config.name))
        if again:
            await provision(jetstream, StreamSettings())
        await connection.close()

    asyncio.run(renew())
    yield lambda: asyncio.run(renew())
    asyncio.run(renew(again=False))


@contextmanager
def audit_writer(stack: LocalStack, dsn: str) -> Iterator[None]:
    writer = stack.spawn(
        "audit_writer", env={"FILLPROOF_NATS_URL": stack.nats_url, "FILLPROOF_DATABASE_URL": dsn}
    )
    try:
        yield
    finally:
        writer.stop()


def wait_until_all_is_acknowledged(stack: LocalStack) -> None:
    async def left() -> int:
        connection = await nats.connect(stack.nats_url)
        info = await connection.jetstream().consumer_info(ORDERS_STREAM, AUDIT_CONSUMER)
        await connection.close()
        return (info.num_pending or 0) + (info.num_ack_pending or 0)

    wait_until(lambda: asyncio.run(left()) == 0, "every event is acknowledged")


def rows(dsn: str, query: str, *arguments: object) -> list[asyncpg.Record]:
    async def fetch() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(dsn)
        try:
            return await connection.fetch(query, *arguments)
        finally:
            await connection.close()

    return asyncio.run(fetch())


@pytest.mark.usefixtures("bus")
def test_a_disappearance_reaches_the_bus_before_its_fill(stack: LocalStack) -> None:
    play(stack, "full_fill")
    events = [decode(data) for _, data in orders_published(stack.nats_url)]
    told = [type(event) for event in events if isinstance(event, OrderDisappeared | OrderFilled)]
    assert told == [OrderDisappeared, OrderFilled]


def test_fills_are_the_same_to_the_byte_whether_the_audit_works_fails_or_is_not_there(
    stack: LocalStack, bus: Callable[[], None], postgres_dsn: Dsn
) -> None:
    play(stack, "two_fills_one_ledger")
    without = fills_of(orders_published(stack.nats_url))
    bus()
    with audit_writer(stack, postgres_dsn("audit_writer")):
        play(stack, "two_fills_one_ledger")
        wait_until_all_is_acknowledged(stack)
    working = fills_of(orders_published(stack.nats_url))
    bus()
    stack.stop_postgres()
    try:
        with audit_writer(stack, postgres_dsn("audit_writer")):
            play(stack, "two_fills_one_ledger")
            failing = fills_of(orders_published(stack.nats_url))
    finally:
        stack.start_postgres()
    assert without == working == failing != []


@pytest.mark.usefixtures("bus")
def test_a_cancel_of_the_engines_own_writes_no_anomaly_row_and_a_strangers_writes_one(
    stack: LocalStack, postgres_dsn: Dsn
) -> None:
    with audit_writer(stack, postgres_dsn("audit_writer")):
        for name in ("canceled", "cancel_race_same_ledger", "canceled_elsewhere"):
            play(stack, name)
        wait_until_all_is_acknowledged(stack)
    found = rows(postgres_dsn(), "SELECT session_id, removal_reason FROM reconciler_anomaly_log")
    assert [tuple(row) for row in found] == [("canceled_elsewhere", "CANCELED")]


@pytest.mark.usefixtures("bus")
def test_what_happened_while_the_audit_writer_was_away_is_all_there_after_its_return(
    stack: LocalStack, postgres_dsn: Dsn
) -> None:
    play(stack, "underfunded_partial")
    with audit_writer(stack, postgres_dsn("audit_writer")):
        wait_until_all_is_acknowledged(stack)
    network = network_of(find_session("underfunded_partial"))
    found = rows(postgres_dsn(), "SELECT event_type, status FROM order_event WHERE network_id = $1", network)
    assert sorted(tuple(row) for row in found) == [
        ("order.accepted", "ACCEPTED"),
        ("order.disappeared", "REMOVED"),
        ("order.filled", "REMOVED"),
    ]


def test_the_chip_counts_nothing_on_a_database_without_the_table(empty_postgres_dsn: Dsn) -> None:
    assert asyncio.run(open_anomalies(empty_postgres_dsn())) == 0
