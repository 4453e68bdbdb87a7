"""How fast the audit writer stores events, from the bus to their acknowledgement: `make bench`.

Every contender gets the same events in an empty database of its own, in turns. `--events N` measures one long
run of the writer instead (endurance.py).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import statistics
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg
import msgspec
import nats
import nats.js.errors
from bench.backlog import made_events, publish, rate
from bench.endurance import endure
from bench.rivals import PLAIN, copy_rate
from on_the_bus import EVENTS as EVENTS_FOLDER
from rich.console import Console
from rich.progress import track
from rich.table import Table

from audit_log import write_signing_key
from local_stack import LocalStack
from order_events import LedgerProof, decode, encode
from order_events.subjects import AUDIT_CONSUMER, ORDERS_STREAM
from service_kit import StreamSettings, provision

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from nats.aio.client import Client

EVENTS = 20_000
PROOFS_A_SECOND = 10
"""Of some 12 kB, as of a ledger that changed one order; mainnet closes a ledger in 3.5 seconds."""
FEW = 2_000
"""So many of them go through the consumer that takes one at a time."""
ROUNDS = 5
TEMPLATE = "template_migrated"
"""What the databases are copies of."""
DATABASE = "bench"
NONE: Mapping[str, str] = MappingProxyType({})
SIGNING = "the audit writer, a checkpoint each second"
CHECKPOINTS = {
    "FILLPROOF_CHECKPOINT_SIGNING_KEY": write_signing_key("fillproof/bench", bytes(32)),
    "FILLPROOF_CHECKPOINT_SECONDS": "1",
}
"""Sixty times as many as by default."""


class Bench:
    """The servers, the events on the bus, and one empty database after the other."""

    def __init__(self, stack: LocalStack, client: Client) -> None:
        self._stack = stack
        self._client = client
        self._started = 0

    async def copy(self, prefix: str) -> float:
        """Measure COPY into the tables of that prefix."""
        events = [(event, encode(event)) for event in made_events(0, EVENTS)]
        return await copy_rate(self._new_database(), events, prefix)

    async def one_by_one(self) -> float:
        """Measure a FastStream consumer with one INSERT, and commit, an event."""
        return await self._rival("one_by_one", FEW)

    async def executemany(self) -> float:
        """Measure a FastStream consumer of batches with executemany."""
        return await self._rival("executemany", EVENTS)

    async def ours(self, **settings: str) -> float:
        """Measure the audit writer as it is deployed, with more settings where they are given."""
        self._new_database()
        await self._forget(AUDIT_CONSUMER)
        await provision(self._client.jetstream(), StreamSettings())
        return await self._measured(
            "audit_writer",
            consumer=AUDIT_CONSUMER,
            dsn=self._stack.postgres_dsn("audit_writer", DATABASE),
            settings=settings,
        )

    async def ours_beside_proofs(self) -> float:
        """Measure the audit writer while it also keeps proofs, 35 times as many as mainnet has ledgers."""
        publishing = asyncio.create_task(self._publish_proofs())
        try:
            return await self.ours()
        finally:
            publishing.cancel()

    async def _publish_proofs(self) -> None:
        sample = decode((EVENTS_FOLDER / "proof.ledger.json").read_bytes())
        assert isinstance(sample, LedgerProof)
        for number in itertools.count():
            proof = msgspec.structs.replace(
                sample,
                event_id=UUID(int=number),
                ledger_index=number,
                ledger_hash=f"{number:064X}",
                validations=sample.validations * 14,
            )
            with contextlib.suppress(nats.errors.Error, nats.js.errors.Error):  # its consumer is made anew
                await self._client.jetstream().publish(f"proof.{number}", encode(proof))
            await asyncio.sleep(1 / PROOFS_A_SECOND)

    async def _rival(self, kind: str, events: int) -> float:
        owner = self._new_database()
        connection = await asyncpg.connect(owner)
        await connection.execute(PLAIN)
        await connection.close()
        await self._forget(kind)
        return await self._measured("bench.rivals", kind, consumer=kind, dsn=owner, events=events)

    async def _measured(
        self,
        module: str,
        *arguments: str,
        consumer: str,
        dsn: str,
        events: int = EVENTS,
        settings: Mapping[str, str] = NONE,
    ) -> float:
        self._started += 1
        environment = {"FILLPROOF_NATS_URL": self._stack.nats_url, "FILLPROOF_DATABASE_URL": dsn, **settings}
        worker = self._stack.spawn(module, *arguments, name=f"{consumer}-{self._started}", env=environment)
        try:
            return await rate(self._client, consumer, events, worker)
        finally:
            worker.stop()

    def _new_database(self) -> str:
        self._stack.drop_database(DATABASE)
        self._stack.create_database(DATABASE, template=TEMPLATE)
        return self._stack.postgres_dsn("owner", DATABASE)

    async def _forget(self, consumer: str) -> None:
        """Delete a consumer, so that it begins with the first event again."""
        jetstream = self._client.jetstream()
        if consumer in [info.name for info in await jetstream.consumers_info(ORDERS_STREAM)]:
            await jetstream.delete_consumer(ORDERS_STREAM, consumer)


async def compare(console: Console, stack: LocalStack, client: Client) -> Table:
    """Measure all contenders in turns."""
    await publish(client, 0, EVENTS)
    bench = Bench(stack, client)
    contenders: dict[str, Callable[[], Awaitable[float]]] = {
        "plain COPY, no bus": partial(bench.copy, "plain_"),
        "COPY into the audit tables, no bus": partial(bench.copy, ""),
        "the audit writer": bench.ours,
        SIGNING: partial(bench.ours, **CHECKPOINTS),
        "the audit writer, proofs beside": bench.ours_beside_proofs,
        "FastStream batches + executemany": bench.executemany,
        "FastStream one by one + INSERT": bench.one_by_one,
    }
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    turns = [(name, measure) for _ in range(ROUNDS) for name, measure in contenders.items()]
    for name, measure in track(turns, "storing", console=console, transient=True):
        rates[name].append(await measure())
    names = list(rates)
    table = Table(title=f"{EVENTS:,} events, from the bus to their acknowledgement", title_justify="left")
    for heading in ("", "events/s", "x COPY", "x one by one"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, found in rates.items():
        of_copy, of_single = (ratio(found, rates[base]) for base in (names[0], names[-1]))
        table.add_row(name, f"{statistics.median(found):,.0f}", f"{of_copy:.2f}", f"{of_single:.1f}")
    alone, beside = rates["the audit writer"], rates["the audit writer, proofs beside"]
    table.caption = (
        "medians; ratios are taken in each turn\nto reach: 0.4 times COPY, 15 times one by one\n"
        f"with {PROOFS_A_SECOND} proofs a second beside them {ratio(beside, alone):.2f} times as fast\n"
        f"with a checkpoint a second {ratio(rates[SIGNING], alone):.2f} times (to reach: 0.95)"
    )
    return table


def ratio(found: list[float], base: list[float]) -> float:
    """Return the median of the turns' ratios: what else the machine does hits a whole turn."""
    return statistics.median(one / other for one, other in zip(found, base, strict=True))


async def measured(console: Console, stack: LocalStack, events: int | None) -> None:
    """Print what was asked for."""
    client = await nats.connect(stack.nats_url)
    try:
        await provision(client.jetstream(), StreamSettings())
        if events is None:
            console.print(await compare(console, stack, client))
        else:
            await endure(console, stack, client, events)
    finally:
        await client.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="tests/bench/store.py", description=__doc__)
    parser.add_argument("--events", type=int, metavar="N", help="one long run over N events")
    asked = parser.parse_args()
    with LocalStack.start() as stack:
        stack.create_database(TEMPLATE)
        stack.migrate(TEMPLATE)
        asyncio.run(measured(Console(), stack, asked.events))


if __name__ == "__main__":
    main()
