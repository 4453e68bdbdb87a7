"""Stream REDELIVER: what only the audit writer is given again."""

from collections.abc import Callable, Sequence
from functools import partial

from nats.aio.client import Client

from order_events import OrderDisappeared, OrdersEvent
from reconciler.adapters.atomic_batch import LARGEST_BATCH
from reconciler.adapters.event_publishers import EventPublishers
from reconciler.adapters.retry import until_done
from reconciler.metrics import Metrics


class JetStreamRedelivery:
    """The same event may be given again at any time, the store knows it by its key."""

    def __init__(self, publishers: EventPublishers, client: Callable[[], Client], metrics: Metrics) -> None:
        """`client`: the publishers' connection; it raises while there is none."""
        self._publishers = publishers
        self._client = client
        self._metrics = metrics

    async def offer(self, events: Sequence[OrderDisappeared], within: float) -> list[OrderDisappeared]:  # noqa: ARG002
        """Publish all, however long it takes: nothing waits for what is given again."""
        await self.publish(events)
        return []

    async def publish(self, events: Sequence[OrdersEvent]) -> None:
        """Publish all, each batch of a thousand as one (see `OrdersBus`)."""
        for first in range(0, len(events), LARGEST_BATCH):
            some = events[first : first + LARGEST_BATCH]
            await until_done("events given again", partial(self._publish_batch, some), self._metrics)

    async def _publish_batch(self, events: Sequence[OrdersEvent]) -> None:
        self._client()
        await self._publishers.publish_batch(events)
