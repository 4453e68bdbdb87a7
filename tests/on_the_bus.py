"""Reading back what a stream holds, and sample events to put there."""

from importlib.resources import files
from uuid import UUID

import msgspec
from nats.js import JetStreamContext

from order_events import OrderDisappeared, OrderEvent, OrderFilled, decode
from order_events.subjects import ORDERS_STREAM

EVENTS = files("order_events") / "samples/v1"


async def stored(jetstream: JetStreamContext, stream: str = ORDERS_STREAM) -> list[bytes]:
    """Return the payloads of a stream, in order."""
    state = (await jetstream.stream_info(stream)).state
    numbers = range(state.first_seq, state.last_seq + 1) if state.messages else ()
    return [(await jetstream.get_msg(stream, seq=number)).data or b"" for number in numbers]


async def stored_events(jetstream: JetStreamContext) -> list[OrderEvent]:
    """Return the events of stream ORDERS about orders, in order."""
    events = [decode(payload) for payload in await stored(jetstream)]
    return [event for event in events if isinstance(event, OrderEvent)]


def fill(number: int) -> OrderFilled:
    """Return a fill with an id of its own."""
    event = decode((EVENTS / "order.filled.json").read_bytes())
    assert isinstance(event, OrderFilled)
    return msgspec.structs.replace(event, event_id=UUID(int=number))


def disappearance(number: int) -> OrderDisappeared:
    """Return a disappearance with an id of its own."""
    event = decode((EVENTS / "order.disappeared.json").read_bytes())
    assert isinstance(event, OrderDisappeared)
    return msgspec.structs.replace(event, event_id=UUID(int=10_000 + number))
