"""`fillproof demo`: the whole stack on recorded ledgers, and the answer read back from PostgreSQL."""

import asyncio
import time
from collections import Counter
from collections.abc import Generator

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from console.errors import BadOption, NotFinished
from console.lines import OrderLine, order_lines
from console.session_run import TAIL_BYTES, SessionRun, network_of
from console.sessions import Recording
from console.stack import local_stack, start_audit_writer
from console.store import open_anomalies, stored_anomalies, stored_events, unwritten
from local_stack import PATIENCE, Child, LocalStack, check_interrupts, patience
from offer_lifecycle import ripple_time_to_datetime

AT_ONCE = 3
"""Sessions that run side by side: each has a node and a reconciler of its own."""
POLL_SECONDS = 0.2
"""A look asks each session's reconciler for its metrics."""


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
    """What the chip counts."""


def demo(recordings: list[Recording], options: Options, console: Console) -> Generator[Result, None, None]:
    """Play the recordings through the whole stack and yield the result while the stack still runs.

    Raises:
        BadOption: two sessions have the same name, or one has no orders.
        StackError: a port is taken, a part does not start or dies.
        NotFinished: nothing moves any more.
        Interrupted: Ctrl-C or TERM.

    """
    names = Counter(recording.session.name for recording in recordings)
    if doubled := [name for name, count in names.items() if count > 1]:
        raise BadOption(f"expected sessions with different names, found {doubled[0]} twice")
    if idle := [recording.path for recording in recordings if not recording.session.orders]:
        raise BadOption(f"expected sessions in which an engine places orders, found none in {idle[0]}")
    console.print("Starting NATS, PostgreSQL and the audit writer ...")
    ports = {"nats_port": options.nats_port, "postgres_port": options.postgres_port}
    with local_stack(data_dir=None, **ports) as stack:
        writer = start_audit_writer(stack)
        _say_where(stack, recordings, console)
        _play(recordings, stack, options, console)
        _wait_until_written(stack, writer)
        console.print("All events are written to PostgreSQL.")
        yield asyncio.run(_result(recordings, stack))


def _play(recordings: list[Recording], stack: LocalStack, options: Options, console: Console) -> None:
    columns = (
        TextColumn("{task.description:32}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("ledgers"),
        TimeElapsedColumn(),
    )
    waiting, running = list(recordings), dict[TaskID, SessionRun]()
    moved = time.monotonic()
    silence = patience()
    with Progress(*columns, console=console) as progress:
        while waiting or running:
            check_interrupts()
            while waiting and len(running) < AT_ONCE:
                recording = waiting.pop(0)
                run = SessionRun(recording, stack, pace=options.pace)
                running[progress.add_task(recording.session.name, total=run.last - run.cursor)] = run
            for task, run in list(running.items()):
                before, done = run.cursor, run.done()
                progress.advance(task, run.cursor - before)
                if done:
                    run.end()
                    del running[task]
                if done or run.cursor != before:
                    moved = time.monotonic()
            if time.monotonic() - moved > silence:
                tails = "\n".join(run.log_tail() for run in running.values())
                raise NotFinished(
                    f"no ledger was folded for {silence:g} s ({PATIENCE}); the ends of the logs:\n{tails}"
                )
            time.sleep(POLL_SECONDS)


def _wait_until_written(stack: LocalStack, writer: Child) -> None:
    left, moved = -1, time.monotonic()
    while left != 0:
        check_interrupts()
        writer.check()
        now = asyncio.run(unwritten(stack.nats_url))
        if now != left:
            left, moved = now, time.monotonic()
        if time.monotonic() - moved > patience():
            tail = writer.output()[-TAIL_BYTES:].decode()
            raise NotFinished(
                f"{left} events wait for PostgreSQL ({PATIENCE}); the end of the writer's log:\n{tail}"
            )


async def _result(recordings: list[Recording], stack: LocalStack) -> Result:
    dsn = stack.postgres_dsn("owner")
    lines: list[OrderLine] = []
    for recording in recordings:
        session, network = recording.session, network_of(recording)
        rows = await stored_anomalies(dsn, network)
        told = order_lines(session.name, session.orders, await stored_events(dsn, network))
        lines += [
            msgspec.structs.replace(line, anomaly=(line.account, line.sequence) in rows) for line in told
        ]
    return Result(lines=lines, anomalies=await open_anomalies(stack.postgres_dsn("grafana_reader")))


def _say_where(stack: LocalStack, recordings: list[Recording], console: Console) -> None:
    console.print(
        "While it runs you can look at\n"
        f"  the orders and anomalies   {stack.psql_command('grafana_reader')}\n"
        f"  the same in a Grafana      {orders_dashboard(recordings)}\n"
        f"  the bus                    {stack.nats_monitoring_url}/jsz?streams=1\n"
        f"  the services' logs         {stack.log_dir}",
        soft_wrap=True,
    )


def orders_dashboard(recordings: list[Recording]) -> str:
    """Return the path of the dashboard *Orders* over the recordings' time, in milliseconds since 1970."""
    ledgers = [ledger for recording in recordings for ledger in recording.session.ledgers]
    times = [ripple_time_to_datetime(ledger.header["close_time"]).timestamp() for ledger in ledgers]
    start, end = int(min(times)) * 1_000, (int(max(times)) + 1) * 1_000
    return f"/d/fillproof-orders?from={start}&to={end}"
