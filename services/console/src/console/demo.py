"""`fillproof demo`: the whole stack on recorded ledgers, and the answer read back from PostgreSQL."""

import asyncio
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
from local_stack import LocalStack
from order_events import encode
from order_events.subjects import ENGINE_STREAM, engine_subject

AT_ONCE = 2
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
        start_audit_writer(stack)
        _say_where(stack, console)
        _play(recordings, stack, options, console)
        yield asyncio.run(_result(recordings, stack))


class _Run:
    """One session on its way: a node that closes its ledgers and a reconciler that follows them."""

    def __init__(self, recording: Recording, stack: LocalStack, options: Options) -> None:
        session = recording.session
        self.last = session.ledgers[-1].ledger_index
        self.cursor = session.ledgers[0].ledger_index
        self._stack = stack
        asyncio.run(_announce(recording, stack.nats_url))
        pace = str(options.pace) if options.pace else "read"
        network = str(network_of(recording))
        arguments = (str(recording.path), "--pace", pace, "--network-id", network)
        self._node = stack.spawn("replay_node", *arguments, name=f"node-{session.name}")
        node_url = self._node.wait_listening()
        self._reconciler = stack.spawn(
            "reconciler",
            name=f"reconciler-{session.name}",
            env={
                "FILLPROOF_NATS_URL": stack.nats_url,
                "FILLPROOF_XRPL_URLS": node_url.replace("http:", "ws:"),
                "FILLPROOF_ACCOUNTS": ",".join(engine_accounts(session)),
                "FILLPROOF_START_LEDGER": str(self.cursor),
            },
        )
        self._url = self._reconciler.wait_listening()

    def done(self) -> bool:
        """Look how far the reconciler is; whether it has folded the last ledger and owes nothing."""
        self._node.check()
        self._reconciler.check()
        now = metrics(self._url)
        validated, lag = now["reconciler_validated_ledger"], now["reconciler_cursor_lag_ledgers"]
        self.cursor = max(self.cursor, int(validated - lag))
        return self.cursor >= self.last and not now["reconciler_disappearances_owed"]

    def stop(self) -> None:
        """End the session's reconciler and node."""
        self._reconciler.stop()
        self._node.stop()


def _play(recordings: list[Recording], stack: LocalStack, options: Options, console: Console) -> None:
    columns = (
        TextColumn("{task.description:32}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("ledgers"),
        TimeElapsedColumn(),
    )
    waiting, running = list(recordings), dict[TaskID, _Run]()
    with Progress(*columns, console=console) as progress:
        moved = time.monotonic()
        while waiting or running:
            while waiting and len(running) < AT_ONCE:
                recording = waiting.pop(0)
                ledgers = recording.session.ledgers
                total = ledgers[-1].ledger_index - ledgers[0].ledger_index
                task = progress.add_task(recording.session.name, total=total)
                running[task] = _Run(recording, stack, options)
            for task, run in list(running.items()):
                before = run.cursor
                if run.done():
                    run.stop()
                    del running[task]
                if run.cursor != before or task not in running:
                    moved = time.monotonic()
                progress.advance(task, run.cursor - before)
            _give_up_after(moved, "no ledger was folded")
            time.sleep(POLL_SECONDS)
        written = progress.add_task("written to PostgreSQL", total=None)
        _wait_until_written(stack)
        progress.update(written, total=1, completed=1)


def _wait_until_written(stack: LocalStack) -> None:
    left, moved = -1, time.monotonic()
    while left != 0:
        stack.check()
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
