"""Events to bytes and back."""

from typing import Any

import msgspec

from order_events.engine import CancelRequested, OrderSubmitted, SessionStarted
from order_events.orders import (
    OrderAccepted,
    OrderCanceled,
    OrderCorrected,
    OrderDisappeared,
    OrderExpired,
    OrderFilled,
    OrderRejected,
)
from order_events.reconciler import BalanceDrift, HistoryGap, ReconcilerHalted, ReconcilerResumed

AnyOrderEvent = (
    OrderAccepted
    | OrderFilled
    | OrderCanceled
    | OrderExpired
    | OrderRejected
    | OrderDisappeared
    | OrderCorrected
)
AnyReconcilerEvent = ReconcilerHalted | ReconcilerResumed | BalanceDrift | HistoryGap
AnyEngineEvent = OrderSubmitted | CancelRequested | SessionStarted
AnyEvent = AnyOrderEvent | AnyReconcilerEvent | AnyEngineEvent

EVENT_TYPES: tuple[type[msgspec.Struct], ...] = (
    OrderAccepted,
    OrderFilled,
    OrderCanceled,
    OrderExpired,
    OrderRejected,
    OrderDisappeared,
    OrderCorrected,
    ReconcilerHalted,
    ReconcilerResumed,
    BalanceDrift,
    HistoryGap,
    OrderSubmitted,
    CancelRequested,
    SessionStarted,
)
SUPPORTED_VERSION = 1

_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)
_encoder = msgspec.json.Encoder(order="deterministic")


class Malformed(ValueError):
    """A message that is no event of these contracts: not JSON, an unknown type or version, a wrong field."""


def encode(event: msgspec.Struct) -> bytes:
    """Return the event as JSON; the same event always gives the same bytes."""
    return _encoder.encode(event)


def decode(payload: bytes) -> AnyEvent:
    """Read one event.

    Unknown fields are ignored, so that an older reader understands a newer writer.

    Raises:
        Malformed: with what was expected and what was found.

    """
    try:
        event = _decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(str(error)) from error
    if event.version != SUPPORTED_VERSION:
        name = type(event).__name__
        raise Malformed(f"expected version {SUPPORTED_VERSION} of {name}, found {event.version}")
    return event


def schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of every event type, by its `event_type`."""
    written = {str(kind.__struct_config__.tag): msgspec.json.schema(kind) for kind in EVENT_TYPES}
    return msgspec.json.decode(msgspec.json.encode(written), type=dict[str, dict[str, Any]])
