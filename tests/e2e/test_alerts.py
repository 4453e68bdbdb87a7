"""Prometheus's alerts stay quiet, fire and resolve on what running services show of real troubles."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
from typing import TYPE_CHECKING
from urllib.request import urlopen

import asyncpg
import nats
import pytest
from fillproof_command import fillproof
from following import announce, environment, until_followed
from on_the_bus import stored
from prometheus_minutes import Minutes
from replaying import Client as NodeClient
from replaying import recorded, serving
from sample_events import mixed
from waiting import limit, until_found

from order_events import HistoryGap, Resolution, decode, encode
from order_events.subjects import ORDERS_STREAM

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from conftest import Dsn
    from nats.aio.client import Client

    from local_stack import Child, LocalStack

pytestmark = pytest.mark.stack

OF_THE_RECONCILER = ("ReconcilerStale", "BusDisconnected", "ReconcilerDown")
OF_THE_LEDGERS = ("ReconcilerHalted", "LedgerGap")
OF_THE_AUDIT_WRITER = ("DeadLetters", "ConsumerLag", "AuditWriterDown")


@pytest.fixture(scope="module")
def promtool() -> str:
    return shutil.which("promtool") or pytest.skip("promtool is not installed: run tests/ops/tools.sh")


@pytest.fixture
def start(stack: LocalStack, tmp_path: Path) -> Iterator[Callable[..., Child]]:
    """Start a service; all are killed at the end."""
    started: list[Child] = []

    def spawn(module: str, environment: dict[str, str]) -> Child:
        log = tmp_path / f"{module}{len(started)}.log"
        started.append(stack.spawn(module, env=environment, log_path=log))
        return started[-1]

    yield spawn
    for child in started:
        child.kill()


@pytest.fixture
async def client(provisioned_nats_url: str) -> AsyncIterator[Client]:
    connection = await nats.connect(provisioned_nats_url, reconnect_time_wait=0.1, max_reconnect_attempts=-1)
    yield connection
    await connection.close()


async def shows(url: str, pattern: str) -> None:
    """Wait until a line of the service's metrics looks like that."""

    def look() -> re.Match[str] | None:
        with urlopen(f"{url}/metrics", timeout=limit()) as answer:  # noqa: S310 - our own process
            return re.search(f"^{pattern}$", answer.read().decode(), re.MULTILINE)

    await until_found(lambda: asyncio.to_thread(look))


async def healed(client: Client) -> bool:
    events = [decode(payload) for payload in await stored(client.jetstream())]
    return any(isinstance(one, HistoryGap) and one.resolution is Resolution.RESOLVED for one in events)


async def ledgers_close(node: NodeClient, url: str, minutes: Minutes, count: int) -> None:
    """Let a ledger close and be folded in each of so many minutes."""
    for _ in range(count):
        node.node.close_ledger()
        newest = node.node.chain.validated.ledger_index
        await shows(url, rf"reconciler_validated_ledger {float(newest)}")
        await shows(url, r"reconciler_cursor_lag_ledgers 0\.0")
        minutes.look()


async def test_ledgers_that_do_not_come_a_bus_that_is_away_and_a_dead_reconciler(
    start: Callable[..., Child], stack: LocalStack, provisioned_nats_url: str, promtool: str, tmp_path: Path
) -> None:
    session = recorded("random_amm_3")
    minutes = Minutes("reconciler")
    async with serving(session.name) as node:
        child = start("reconciler", environment(provisioned_nats_url, node.url, session))
        url = child.wait_ready()
        minutes.answers("reconciler", url)
        await ledgers_close(node, url, minutes, 6)
        minutes.expect()
        minutes.look(7)
        minutes.expect("ReconcilerStale")
        await ledgers_close(node, url, minutes, 6)
        minutes.expect()
        stack.kill_nats()
        await shows(url, r"reconciler_bus_connected 0\.0")
        minutes.look(2)
        minutes.expect("BusDisconnected")
        stack.restart_nats()
        await shows(url, r"reconciler_bus_connected 1\.0")
        await ledgers_close(node, url, minutes, 6)
        minutes.expect()
        child.kill()
        minutes.answers("reconciler", None)
        minutes.look(3)
        minutes.expect("ReconcilerDown")
        again = start("reconciler", environment(provisioned_nats_url, node.url, session)).wait_ready()
        minutes.answers("reconciler", again)
        await ledgers_close(node, again, minutes, 6)
        minutes.expect()
    assert minutes.judged(promtool, tmp_path, *OF_THE_RECONCILER) == ""


