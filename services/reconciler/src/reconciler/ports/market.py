"""The market around an order, for the context of its disappearance."""

from collections.abc import Sequence
from typing import Protocol

from ledger_client import LedgerServer
from offer_lifecycle import Header
from order_events import OrderDisappeared


class Market(Protocol):
    """A source of market context: both books and the AMM's spot price."""

    async def describe(
        self, server: LedgerServer, header: Header, events: Sequence[OrderDisappeared]
    ) -> list[OrderDisappeared]:
        """Return the events with the market context at that ledger; what is not known is null, with a reason.

        The caller bounds the time.

        Raises:
            ServerError: if the server does not answer.

        """
        ...
