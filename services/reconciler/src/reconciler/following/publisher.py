"""The publisher of a ledger's events: disappearances first, for a bounded time; then all others."""

import asyncio
from collections.abc import Sequence

import msgspec
import structlog

from ledger_client import LedgerServer, ServerError
from offer_lifecycle import Header
from order_events import MarketContext, OrderDisappeared, OrdersEvent
from reconciler.ports.bus import OrdersBus
from reconciler.ports.market import Market

_log = structlog.get_logger()

_CONTEXT_SHARE = 0.5
"""The part of the time for disappearances that reading their market may take."""


class Publisher:
    """Publishes the events of an account to stream ORDERS."""

    def __init__(
        self,
        bus: OrdersBus,
        market: Market,
        *,
        disappearance_timeout: float,
        market_of_fills: bool = False,
    ) -> None:
        """`disappearance_timeout`: seconds that the disappearances of a ledger may take in all.

        `market_of_fills`: whether the market is read for what is no anomaly too, such as a last fill.
        """
        self._bus = bus
        self._market_of_fills = market_of_fills
        self._market = market
        self._timeout = disappearance_timeout

    async def publish(
        self,
        events: Sequence[OrdersEvent],
        unacknowledged: Sequence[OrderDisappeared],
        server: LedgerServer,
        header: Header,
    ) -> list[OrderDisappeared]:
        """Offer the disappearances, the unacknowledged ones first, then publish all other events.

        Returns the disappearances that the bus has not acknowledged. The other events are published in any
        case, however long the bus is down.
        """
        disappeared = [event for event in events if isinstance(event, OrderDisappeared)]
        others = [event for event in events if not isinstance(event, OrderDisappeared)]
        deadline = asyncio.get_running_loop().time() + self._timeout
        described = await self._described(server, header, disappeared)
        left = max(deadline - asyncio.get_running_loop().time(), 0)
        still_unacknowledged = await self.offer([*unacknowledged, *described], left)
        if others:
            await self._bus.publish(others)
        return still_unacknowledged

    async def publish_notices(self, events: Sequence[OrdersEvent]) -> None:
        """Publish events that are about no order, such as a halt or a drift."""
        if events:
            await self._bus.publish(events)

    async def offer(
        self, disappeared: Sequence[OrderDisappeared], within: float | None = None
    ) -> list[OrderDisappeared]:
        """Offer disappearances for a bounded time (seconds), and return those not acknowledged."""
        if not disappeared:
            return []
        return await self._bus.offer(disappeared, self._timeout if within is None else within)

    async def _described(
        self, server: LedgerServer, header: Header, events: list[OrderDisappeared]
    ) -> list[OrderDisappeared]:
        wanted = [event for event in events if event.anomaly or self._market_of_fills]
        if not wanted:
            return events
        described = {event.event_id: event for event in await self._with_market(server, header, wanted)}
        return [described.get(event.event_id, event) for event in events]

    async def _with_market(
        self, server: LedgerServer, header: Header, events: list[OrderDisappeared]
    ) -> list[OrderDisappeared]:
        seconds = self._timeout * _CONTEXT_SHARE
        try:
            async with asyncio.timeout(seconds):
                return await self._market.describe(server, header, events)
        except TimeoutError:
            reason = f"no answer within {seconds:g} s"
        except ServerError as error:
            reason = str(error)
        except Exception as error:  # noqa: BLE001 - see below
            # The market context is best effort: a fault in reading it must not hold up a fill.
            _log.exception("market context failed", ledger_index=header.ledger_index)
            reason = repr(error)
        context = MarketContext(ledger_index=header.ledger_index, reason=reason)
        return [with_context(event, context) for event in events]


def with_context(event: OrderDisappeared, context: MarketContext) -> OrderDisappeared:
    """Return the event with its market context."""
    return msgspec.structs.replace(event, market_context=context)
