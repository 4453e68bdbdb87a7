"""Stream ORDERS: disappearances are offered, everything else is published until it is stored."""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial

import structlog
from nats.aio.client import Client

from order_events import OrderDisappeared, OrderEvent, OrdersEvent, Provenance
from reconciler.adapters.atomic_batch import DUPLICATE_IN_BATCH, LARGEST_BATCH, BatchRefused
from reconciler.adapters.event_publishers import EventPublishers
from reconciler.adapters.retry import BUS_ERRORS, until_done
from reconciler.metrics import Metrics

_log = structlog.get_logger()


class JetStreamOrders:
    """`event_id` is the message id: what is published twice is stored once."""

    def __init__(
        self,
        publishers: EventPublishers,
        client: Callable[[], Client],
        metrics: Metrics,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Publish through declared publishers.

        Args:
            publishers: from `orders_publishers`.
            client: their connection; it raises while there is none.
            metrics: events are counted there, and their delay.
            clock: seconds since 1970.

        """
        self._publishers = publishers
        self._client = client
        self._clock = clock
        self._metrics = metrics

    async def offer(self, events: Sequence[OrderDisappeared], within: float) -> list[OrderDisappeared]:
        """Try once to publish each; return those not acknowledged in time (see `OrdersBus`)."""
        if not events:
            return []
        attempts = [asyncio.create_task(self._offered(event)) for event in events]
        try:
            await asyncio.wait(attempts, timeout=within)
        finally:
            for attempt in attempts:
                attempt.cancel()
        await asyncio.wait(attempts)
        stored = [not attempt.cancelled() and attempt.result() for attempt in attempts]
        return [event for event, is_stored in zip(events, stored, strict=True) if not is_stored]

    async def _offered(self, event: OrderDisappeared) -> bool:
        try:
            await self._publish_one(event)
        except BUS_ERRORS as error:
            _log.debug("disappearance not acknowledged", event_id=str(event.event_id), problem=repr(error))
            return False
        return True

    async def publish(self, events: Sequence[OrdersEvent]) -> None:
        """Publish all, each batch of a thousand as one (see `OrdersBus`)."""
        for first in range(0, len(events), LARGEST_BATCH):
            some = events[first : first + LARGEST_BATCH]
            await until_done("order events", partial(self._publish_some, some), self._metrics)

    async def _publish_some(self, events: Sequence[OrdersEvent]) -> None:
        if len(events) > 1:
            self._client()
            try:
                await self._publishers.publish_batch(events)
            except BatchRefused as refusal:
                if refusal.code != DUPLICATE_IN_BATCH:
                    raise
            else:
                self._count(events)
                return
        for event in events:
            await self._publish_one(event)

    async def _publish_one(self, event: OrdersEvent) -> None:
        self._client()
        await self._publishers.publish(event)
        self._count([event])

    def _count(self, events: Sequence[OrdersEvent]) -> None:
        for event in events:
            self._metrics.events.labels(event_type=str(event.__struct_config__.tag)).inc()
            if isinstance(event, OrderEvent) and event.provenance is Provenance.LIVE:
                self._metrics.event_delay.observe(max(self._clock() - event.occurred_at.timestamp(), 0))
