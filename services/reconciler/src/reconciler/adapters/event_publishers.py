"""The declared publishers: one for each type of event of stream ORDERS, and one for stream REDELIVER.

An atomic batch goes through them too: they name no stream, so that FastStream publishes without waiting, and
the last message of a batch is a request, whose answer is the stream's.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from inspect import cleandoc
from typing import Annotated, Any

from faststream.nats import NatsBroker
from faststream.nats.publisher.usecase import LogicPublisher
from pydantic import Field

from order_events import OrderEvent, OrdersEvent, Provenance
from order_events.codec import ORDERS_TYPES
from order_events.schemas import event_type
from order_events.subjects import ORDERS_STREAM, REDELIVERY_STREAM, order_subject, redelivery_subject
from reconciler.adapters.atomic_batch import ANSWER_SECONDS, batch_headers, last_sequence
from service_kit import NO_TRACING, Tracing


class EventPublishers:
    """Publishes events to one stream, each through the publisher of its type."""

    def __init__(
        self,
        publishers: Mapping[type[OrdersEvent], LogicPublisher],
        *,
        stream: str,
        subject_of: Callable[[OrdersEvent], str],
        headers_of: Callable[[OrdersEvent], dict[str, str]],
        tracing: Tracing,
    ) -> None:
        """Know the publisher of each type, the stream behind them, and an event's subject and headers."""
        self._tracing = tracing
        self._publishers = publishers
        self._stream = stream
        self._subject_of = subject_of
        self._headers_of = headers_of

    async def publish(self, event: OrdersEvent) -> None:
        """Publish one event and wait until the stream has stored it.

        Raises:
            nats.errors.Error: no answer in time; it may have been stored.

        """
        with self._ledger_span(event):
            await self._publishers[type(event)].publish(
                event,
                subject=self._subject_of(event),
                stream=self._stream,
                timeout=ANSWER_SECONDS,
                headers=self._headers_of(event),
                correlation_id=str(event.event_id),
            )

    async def publish_batch(self, events: Sequence[OrdersEvent]) -> None:
        """Publish up to a thousand events as one batch and wait until all are stored.

        Raises:
            BatchRefused: with the server's err_code; nothing was stored.
            nats.errors.Error: no answer in time; they may have been stored.

        """
        *others, (last, last_headers) = zip(events, batch_headers(len(events)), strict=True)
        with self._ledger_span(last):
            for event, headers in others:
                await self._publishers[type(event)].publish(
                    event,
                    subject=self._subject_of(event),
                    headers={**self._headers_of(event), **headers},
                    correlation_id=str(event.event_id),
                )
            answer = await self._publishers[type(last)].request(
                last,
                subject=self._subject_of(last),
                timeout=ANSWER_SECONDS,
                headers={**self._headers_of(last), **last_headers},
                correlation_id=str(last.event_id),
            )
            last_sequence(answer.body)

    def _ledger_span(self, event: OrdersEvent) -> AbstractContextManager[None]:
        """Open the span of an account's ledger, from the ledger's close until its events are stored."""
        live = isinstance(event, OrderEvent) and event.provenance is Provenance.LIVE
        return self._tracing.span(
            "ledger",
            began=event.occurred_at if live else None,
            attributes={"account": event.account, "ledger_index": event.ledger_index or 0},
        )


def orders_publishers(broker: NatsBroker, tracing: Tracing = NO_TRACING) -> EventPublishers:
    """Declare a publisher for each type of event, as `order.filled.{account}`."""
    return EventPublishers(
        {
            kind: broker.publisher(
                f"{event_type(kind)}.{{account}}",
                title=kind.__name__,
                description=cleandoc(kind.__doc__ or ""),
                schema=Annotated[Any, Field(title=kind.__name__)],
            )
            for kind in ORDERS_TYPES
        },
        stream=ORDERS_STREAM,
        subject_of=order_subject,
        headers_of=lambda event: {"Nats-Msg-Id": str(event.event_id)},
        tracing=tracing,
    )


def redelivery_publishers(broker: NatsBroker) -> EventPublishers:
    """Declare the publisher of stream REDELIVER.

    Its messages have no Nats-Msg-Id: the same event may be delivered again at any time.
    """
    publisher = broker.publisher(
        redelivery_subject("{subject}"),
        title="Redelivery",
        description="An event of stream ORDERS, for the audit writer alone.",
        schema=Annotated[Any, Field(title="Redelivery")],
    )
    return EventPublishers(
        dict.fromkeys(ORDERS_TYPES, publisher),
        stream=REDELIVERY_STREAM,
        subject_of=lambda event: redelivery_subject(order_subject(event)),
        headers_of=lambda _event: {},
        tracing=NO_TRACING,
    )
