"""One long run of the audit writer: an outage made up for while events go on arriving, then ever more.

Six tenths of the events wait when the writer starts (of a million: ten minutes of 1,000 a second), and 1,000
more arrive every second. Once they are caught up with, the rest comes as fast as the bus takes it, and at the
end `fillproof verify` holds every row against the chain. Memory is looked at all along.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from bench.backlog import BATCH, acknowledged, publish, reach
from rich.progress import track
from rich.table import Table

from order_events.subjects import AUDIT_CONSUMER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nats.aio.client import Client
    from rich.console import Console

    from local_stack import Child, LocalStack

FILLPROOF = Path(sys.executable).with_name("fillproof")
DATABASE = "fillproof"
LOOK_SECONDS = 0.1
STEPS = 10
EARLY_SECONDS = 5
MIB = 2**20


class Memory:
    """What a process uses, in MiB, now and at most."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self.now = self.most = 0.0

    def look(self) -> None:
        """Look once."""
        self.now = self._process.memory_info().rss / MIB
        self.most = max(self.most, self.now)


class Arriving:
    """Events that come to the bus one after the other, a thousand a second or as fast as it takes them."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.published = 0

    @contextlib.asynccontextmanager
    async def steadily(self) -> AsyncIterator[None]:
        """Publish a thousand a second meanwhile."""
        going_on = True

        async def arrive() -> None:
            started, first = time.perf_counter(), self.published
            while going_on:
                behind = int((time.perf_counter() - started) * BATCH) - (self.published - first)
                if behind >= BATCH / 10:
                    await self.more(behind)
                await asyncio.sleep(LOOK_SECONDS)

        arriving = asyncio.create_task(arrive())
        try:
            yield
        finally:
            going_on = False
            await arriving

    async def more(self, count: int) -> None:
        """Publish so many."""
        await publish(self._client, self.published, count)
        self.published += count


class Course:
    """How far the writer has come, step by step."""

    def __init__(self, writer: Child, *, step: int) -> None:
        self._writer = writer
        self._step = step
        self._memory = Memory(writer.pid)
        self._started = time.perf_counter()
        self._steps: list[tuple[int, float, float]] = [(0, 0.0, 0.0)]
        """Events stored, seconds, MiB."""

    def seconds(self) -> float:
        """Return the time since the start."""
        return time.perf_counter() - self._started

    async def look(self, client: Client) -> int:
        """Wait a moment and return how many events are stored."""
        await asyncio.sleep(LOOK_SECONDS)
        self._writer.check()
        self._memory.look()
        done = await acknowledged(client, AUDIT_CONSUMER)
        if done >= self._steps[-1][0] // self._step * self._step + self._step:
            self._steps.append((done, self.seconds(), self._memory.now))
        return done

    def table(self, title: str) -> Table:
        """Return the steps."""
        table = Table(title=title, title_justify="left")
        for heading in ("stored", "seconds", "events/s", "MiB", "x the first"):
            table.add_column(heading, justify="right")
        _, (_, _, first), *_ = self._steps
        for (before, since, _), (done, took, used) in itertools.pairwise(self._steps):
            speed = (done - before) / (took - since)
            table.add_row(f"{done:,}", f"{took:,.1f}", f"{speed:,.0f}", f"{used:.1f}", f"{used / first:.2f}")
        table.add_row("at most", "", "", f"{self._memory.most:.1f}", f"{self._memory.most / first:.2f}")
        return table


async def caught_up(client: Client, arriving: Arriving, course: Course) -> float:
    """Return after how many seconds nothing waits but what has just arrived."""
    async with arriving.steadily():
        while arriving.published - await course.look(client) >= BATCH:
            pass
    return course.seconds()


async def endure(console: Console, stack: LocalStack, client: Client, events: int) -> None:
    """Measure the long run and print it."""
    stack.migrate(DATABASE)
    backlog = events * 6 // 10
    arriving = Arriving(client)
    for _ in track(range(backlog // BATCH), "publishing", console=console, transient=True):
        await arriving.more(BATCH)
    environment = {
        "FILLPROOF_NATS_URL": stack.nats_url,
        "FILLPROOF_DATABASE_URL": stack.postgres_dsn("audit_writer", DATABASE),
    }
    writer = stack.spawn("audit_writer", env=environment)
    await reach(client, AUDIT_CONSUMER, 1, writer)
    course = Course(writer, step=events // STEPS)
    with console.status("storing"):
        seconds = await caught_up(client, arriving, course)
        rest = asyncio.create_task(arriving.more(events - arriving.published))
        while await course.look(client) < events:
            pass
        await rest
    console.print(course.table(f"{events:,} events through one audit writer"))
    console.print(
        f"{backlog:,} that waited were caught up with in {seconds:.1f} s, while 1,000 a second arrived"
    )
    console.print("to reach: 600,000 in less than 120 s\n")
    writer.stop()
    console.print(await verified(console, stack.postgres_dsn("owner", DATABASE), events))


async def verified(console: Console, dsn: str, events: int) -> Table:
    """Return how long `fillproof verify` takes over all of it, and with what memory."""
    process = await asyncio.create_subprocess_exec(
        FILLPROOF, "verify", "--database", dsn, stdout=asyncio.subprocess.PIPE
    )
    memory, started, early = Memory(process.pid), time.perf_counter(), 0.0
    ending = asyncio.create_task(process.communicate())
    with console.status("verifying"):
        while not ending.done():
            with contextlib.suppress(psutil.Error):  # it has just ended
                memory.look()
            if time.perf_counter() - started < EARLY_SECONDS:
                early = memory.most
            await asyncio.wait([ending], timeout=LOOK_SECONDS)
    took, (said, _) = time.perf_counter() - started, ending.result()
    if process.returncode or f"{events} events" not in said.decode():
        raise AssertionError(f"expected {events} events as they were stored, found: {said.decode()}")
    table = Table(title=f"fillproof verify of {events:,} events", title_justify="left")
    for heading in ("seconds", "events/s", f"most MiB in the first {EARLY_SECONDS} s", "most MiB"):
        table.add_column(heading, justify="right")
    table.add_row(f"{took:.1f}", f"{events / took:,.0f}", f"{early:.1f}", f"{memory.most:.1f}")
    return table
