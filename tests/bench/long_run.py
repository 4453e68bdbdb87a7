"""A long run of all parts on one made-up day of trading: what grows, and what does not.

`PYTHONPATH=tests .venv/bin/python tests/bench/long_run.py --ledgers 20000` takes about half an hour. Memory,
open files, threads, and what the bus and the database keep are looked at after each twentieth of the ledgers;
the second half of the run, when every cache is full, says what a year adds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from typing import TYPE_CHECKING

import asyncpg
import msgspec
import nats
import psutil
from bench.partial_fills import FIRST_LEDGER, MAKER
from bench.trading_day import TradingDay
from rich.console import Console
from rich.table import Table

from local_stack import LocalStack
from offer_lifecycle import parse_amount
from order_events import CancelRequested, OrderSubmitted, encode
from order_events.subjects import (
    AUDIT_CONSUMER,
    ENGINE_STREAM,
    ORDERS_STREAM,
    PROOFS_STREAM,
    STATE_BUCKET,
    engine_subject,
)
from replay_node.faults import Faults
from replay_node.node import Node
from replay_node.pace import Pace
from replay_node.server import listening
from service_kit import StreamSettings, provision

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nats.js import JetStreamContext

    from local_stack import Child
    from replay_node.session import RecordedLedger

LEDGERS = 20_000
SAMPLES = 20
LEDGER_SECONDS = 0.05
FURTHEST_BEHIND = 64
"""Ledgers that the reconciler may be behind before the next one closes."""
LEDGERS_A_YEAR = 365 * 21_600
"""One each 4 seconds."""
MIB = 2**20
GIB = 2**30
PATIENCE_SECONDS = 600.0
PROCESSES = ("reconciler", "audit writer", "nats-server", "PostgreSQL")
STREAMS = (ORDERS_STREAM, ENGINE_STREAM, PROOFS_STREAM, f"KV_{STATE_BUCKET}")
DATABASE = "database"


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """What a process and its children hold."""

    memory: int
    """Bytes."""
    files: int
    threads: int


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """What everything holds after a ledger."""

    ledger: int
    """Counted from the first."""
    processes: dict[str, Process]
    stores: dict[str, int]
    """Bytes, by stream or bucket and for the database."""
    messages: dict[str, int]
    """Stored on each stream or bucket."""


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ledgers", type=int, default=LEDGERS)
    ledgers = parser.parse_args().ledgers
    console = Console(width=160)
    console.print(f"making {ledgers:,} ledgers ...")
    session = TradingDay().session(ledgers)
    node = Node(session, pace=Pace(), faults=Faults(), validators=0)
    with LocalStack.start() as stack:
        stack.migrate()
        samples = asyncio.run(_run(stack, node, session.ledgers, console))
    console.print(of_processes(samples))
    console.print(of_stores(samples))


async def _run(
    stack: LocalStack, node: Node, ledgers: tuple[RecordedLedger, ...], console: Console
) -> list[Sample]:
    client = await nats.connect(stack.nats_url)
    jetstream = client.jetstream(timeout=PATIENCE_SECONDS)
    await provision(jetstream, StreamSettings())
    database = await asyncpg.connect(stack.postgres_dsn())
    samples: list[Sample] = []
    async with listening(node, "127.0.0.1", 0) as url:
        children = _services(stack, url.replace("http", "ws", 1))
        for number, ledger in enumerate(ledgers[1:], start=1):
            for announcement in _announcements(ledger):
                await jetstream.publish(
                    engine_subject(announcement), encode(announcement), stream=ENGINE_STREAM
                )
            node.close_ledger()
            await asyncio.sleep(LEDGER_SECONDS)
            if number % FURTHEST_BEHIND == 0:
                await _until_followed(jetstream, ledger.ledger_index - FURTHEST_BEHIND, children)
            if number % max(1, len(ledgers) // SAMPLES) == 0:
                await _until_followed(jetstream, ledger.ledger_index, children)
                await _until_written(jetstream)
                samples.append(await _sample(number, stack, children, jetstream, database))
                console.print(msgspec.json.encode(samples[-1]).decode(), soft_wrap=True, highlight=False)
    told = await database.fetch(_TOLD)
    console.print(", ".join(f"{row['count']:,} {row['event_type']}" for row in told))
    await database.close()
    await client.close()
    return samples


def _services(stack: LocalStack, node_url: str) -> dict[str, Child]:
    follow = {
        "FILLPROOF_NATS_URL": stack.nats_url,
        "FILLPROOF_XRPL_URLS": node_url,
        "FILLPROOF_ACCOUNTS": MAKER,
        "FILLPROOF_START_LEDGER": str(FIRST_LEDGER),
    }
    store = {
        "FILLPROOF_NATS_URL": stack.nats_url,
        "FILLPROOF_DATABASE_URL": stack.postgres_dsn("audit_writer"),
    }
    return {
        "reconciler": stack.spawn("reconciler", env=follow),
        "audit writer": stack.spawn("audit_writer", env=store),
    }


def _announcements(ledger: RecordedLedger) -> Iterator[OrderSubmitted | CancelRequested]:
    """Yield what the maker's engine says before the ledger closes."""
    for raw in ledger.transactions:
        said = {
            "account": MAKER,
            "session_id": "day",
            "validated_ledger_index": ledger.ledger_index - 1,
            "transaction_hash": raw["hash"],
        }
        if raw["Account"] != MAKER:
            continue
        if raw["TransactionType"] == "OfferCancel":
            yield CancelRequested(sequence=raw["OfferSequence"], **said)
        else:
            amounts = {name: parse_amount(raw[field]) for name, field in _AMOUNTS.items()}
            yield OrderSubmitted(
                sequence=raw["Sequence"], last_ledger_sequence=ledger.ledger_index + 5, **amounts, **said
            )


