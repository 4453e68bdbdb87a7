"""Every row held against the chain, and fills and anomalies against the events that they come from."""

import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from importlib.resources import files
from uuid import UUID

import asyncpg
import msgspec

from console.proof.chain import Acts, Break, Chain, Finding, Head, Link, Trust, written_moment
from order_events import Malformed, OrderEvent, decode

_EVENTS = "order_event"
_LINKS_AT_ONCE = 10


@cache
def sql(name: str) -> str:
    """Return a statement of the folder `sql`."""
    return files("console.proof").joinpath(f"sql/{name}.sql").read_text()


class Counts(msgspec.Struct, kw_only=True):
    """What was held against the chain."""

    batches: int = 0
    events: int = 0
    dropped: int = 0
    """Events that retention dropped: their digests stand, their rows are gone."""
    fills: int = 0
    anomalies: int = 0
    unproven: int = 0
    """Anomalies that were there before the events were."""


class _Broken(msgspec.Struct, frozen=True, kw_only=True):
    """A row that does not have the payload that was stored."""

    link: Link
    event_id: UUID
    stored: bytes
    found: bytes
    ledger_index: int | None


class Verification:
    """Reads one state of the database: the connection is in a transaction of level REPEATABLE READ."""

    def __init__(self, connection: asyncpg.Connection, trust: Trust, told: Callable[[int], None]) -> None:
        """Take what is known from outside, and whom to tell how many events were looked at."""
        self._acts = Acts((), trust)
        self.chain = Chain(trust, self._acts)
        self.counts = Counts()
        self._trust = trust
        self._connection = connection
        self._told = told
        self._broken: list[_Broken] = []
        self._suspect: set[UUID] = set()
        """Events that are told of: they are no evidence for other tables."""

    async def findings(self) -> AsyncIterator[Finding]:
        """Tell of everything that is not as it was stored; the chain first, batch by batch."""
        notes = "SELECT position, act FROM public.batch_digest WHERE act IS NOT NULL ORDER BY position"
        self._acts = Acts(map(tuple, await self._connection.fetch(notes)), self._trust)
        self.chain = Chain(self._trust, self._acts)
        async for row in self._connection.cursor(sql("links"), prefetch=_LINKS_AT_ONCE):
            link = _link(row)
            for finding in self.chain.follow(link):
                yield finding
            if link.act is None:
                async for finding in self._rows(link):
                    yield finding
            self.counts.batches += 1
        for finding in self.chain.end(await self._written_head()):
            yield finding
        for finding in self._changed_or_swapped():
            yield finding
        async for finding in self._other_tables():
            yield finding

    async def _rows(self, link: Link) -> AsyncIterator[Finding]:
        leaves = list(zip(link.event_ids, link.occurred_at, link.payload_digests, strict=False))
        rows = await self._connection.fetch(
            sql("rows_of_link"), *map(list, (link.event_ids, link.occurred_at, link.payload_digests))
        )
        gone: list[UUID] = []
        for (event_id, occurred_at, stored), row in zip(leaves, rows, strict=False):
            found = None if row["payload"] is None else hashlib.sha256(row["payload"].encode()).digest()
            if found == stored and row["agrees"]:
                continue
            if found is None and self._acts.dropped(link.position, occurred_at):
                self.counts.dropped += 1
                continue
            self._suspect.add(event_id)
            if found is None:
                gone.append(event_id)
            elif found != stored:
                self._broken.append(
                    _Broken(
                        link=link,
                        event_id=event_id,
                        stored=stored,
                        found=found,
                        ledger_index=row["ledger_index"],
                    )
                )
            else:
                yield _row_finding(
                    Break.CHANGED,
                    link,
                    event_id,
                    row["ledger_index"],
                    "a column is not what the payload says",
                )
        self._told(len(leaves))
        async for finding in self._gone(link, gone):
            yield finding

    async def _gone(self, link: Link, gone: Sequence[UUID]) -> AsyncIterator[Finding]:
        if not gone:
            return
        elsewhere = {row["event_id"]: row for row in await self._connection.fetch(sql("elsewhere"), gone)}
        for event_id in gone:
            if moved := elsewhere.get(event_id):
                at = f"its time is now {written_moment(moved['occurred_at'])}"
                yield _row_finding(Break.CHANGED, link, event_id, moved["ledger_index"], at)
            else:
                span = f"its batch is of ledgers {link.first_ledger} to {link.last_ledger}"
                yield _row_finding(Break.MISSING, link, event_id, None, span)

    def _changed_or_swapped(self) -> Iterator[Finding]:
        owner = {row.stored: row.event_id for row in self._broken}
        for row in self._broken:
            other = owner.get(row.found)
            if other is None:
                what, detail = Break.CHANGED, "the payload is not the one that was stored"
            else:
                what, detail = Break.SWAPPED, f"has the payload of {other}"
            yield _row_finding(what, row.link, row.event_id, row.ledger_index, detail)

    async def _other_tables(self) -> AsyncIterator[Finding]:
        suspect = list(self._suspect)
        for row in await self._connection.fetch(sql("unchained_events"), suspect):
            self._suspect.add(row["event_id"])
            yield Finding(
                what=Break.INSERTED,
                table=_EVENTS,
                ledger_index=row["ledger_index"],
                event_id=str(row["event_id"]),
                detail="no batch names it",
            )
        refused = list(self._acts.refused)
        for row in await self._connection.fetch(sql("dropped_rows"), list(self._suspect), refused):
            yield Finding(
                what=Break.MISSING,
                table="fill or reconciler_anomaly_log",
                event_id=row["event_id"],
                detail="it stayed when its event was dropped",
            )
        for table, statement in (("fill", "fills"), ("reconciler_anomaly_log", "anomalies")):
            for row in await self._connection.fetch(sql(statement), list(self._suspect), refused):
                yield Finding(
                    what=Break(row["what"]),
                    table=table,
                    ledger_index=row["ledger_index"],
                    event_id=row["event_id"],
                    detail="held against its event",
                )
        self.counts.events = await self._count("order_event")
        self.counts.fills = await self._count("fill")
        self.counts.anomalies = await self._count("reconciler_anomaly_log")
        self.counts.unproven = await self._count("unproven_anomaly")

    async def _count(self, table: str) -> int:
        return int(await self._connection.fetchval(f"SELECT count(*) FROM public.{table}"))  # noqa: S608 - ours

    async def _written_head(self) -> Head | None:
        row = await self._connection.fetchrow("SELECT position, digest FROM public.chain_head")
        return None if row is None else Head(row["position"], row["digest"])


def order_events(payloads: Iterable[str]) -> list[OrderEvent]:
    """Return the order events among stored payloads; what is none of the contract is told of by the chain."""
    events = []
    for payload in payloads:
        with suppress(Malformed):
            events.append(decode(payload.encode()))
    return [event for event in events if isinstance(event, OrderEvent)]


def _link(row: asyncpg.Record) -> Link:
    start, end = row["dropped_from"], row["dropped_before"]
    return Link(
        position=row["position"],
        previous=row["previous"],
        digest=row["digest"],
        first_ledger=row["first_ledger"],
        last_ledger=row["last_ledger"],
        event_ids=tuple(row["event_ids"]),
        occurred_at=tuple(row["occurred_at"]),
        payload_digests=tuple(row["payload_digests"]),
        act=row["act"],
        dropped=None if start is None else (start, end),
    )


def _row_finding(what: Break, link: Link, event_id: UUID, ledger_index: int | None, detail: str) -> Finding:
    return Finding(
        what=what,
        table=_EVENTS,
        batch=link.position,
        ledger_index=ledger_index,
        event_id=str(event_id),
        detail=detail,
    )
