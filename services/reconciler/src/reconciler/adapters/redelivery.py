"""Stream REDELIVER: what only the audit writer is given again."""

from collections.abc import Callable, Sequence
from functools import partial

from nats.aio.client import Client

from order_events import OrderDisappeared, OrdersEvent, encode
from order_events.subjects import order_subject, redelivery_subject
from reconciler.adapters.atomic_batch import LARGEST_BATCH, Message, publish_batch
from reconciler.adapters.retry import until_done
from reconciler.metrics import Metrics


class JetStreamRedelivery:
    """Messages have no id: the same event may be given again at any time, the store knows it by its key."""

    def __init__(self, client: Callable[[], Client], metrics: Metrics) -> None:
        """`client`: the bus connection; it raises while there is none."""
        self._client = client
        self._metrics = metrics

    async def offer(self, events: Sequence[OrderDisappeared], within: float) -> list[OrderDisappeared]:  # noqa: ARG002
        """Publish all, however long it takes: nothing waits for what is given again."""
        await self.publish(events)
        return []

    async def publish(self, events: Sequence[OrdersEvent]) -> None:
        """Publish all, each batch of a thousand as one (see `OrdersBus`)."""
        messages = [
            Message(subject=redelivery_subject(order_subject(event)), payload=encode(event), headers={})
            for event in events
        ]
        for first in range(0, len(messages), LARGEST_BATCH):
            await until_done(
                "events given again",
                partial(self._publish_batch, messages[first : first + LARGEST_BATCH]),
                self._metrics,
            )

    async def _publish_batch(self, messages: Sequence[Message]) -> int:
        return await publish_batch(self._client(), messages)