_TOLD = "SELECT event_type, count(*) FROM order_event GROUP BY event_type ORDER BY event_type"
_AMOUNTS = {"taker_gets": "TakerGets", "taker_pays": "TakerPays"}


async def _until_followed(jetstream: JetStreamContext, ledger_index: int, children: dict[str, Child]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await _cursor(jetstream) < ledger_index:
            for child in children.values():
                child.check()
            await asyncio.sleep(LEDGER_SECONDS)


async def _cursor(jetstream: JetStreamContext) -> int:
    try:
        found = await jetstream.get_last_msg(f"KV_{STATE_BUCKET}", f"$KV.{STATE_BUCKET}.0.{MAKER}.account")
    except nats.js.errors.NotFoundError:
        return 0
    cursor: int = json.loads(found.data or b"")["record"]["ledger_index"]
    return cursor


async def _until_written(jetstream: JetStreamContext) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        for stream in (ORDERS_STREAM, PROOFS_STREAM):
            while True:
                info = await jetstream.consumer_info(stream, AUDIT_CONSUMER)
                if not info.num_pending and not info.num_ack_pending:
                    break
                await asyncio.sleep(LEDGER_SECONDS)


async def _sample(
    number: int,
    stack: LocalStack,
    children: dict[str, Child],
    jetstream: JetStreamContext,
    database: asyncpg.Connection,
) -> Sample:
    pids = {name: child.pid for name, child in children.items()}
    pids["nats-server"] = stack.nats_pid
    pids["PostgreSQL"] = await _postmaster(database)
    states = {name: (await jetstream.stream_info(name)).state for name in STREAMS}
    stored: int = await database.fetchval("SELECT pg_database_size(current_database())")
    return Sample(
        ledger=number,
        processes={name: await asyncio.to_thread(_held, pid) for name, pid in pids.items()},
        stores={name: state.bytes for name, state in states.items()} | {DATABASE: stored},
        messages={name: state.messages for name, state in states.items()},
    )


async def _postmaster(database: asyncpg.Connection) -> int:
    backend: int = await database.fetchval("SELECT pg_backend_pid()")
    parent = psutil.Process(backend).parent()
    assert parent is not None
    return parent.pid


def _held(pid: int) -> Process:
    process = psutil.Process(pid)
    family = [process, *process.children(recursive=True)]
    return Process(
        # PostgreSQL's processes share memory: each one's part of it is counted once
        memory=sum(one.memory_full_info().pss for one in family),
        files=sum(one.num_fds() for one in family),
        threads=sum(one.num_threads() for one in family),
    )


def of_processes(samples: list[Sample]) -> Table:
    """Return what the processes held at five moments, and what their memory would have grown by in a year."""
    table = Table(title="Processes: MiB, open files, threads", title_justify="left")
    table.add_column("after ledger", justify="right")
    for name in PROCESSES:
        table.add_column(name, justify="right")
    for sample in _shown(samples):
        cells = (sample.processes[name] for name in PROCESSES)
        row = [f"{one.memory / MIB:,.0f}, {one.files}, {one.threads}" for one in cells]
        table.add_row(f"{sample.ledger:,}", *row)
    grown = [_a_ledger(samples, lambda one, name=name: one.processes[name].memory) for name in PROCESSES]
    table.add_row("a ledger, second half", *(f"{one:,.0f} bytes" for one in grown))
    return table


def of_stores(samples: list[Sample]) -> Table:
    """Return what the stores held at five moments, and a year of the second half."""
    names = (*STREAMS, DATABASE)
    table = Table(title="Stores: MiB (messages)", title_justify="left")
    table.add_column("after ledger", justify="right")
    for name in names:
        table.add_column(name, justify="right")
    for sample in _shown(samples):
        row = [
            f"{sample.stores[name] / MIB:,.1f}"
            + (f" ({sample.messages[name]:,})" if name in sample.messages else "")
            for name in names
        ]
        table.add_row(f"{sample.ledger:,}", *row)
    grown = [_a_ledger(samples, lambda one, name=name: one.stores[name]) for name in names]
    table.add_row("a ledger, second half", *(f"{one:,.0f} bytes" for one in grown))
    table.add_row(
        "a year, were nothing removed", *(f"{one * LEDGERS_A_YEAR / GIB:,.1f} GiB" for one in grown)
    )
    return table


def _shown(samples: list[Sample]) -> list[Sample]:
    """Return five samples, the last one among them."""
    step = max(1, len(samples) // 5)
    return samples[step - 1 :: step]


def _a_ledger(samples: list[Sample], of: Callable[[Sample], int]) -> float:
    """Return by how much something grew with each ledger of the second half."""
    first, *_, last = samples[len(samples) // 2 :]
    return (of(last) - of(first)) / (last.ledger - first.ledger)


if __name__ == "__main__":
    main()