async def test_a_halt_until_an_operator_ends_it_and_a_gap_until_a_server_has_its_ledgers(
    start: Callable[..., Child], client: Client, provisioned_nats_url: str, promtool: str, tmp_path: Path
) -> None:
    session = recorded("never_placed")
    first, last = session.ledgers[0].ledger_index, session.ledgers[-1].ledger_index
    await announce(client.jetstream(), session)
    minutes = Minutes("reconciler")
    async with serving(session.name) as holed, serving(session.name) as whole:
        variables = environment(
            provisioned_nats_url, holed.url, session, HALT_AFTER_UNRESOLVED=1, GAP_PATIENCE=0
        )
        child = start("reconciler", variables)
        url = child.wait_ready()
        minutes.answers("reconciler", url)
        await until_followed(client, session, first)
        minutes.look(7)
        minutes.expect()
        holed.node.faults.change({"hole": [first + 1, last - 1]})
        holed.close_all()
        await shows(url, r"reconciler_open_gaps 1\.0")
        await shows(url, r"reconciler_halted 1\.0")
        minutes.look(7)
        minutes.expect("ReconcilerHalted", "LedgerGap")
        resume = ("resume", session.accounts["maker"], "--note", "looked", "--by", "ada")
        answer = await asyncio.to_thread(fillproof, *resume, "--nats", provisioned_nats_url)
        assert answer.returncode == 0, answer.stderr
        await shows(url, r"reconciler_halted 0\.0")
        minutes.look()
        minutes.expect("LedgerGap")
        child.stop()
        whole.close_all()
        both = {**variables, "FILLPROOF_XRPL_URLS": f"{holed.url},{whole.url}"}
        url = start("reconciler", both).wait_ready()
        minutes.answers("reconciler", url)
        await until_found(lambda: healed(client))
        await shows(url, r"reconciler_open_gaps 0\.0")
        minutes.look()
        minutes.expect()
    assert minutes.judged(promtool, tmp_path, *OF_THE_LEDGERS) == ""


async def test_bad_messages_a_backlog_and_a_dead_audit_writer(
    start: Callable[..., Child], client: Client, postgres_dsn: Dsn, promtool: str, tmp_path: Path
) -> None:
    jetstream, bus = client.jetstream(), str(client.servers[0].geturl())
    writer = {"FILLPROOF_NATS_URL": bus, "FILLPROOF_DATABASE_URL": postgres_dsn("audit_writer")}
    child = start("audit_writer", writer)
    url = child.wait_ready()
    minutes = Minutes("audit_writer")
    minutes.answers("audit_writer", url)
    minutes.look(16)
    minutes.expect()
    await jetstream.publish("order.filled.rX", b"no event", stream=ORDERS_STREAM)
    await shows(url, r'audit_writer_events_total\{event_type="unknown",result="malformed"\} 1\.0')
    minutes.look(2)
    minutes.expect("DeadLetters")
    minutes.look(16)
    minutes.expect()
    async with locked(postgres_dsn()):
        for event in mixed(12_000):
            await jetstream.publish_async("order.filled.rX", encode(event), stream=ORDERS_STREAM)
        await jetstream.publish_async_completed()
        await shows(url, r'audit_writer_pending\{stream="ORDERS"\} ([5-9]\d{3}|1\d{4})\.0')
        minutes.look(11)
        minutes.expect("ConsumerLag")
    await shows(url, r'audit_writer_pending\{stream="ORDERS"\} 0\.0')
    minutes.look()
    minutes.expect()
    child.kill()
    minutes.answers("audit_writer", None)
    minutes.look(3)
    minutes.expect("AuditWriterDown")
    minutes.answers("audit_writer", start("audit_writer", writer).wait_ready())
    minutes.look()
    minutes.expect()
    assert minutes.judged(promtool, tmp_path, *OF_THE_AUDIT_WRITER) == ""


@contextlib.asynccontextmanager
async def locked(dsn: str) -> AsyncIterator[None]:
    """Have every write of an event wait."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE order_event IN ACCESS EXCLUSIVE MODE")
            yield
    finally:
        await connection.close()
