"""What becomes of a batch: stored and then acknowledged, or given back whole; bad messages set apart.

1. Nothing is acknowledged before it is committed, or before its dead letter is.
2. An outage of the store is waited out while the messages are held; a stop meanwhile gives them back.
3. A message that can't be stored never blocks the others: the batch is halved until it stands alone.
4. The event id decides what is new, so everything may be done again at any point.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
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
    Store,
    StoreUnavailable,
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
    return Rows(
        events=tuple(entry.text for entry in entries),
        fills=tuple(entry.text for entry in entries if isinstance(entry.event, OrderFilled)),
        anomalies=tuple(entry.text for entry in entries if _is_anomaly(entry.event)),
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
                entries = [entry for delivery in batch if (entry := await self._readable(delivery))]
                try:
                    await self._settle(entries)
                except _Stopping:
                    for entry in entries:
                        await entry.delivery.give_back()
        self._metrics.batch_size.observe(len(batch))

    async def _readable(self, delivery: Delivery) -> Entry | None:
        try:
            return read(delivery)
        except Malformed as error:
            await self._set_apart(delivery, str(error), event_type="unknown", result=MALFORMED)
            return None

    async def _settle(self, entries: Sequence[Entry]) -> None:
        """Store and acknowledge; where the store refuses, halve until the bad ones stand alone."""
        if not entries:
            return
        try:
            await self._write(entries)
        except RowsRefused as error:
            if len(entries) == 1:
                await self._set_apart(
                    entries[0].delivery, str(error), event_type=_type_of(entries[0]), result=REFUSED
                )
                return
            half = len(entries) // 2
            await self._settle(entries[:half])
            await self._settle(entries[half:])
            return
        for entry in entries:
            await entry.delivery.acknowledge()
        for event_type, count in Counter(map(_type_of, entries)).items():
            self._metrics.events.labels(event_type, STORED).inc(count)

    async def _write(self, entries: Sequence[Entry]) -> None:
        """Write until it is committed, however long the store is away."""
        rows = rows_of(entries)
        failures = 0

        def failed(so_far: int, error: Exception) -> None:
            nonlocal failures
            failures = so_far
            self._metrics.store_failures.inc()
            if so_far == 1:
                log.warning("the store is away: holding the batch", size=len(entries), error=str(error))

        new = await retry(
            partial(self._store.write, rows),
            on=(StoreUnavailable,),
            backoff=self._backoff,
            chance=self._chance,
            pause=self._pause,
            failed=failed,
        )
        if failures:
            log.warning("the store is back", attempts=failures + 1)
        self._metrics.duplicates.inc(len(entries) - new)
        self._metrics.last_commit.set_to_current_time()

    async def _set_apart(self, delivery: Delivery, reason: str, *, event_type: str, result: str) -> None:
        try:
            await self._dead_letters.publish(delivery, reason)
        except LetterUndelivered as error:
            log.warning(
                "no dead letter written: it is tried again later", **delivery.origin, error=str(error)
            )
            return
        await delivery.terminate()
        self._metrics.events.labels(event_type, result).inc()
        log.warning("a message can't be stored", **delivery.origin, reason=reason)

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
