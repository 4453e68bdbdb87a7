"""Events published beyond the cursor: an account's own are found again on a real NATS, and no others."""

from collections.abc import Callable, Sequence

import msgspec
import pytest
from nats.aio.client import Client
from on_the_bus import fill

from order_events import OrderEvent, OrderFilled, Provenance
from reconciler.adapters.orders_bus import JetStreamOrders
from reconciler.adapters.told_events import JetStreamToldEvents
from reconciler.metrics import Metrics

pytestmark = pytest.mark.stack

SAMPLE = fill(0)
PREFIX = f"{SAMPLE.network_id}.{SAMPLE.account}"
CURSOR = 100
OTHER = "rrrrrrrrrrrrrrrrrrrrBZbvji"


def fills(first: int, ledgers: Sequence[int], **changed: object) -> list[OrderFilled]:
    """Return a fill of each ledger, numbered from `first` on."""
    return [
        msgspec.structs.replace(fill(first + number), ledger_index=ledger, **changed)
        for number, ledger in enumerate(ledgers)
    ]


@pytest.fixture
def told_events(connected: Callable[[], Client], metrics: Metrics) -> JetStreamToldEvents:
    return JetStreamToldEvents(connected, metrics)


async def test_what_was_told_after_the_cursor_is_found_among_other_accounts_events(
    orders: JetStreamOrders, told_events: JetStreamToldEvents
) -> None:
    told: list[OrderEvent] = [*fills(20, [CURSOR + 1, CURSOR + 1, CURSOR + 2])]
    await orders.publish(fills(0, range(CURSOR - 9, CURSOR + 1)))
    for number, event in enumerate(told):
        await orders.publish([event])
        await orders.publish(fills(100 * (number + 1), range(CURSOR, CURSOR + 30), account=OTHER))
    assert await told_events.read_after(PREFIX, CURSOR) == told
    assert await told_events.read_after(PREFIX, CURSOR + 2) == []
    assert await told_events.read_after(f"7.{SAMPLE.account}", CURSOR) == []
    assert await told_events.read_after(f"{SAMPLE.network_id}.rNobody", CURSOR) == []


async def test_what_a_backfill_told_of_older_ledgers_hides_nothing(
    orders: JetStreamOrders, told_events: JetStreamToldEvents
) -> None:
    await orders.publish(fills(0, [CURSOR]))
    told = fills(10, [CURSOR + 1])
    await orders.publish(told)
    await orders.publish(fills(20, range(10, 30), provenance=Provenance.BACKFILL))
    assert await told_events.read_after(PREFIX, CURSOR) == told
