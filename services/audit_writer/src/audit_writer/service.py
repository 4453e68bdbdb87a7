"""What becomes of a batch: stored and then acknowledged, or given back whole; bad messages set apart.

1. Nothing is acknowledged before it is committed, or before its dead letter is.
2. An outage of the store is waited out while the messages are held; a stop meanwhile gives them back.
3. A message that can't be stored never blocks the others: the batch is halved until it stands alone.
4. The event id decides what is new, so everything may be done again at any point.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import structlog

from audit_writer.metrics import MALFORMED, REFUSED, STORED, Metrics
from audit_writer.ports import (
    DeadLetters,
    Delivery,
    LetterUndelivered,
    Rows,
    RowsRefused,
    Source,
    Store,
    StoreUnavailable,
    Taken,
)
from order_events import (
    BalanceDrift,
    Malformed,
    OrderDisappeared,
    OrderEvent,
    OrderFilled,
    OrdersEvent,
    ReconcilerEvent,
    decode,
)
from retries import Backoff, retry

log = structlog.stdlib.get_logger("audit_writer.service")


_BACKOFF = Backoff(shortest=0.1, longest=5.0)


class _Stopping(Exception):
    """The service stops while the store is away."""


class Entry(NamedTuple):
    """A message that is an event of stream ORDERS."""

    delivery: Delivery
    event: OrdersEvent
    text: str
    """The payload, as it was published."""


def read(delivery: Delivery) -> Entry:
    """Read a message; raises Malformed with what was expected and what was found."""
    event = decode(delivery.payload)
    if not isinstance(event, OrderEvent | ReconcilerEvent):
        raise Malformed(f"expected an event of stream ORDERS, found {event.__struct_config__.tag}")
    try:
        text = delivery.payload.decode()
    except UnicodeDecodeError as error:  # in a field that no reader of this version looks at
        raise Malformed(f"expected UTF-8: {error}") from error
    return Entry(delivery=delivery, event=event, text=text)


def rows_of(entries: Sequence[Entry]) -> Rows:
    """Return the rows of a batch: every event, the fills among them, and the anomalies."""
    sources = [(entry.delivery.source, entry.event.ledger_index) for entry in entries]
    return Rows(
        events=tuple(entry.text for entry in entries),
        fills=tuple(entry.text for entry in entries if isinstance(entry.event, OrderFilled)),
        anomalies=tuple(entry.text for entry in entries if _is_anomaly(entry.event)),
        taken=tuple(taken_from((source, ledger) for source, ledger in sources if source is not None)),
    )


def taken_from(sources: Iterable[tuple[Source, int | None]]) -> Iterator[Taken]:
    """Yield what was taken from each stream, of messages with the ledgers of their events."""
    by_stream: dict[tuple[str, str], list[tuple[int, int | None]]] = {}
    for source, ledger in sources:
        by_stream.setdefault((source.stream, source.identity), []).append((source.sequence, ledger))
    for (stream, identity), found in by_stream.items():
        ledgers = [ledger for _, ledger in found if ledger is not None]
        yield Taken(
            stream=stream,
            identity=identity,
            sequences=tuple(sorted({sequence for sequence, _ in found})),
            first_ledger=min(ledgers, default=None),
            last_ledger=max(ledgers, default=None),
        )


def _is_anomaly(event: OrdersEvent) -> bool:
    return isinstance(event, BalanceDrift) or (isinstance(event, OrderDisappeared) and event.anomaly)


class AuditWriter:
    """Handles batches, several at once."""

    def __init__(  # noqa: PLR0913 - its ports, all by keyword
        self,
        *,
        store: Store,
        dead_letters: DeadLetters,
        metrics: Metrics,
        stopping: asyncio.Event,
        hold_every: float,
        chance: Callable[[], float],
        backoff: Backoff = _BACKOFF,
    ) -> None:
        """Know the ports, and when to stop.

        Args:
            store: where events are kept.
            dead_letters: where messages go that can't be stored.
            metrics: what is counted.
            stopping: once it is set, a batch is given back if the store is away; otherwise it is finished.
            hold_every: seconds, well below the consumer's ack_wait.
            chance: a number in [0, 1).
            backoff: the pauses between two attempts to write.

        """
        self._store = store
        self._dead_letters = dead_letters
        self._metrics = metrics
        self._hold_every = hold_every
        self._chance = chance
        self._backoff = backoff
        self._stopping = stopping

    async def handle(self, batch: Sequence[Delivery]) -> None:
        """Store and acknowledge a batch; what could not be settled is delivered again."""
        with self._metrics.batch_seconds.time():
            async with self._held(batch):
                apart: list[Delivery] = []
                entries = [entry for delivery in batch if (entry := await self._readable(delivery, apart))]
                try:
                    await self._settle(entries, apart)
                    await self._finish(apart)
                except _Stopping:
                    for delivery in (*(entry.delivery for entry in entries), *apart):
                        await delivery.give_back()
        self._metrics.batch_size.observe(len(batch))

    async def _readable(self, delivery: Delivery, apart: list[Delivery]) -> Entry | None:
        try:
            return read(delivery)
        except Malformed as error:
            if await self._set_apart(delivery, str(error), event_type="unknown", result=MALFORMED):
                apart.append(delivery)
            return None

    async def _settle(self, entries: Sequence[Entry], apart: list[Delivery]) -> None:
        """Store and acknowledge; where the store refuses, halve until the bad ones stand alone."""
        if not entries:
            return
        try:
            new = await self._write(rows_of(entries))
        except RowsRefused as error:
            if len(entries) == 1:
                [bad] = entries
                if await self._set_apart(bad.delivery, str(error), event_type=_type_of(bad), result=REFUSED):
                    apart.append(bad.delivery)
                return
            half = len(entries) // 2
            await self._settle(entries[:half], apart)
            await self._settle(entries[half:], apart)
            return
        self._metrics.duplicates.inc(len(entries) - new)
        for entry in entries:
            await entry.delivery.acknowledge()
        for event_type, count in Counter(map(_type_of, entries)).items():
            self._metrics.events.labels(event_type, STORED).inc(count)

    async def _finish(self, apart: Sequence[Delivery]) -> None:
        """Have the store know what was set apart, which is not missing then, and have it never come again."""
        sources = [(delivery.source, None) for delivery in apart]
        taken = tuple(taken_from((source, ledger) for source, ledger in sources if source is not None))
        if taken:
            await self._write(Rows(events=(), fills=(), anomalies=(), taken=taken))
        for delivery in apart:
            await delivery.terminate()

    async def _write(self, rows: Rows) -> int:
        """Write until it is committed, however long the store is away; return how many events were new."""
        failures, size = 0, len(rows.events)

        def failed(so_far: int, error: Exception) -> None:
            nonlocal failures
            failures = so_far
            self._metrics.store_failures.inc()
            if so_far == 1:
                self._metrics.held.inc(size)
                log.warning("the store is away: holding the batch", size=size, error=str(error))

        try:
            new = await retry(
                partial(self._store.write, rows),
                on=(StoreUnavailable,),
                backoff=self._backoff,
                chance=self._chance,
                pause=self._pause,
                failed=failed,
            )
        finally:
            if failures:
                self._metrics.held.dec(size)
        if failures:
            log.warning("the store is back", attempts=failures + 1)
        self._metrics.last_commit.set_to_current_time()
        return new

    async def _set_apart(self, delivery: Delivery, reason: str, *, event_type: str, result: str) -> bool:
        """Keep a message with the reason; returns whether the bus has confirmed it."""
        try:
            await self._dead_letters.publish(delivery, reason)
        except LetterUndelivered as error:
            log.warning(
                "no dead letter written: it is tried again later", **delivery.origin, error=str(error)
            )
            return False
        self._metrics.events.labels(event_type, result).inc()
        log.warning("a message can't be stored", **delivery.origin, reason=reason)
        return True

    async def _pause(self, seconds: float) -> None:
        """Wait, unless the service stops; raises _Stopping then."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
            raise _Stopping

    @contextlib.asynccontextmanager
    async def _held(self, batch: Sequence[Delivery]) -> AsyncIterator[None]:
        """Keep the messages ours for as long as it takes."""

        async def hold() -> None:
            while True:
                await asyncio.sleep(self._hold_every)
                for delivery in batch:
                    await delivery.hold()

        holding = asyncio.create_task(hold())
        try:
            yield
        finally:
            holding.cancel()
            await asyncio.wait([holding])


def _type_of(entry: Entry) -> str:
    return str(entry.event.__struct_config__.tag)
