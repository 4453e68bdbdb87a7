"""Events to bytes and back."""

import msgspec

from order_events.announcement_bounds import LONGEST_ANNOUNCEMENT, bounded_announcement
from order_events.earlier import OrderCorrectedV1
from order_events.engine import CancelRequested, EngineEvent, OrderSubmitted, SessionStarted
from order_events.orders import (
    OrderAccepted,
    OrderCanceled,
    OrderCorrected,
    OrderDisappeared,
    OrderExpired,
    OrderFilled,
    OrderRejected,
)
from order_events.proofs import LedgerProof
from order_events.reconciler import (
    BalanceDrift,
    HistoryGap,
    InvariantBroken,
    OrdersEvent,
    ReconcilerConfirmed,
    ReconcilerHalted,
    ReconcilerResumed,
)

AnyOrderEvent = (
    OrderAccepted
    | OrderFilled
    | OrderCanceled
    | OrderExpired
    | OrderRejected
    | OrderDisappeared
    | OrderCorrected
)
AnyReconcilerEvent = (
    ReconcilerHalted | ReconcilerResumed | BalanceDrift | HistoryGap | ReconcilerConfirmed | InvariantBroken
)
AnyEngineEvent = OrderSubmitted | CancelRequested | SessionStarted
AnyEvent = AnyOrderEvent | AnyReconcilerEvent | AnyEngineEvent | LedgerProof

ORDERS_TYPES: tuple[type[OrdersEvent], ...] = (
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
    ReconcilerConfirmed,
    InvariantBroken,
)
"""What the reconciler publishes to stream ORDERS."""
ENGINE_TYPES: tuple[type[EngineEvent], ...] = (OrderSubmitted, CancelRequested, SessionStarted)
"""What an engine publishes to stream ENGINE."""
PROOFS_TYPES: tuple[type[LedgerProof], ...] = (LedgerProof,)
"""What the reconciler publishes to stream PROOFS."""
EVENT_TYPES: tuple[type[msgspec.Struct], ...] = (*ORDERS_TYPES, *ENGINE_TYPES, *PROOFS_TYPES)
EARLIER_TYPES: tuple[type[OrderCorrectedV1], ...] = (OrderCorrectedV1,)
"""Versions that are no longer published, and must be read for ever."""
VERSIONS: dict[type[msgspec.Struct], int] = {
    kind: field.default
    for kind in (*EVENT_TYPES, *EARLIER_TYPES)
    for field in msgspec.structs.fields(kind)
    if field.name == "version"
}

_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)
_earlier_decoders = [msgspec.json.Decoder(kind) for kind in EARLIER_TYPES]
_encoder = msgspec.json.Encoder(order="deterministic")
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ArithmeticError)


class Malformed(ValueError):
    """A message that is no event of these contracts: not JSON, an unknown type or version, a wrong field.

    Of an announcement also: a number, a time or a text that the ledger or the bus does not hold.
    """


def encode(event: msgspec.Struct) -> bytes:
    """Return the event as JSON; the same event always gives the same bytes."""
    return _encoder.encode(event)


def decode(payload: bytes) -> AnyEvent:
    """Read one event; one of an earlier version is returned as the current version would say it.

    Unknown fields are ignored, so that an older reader understands a newer writer.

    Raises:
        Malformed: with what was expected and what was found.

    """
    try:
        event = _decoder.decode(payload)
    except msgspec.ValidationError as error:
        earlier = _decode_earlier(payload)
        if earlier is None:
            raise Malformed(str(error)) from error
        return earlier
    except _UNREADABLE as error:
        raise Malformed(str(error)) from error
    _check_version(event)
    return event


def decode_announcement(
    payload: bytes, subject: str, *, subject_without_account: bool = False
) -> AnyEngineEvent:
    """Read a message of stream ENGINE.

    Args:
        payload: its body.
        subject: where it was published. It names the account, `engine.order.submitted.<account>`: a bus user
            is held to its own accounts by it.
        subject_without_account: whether a subject that names none, as engines of version 0.1 used it, is
            believed too.

    Raises:
        Malformed: with what was expected and what was found.

    """
    if len(payload) > LONGEST_ANNOUNCEMENT:
        raise Malformed(f"expected at most {LONGEST_ANNOUNCEMENT} bytes, found {len(payload)}")
    try:
        event = decode(payload)
    except (ValueError, ArithmeticError) as error:  # numbers that neither Python nor the ledger holds
        raise Malformed(str(error)) from error
    if not isinstance(event, AnyEngineEvent):
        raise Malformed(f"expected an announcement, found {type(event).__name__}")
    kind = str(event.__struct_config__.tag)
    if subject != f"{kind}.{event.account}" and not (subject_without_account and subject == kind):
        raise Malformed(f"expected subject {kind}.{event.account}, found {subject}")
    try:
        return bounded_announcement(event)
    except (ValueError, ArithmeticError) as error:
        raise Malformed(str(error)) from error


def _decode_earlier(payload: bytes) -> AnyEvent | None:
    for decoder in _earlier_decoders:
        try:
            event = decoder.decode(payload)
        except _UNREADABLE:
            continue
        _check_version(event)
        return event.as_current()
    return None


def _check_version(event: AnyEvent | OrderCorrectedV1) -> None:
    expected = VERSIONS[type(event)]
    if event.version != expected:
        raise Malformed(f"expected version {expected} of {type(event).__name__}, found {event.version}")
