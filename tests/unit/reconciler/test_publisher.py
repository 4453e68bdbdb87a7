"""The publisher: the market is read where it is wanted, and nowhere else."""

from collections.abc import Sequence

import pytest
from in_memory_bus import Memory, MemoryOrders
from in_process_node import InProcessServer
from made_ledger import header
from replaying import recorded
from sample_events import event

from ledger_client import LedgerServer
from offer_lifecycle import Header
from order_events import OrderDisappeared
from reconciler.following.publisher import Publisher


class CountingMarket:
    """A market that describes nothing and notes for which disappearances it was asked."""

    def __init__(self) -> None:
        self.asked: list[bool] = []
        """Of each disappearance, whether it is an anomaly."""

    async def describe(
        self, server: LedgerServer, _header: Header, events: Sequence[OrderDisappeared]
    ) -> list[OrderDisappeared]:
        assert server.name
        self.asked += [one.anomaly for one in events]
        return list(events)


@pytest.mark.parametrize(("market_of_fills", "asked"), [(False, [True]), (True, [True, False])])
async def test_the_market_is_asked_for_anomalies_and_for_fills_only_where_a_setting_says_so(
    *, market_of_fills: bool, asked: list[bool]
) -> None:
    market, memory = CountingMarket(), Memory()
    publisher = Publisher(
        MemoryOrders(memory), market, disappearance_timeout=1, market_of_fills=market_of_fills
    )
    disappeared = [event("order.disappeared", number, anomaly=number == 1) for number in (1, 2)]
    server = InProcessServer(recorded("full_fill"))
    assert await publisher.publish([*disappeared, event("order.filled", 2)], (), server, header(100)) == []
    assert market.asked == asked
    assert len(memory.stream) == 3
