"""`fillproof demo`: the whole stack on recorded ledgers, and the answer read back from PostgreSQL."""

import asyncio
import re
import signal
import time
from collections import Counter
from collections.abc import Iterator
from zlib import crc32

import msgspec
import nats
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from console.engine import announcements, engine_accounts
from console.errors import BadOption, NotFinished
from console.lines import OrderLine, order_lines
from console.sessions import Recording
from console.stack import local_stack, metrics, start_audit_writer
from console.store import stored_anomalies, stored_events, unwritten
from local_stack import Child, LocalStack
from order_events import encode
from order_events.subjects import ENGINE_STREAM, engine_subject

AT_ONCE = 3
"""Sessions that run side by side: each has a node and a reconciler of its own."""
POLL_SECONDS = 0.05
SILENCE_SECONDS = 60.0
"""How long nothing at all may move before the demo gives up."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How to run it."""

    pace: float
    """Seconds between two ledgers; 0: as fast as they are read."""
    nats_port: int
    postgres_port: int


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What PostgreSQL holds at the end."""

    lines: list[OrderLine]
    anomalies: int
    stack: LocalStack
    """Still running: the data can be looked at until the demo's generator is closed."""


def demo(recordings: list[Recording], options: Options, console: Console) -> Iterator[Result]:
    """Play the recordings through the whole stack and yield the result while the stack still runs.

    Raises:
        BadOption: two sessions have the same name.
        StackError: a port is taken, a part does not start or dies.
        NotFinished: nothing moves any more.

    """
    names = Counter(recording.session.name for recording in recordings)
    if doubled := [name for name, count in names.items() if count > 1]:
        raise BadOption(f"expected sessions with different names, found {doubled[0]} twice")
    console.print("Starting NATS, PostgreSQL and the audit writer ...")
    ports = {"nats_port": options.nats_port, "postgres_port": options.postgres_port}
    with local_stack(data_dir=None, **ports) as stack:
        writer = start_audit_writer(stack)
        _say_where(stack, console)
        _play(recordings, stack, options, console)
        _wait_until_written(stack, writer)
        console.print("All events are written to PostgreSQL.")
        yield asyncio.run(_result(recordings, stack))


class _Run:
    """One session on its way: a node that closes its ledgers and a reconciler that follows them.

    Nothing here waits: starting processes is most of the work, and other sessions go on meanwhile.
    """

    def __init__(self, recording: Recording, stack: LocalStack, options: Options) -> None:
        session = recording.session
        self.last = session.ledgers[-1].ledger_index
        self.cursor = session.ledgers[0].ledger_index
        self._accounts = engine_accounts(session)
        self._name = session.name
        self._stack = stack
        asyncio.run(_announce(recording, stack.nats_url))
        pace = str(options.pace) if options.pace else "read"
        arguments = (str(recording.path), "--pace", pace, "--network-id", str(network_of(recording)))
        self._node = stack.spawn("replay_node", *arguments, name=f"node-{session.name}")
        self._reconciler: Child | None = None

    def done(self) -> bool:
        """Go on as far as possible; whether the last ledger is folded and nothing owed."""
        self._node.check()
        if self._reconciler is None:
            node_url = _said(self._node, rb'"url":"http:([^"]+)"')
            if node_url is not None:
                self._reconciler = self._follow(f"ws:{node_url}")
            return False
        self._reconciler.check()
        url = _said(self._reconciler, rb"^listening on (\S+)")
        if url is None:
            return False
        now = metrics(url)
        validated, lag = now["reconciler_validated_ledger"], now["reconciler_cursor_lag_ledgers"]
        self.cursor = max(self.cursor, int(validated - lag))
        return self.cursor >= self.last and not now["reconciler_disappearances_owed"]

    def end(self) -> None:
        """Ask the session's reconciler and node to end; the stack waits for them when it stops."""
        for child in (self._reconciler, self._node):
            if child is not None:
                child.send(signal.SIGTERM)

    def _follow(self, node_url: str) -> Child:
        return self._stack.spawn(
            "reconciler",
            name=f"reconciler-{self._name}",
            env={
                "FILLPROOF_NATS_URL": self._stack.nats_url,
                "FILLPROOF_XRPL_URLS": node_url,
                "FILLPROOF_ACCOUNTS": ",".join(self._accounts),
                "FILLPROOF_START_LEDGER": str(self.cursor),
            },
        )


def _said(child: Child, pattern: bytes) -> str | None:
    """Return what a child has announced on its output, None before it has."""
    found = re.search(pattern, child.output(), re.MULTILINE)
    return found[1].decode() if found else None


def _play(recordings: list[Recording], stack: LocalStack, options: Options, console: Console) -> None:
    columns = (
        TextColumn("{task.description:32}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("ledgers"),
        TimeElapsedColumn(),
    )
    waiting, running = list(recordings), dict[TaskID, _Run]()
    moved = time.monotonic()
    with Progress(*columns, console=console) as progress:
        while waiting or running:
            while waiting and len(running) < AT_ONCE:
                recording = waiting.pop(0)
                run = _Run(recording, stack, options)
                running[progress.add_task(recording.session.name, total=run.last - run.cursor)] = run
            for task, run in list(running.items()):
                before, done = run.cursor, run.done()
                progress.advance(task, run.cursor - before)
                if done:
                    run.end()
                    del running[task]
                if done or run.cursor != before:
                    moved = time.monotonic()
            _give_up_after(moved, "no ledger was folded")
            time.sleep(POLL_SECONDS)


def _wait_until_written(stack: LocalStack, writer: Child) -> None:
    left, moved = -1, time.monotonic()
    while left != 0:
        writer.check()
        now = asyncio.run(unwritten(stack.nats_url))
        if now != left:
            left, moved = now, time.monotonic()
        _give_up_after(moved, f"{left} events are not written to PostgreSQL")


def _give_up_after(moved: float, what: str) -> None:
    if time.monotonic() - moved > SILENCE_SECONDS:
        raise NotFinished(f"{what} for {SILENCE_SECONDS:g} s; the services' logs say why")


async def _announce(recording: Recording, nats_url: str) -> None:
    connection = await nats.connect(nats_url)
    try:
        jetstream = connection.jetstream()
        for announcement in announcements(recording.session):
            await jetstream.publish(engine_subject(announcement), encode(announcement), stream=ENGINE_STREAM)
    finally:
        await connection.close()


async def _result(recordings: list[Recording], stack: LocalStack) -> Result:
    dsn = stack.postgres_dsn("owner")
    lines: list[OrderLine] = []
    anomalies = 0
    for recording in recordings:
        session, network = recording.session, network_of(recording)
        rows = await stored_anomalies(dsn, network)
        anomalies += len(rows)
        told = order_lines(session.name, session.orders, await stored_events(dsn, network))
        lines += [
            msgspec.structs.replace(line, anomaly=(line.account, line.sequence) in rows) for line in told
        ]
    return Result(lines=lines, anomalies=anomalies, stack=stack)


def network_of(recording: Recording) -> int:
    """Return a network id of the session's own, so that several recordings do not mix."""
    return crc32(recording.session.name.encode())


def _say_where(stack: LocalStack, console: Console) -> None:
    console.print(
        "While it runs you can look at\n"
        f"  the orders and anomalies   psql {stack.postgres_dsn('grafana_reader')}\n"
        f"  the bus                    {stack.nats_monitoring_url}/jsz?streams=1\n"
        f"  the services' logs         {stack.log_dir}",
        highlight=False,
        soft_wrap=True,
    )
