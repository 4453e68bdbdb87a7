"""Order events for tests: the golden samples, each copy a fact of its own."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from order_events import OrderEvent, decode, event_id

SAMPLES = Path(str(files("order_events") / "samples/v1"))
ANOMALY = "order.disappeared"
KINDS = ("order.accepted", "order.filled", "order.canceled", ANOMALY)


def sample(name: str) -> OrderEvent:
    """Return the golden sample of that name."""
    event = decode((SAMPLES / f"{name}.json").read_bytes())
    if not isinstance(event, OrderEvent):
        raise TypeError(f"expected an order event, found {name}")
    return event


def event(name: str, sequence: int, **fields: Any) -> OrderEvent:  # noqa: ANN401 - fields of any type
    """Return a sample as a fact about the order `sequence`, with other fields where they are given."""
    changed = msgspec.structs.replace(sample(name), sequence=sequence, **fields)
    name_of_fact = event_id(
        network_id=changed.network_id,
        kind=str(changed.__struct_config__.tag),
        account=changed.account,
        sequence=sequence,
        transaction_hash=changed.transaction_hash,
    )
    return msgspec.structs.replace(changed, event_id=name_of_fact)


def mixed(count: int) -> list[OrderEvent]:
    """Return so many events about as many orders, the kinds in turn."""
    return [event(KINDS[number % len(KINDS)], number) for number in range(count)]
