"""Stream ORDERS: disappearances are offered, everything else is published until it is stored."""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial

import structlog
from nats.aio.client import Client

from order_events import OrderDisappeared, OrderEvent, OrdersEvent, Provenance, encode
from order_events.subjects import ORDERS_STREAM, order_subject
from reconciler.adapters.atomic_batch import (
    ANSWER_SECONDS,
    DUPLICATE_IN_BATCH,
    LARGEST_BATCH,
    BatchRefused,
    Message,
    publish_batch,
)
from reconciler.adapters.retry import BUS_ERRORS, until_done
from reconciler.metrics import Metrics

_log = structlog.get_logger()


class JetStreamOrders:
    """`event_id` is the message id: what is published twice is stored once."""

    def __init__(
        self, client: Callable[[], Client], metrics: Metrics, clock: Callable[[], float] = time.time
    ) -> None:
        """`client`: the bus connection; it raises while there is none. `clock`: seconds since 1970."""
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
            messages = [
                Message(subject=order_subject(event), payload=encode(event), headers=_headers(event))
                for event in events
            ]
            try:
                await publish_batch(self._client(), messages)
            except BatchRefused as refusal:
                if refusal.code != DUPLICATE_IN_BATCH:
                    raise
            else:
                self._count(events)
                return
        for event in events:
            await self._publish_one(event)

    async def _publish_one(self, event: OrdersEvent) -> None:
        context = self._client().jetstream()
        await context.publish(
            order_subject(event),
            encode(event),
            stream=ORDERS_STREAM,
            timeout=ANSWER_SECONDS,
            headers=_headers(event),
        )
        self._count([event])

    def _count(self, events: Sequence[OrdersEvent]) -> None:
        for event in events:
            self._metrics.events.labels(event_type=str(event.__struct_config__.tag)).inc()
            if isinstance(event, OrderEvent) and event.provenance is Provenance.LIVE:
                self._metrics.event_delay.observe(max(self._clock() - event.occurred_at.timestamp(), 0))


def _headers(event: OrdersEvent) -> dict[str, str]:
    return {"Nats-Msg-Id": str(event.event_id)}
