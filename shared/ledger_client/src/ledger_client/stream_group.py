"""The streams of all servers together: whose news wakes a reader, and what one hides another may show."""

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ledger_client.ledger_stream import LedgerStream


class StreamGroup:
    """The streams of all servers: what one hides, another one may show."""

    def __init__(self) -> None:
        """Begin without streams; each one joins by itself."""
        self.streams: list[LedgerStream] = []
        self._news: dict[str, asyncio.Event] = {}

    def next_news(self, account: str) -> asyncio.Event:
        """Return the event that is set when a transaction of the account comes, or a ledger is whole."""
        return self._news.setdefault(account, asyncio.Event())

    def tell(self, accounts: Iterable[str]) -> None:
        """Wake who waits for these accounts."""
        for account in [one for one in accounts if one in self._news]:
            self._news.pop(account).set()

    def tell_all(self) -> None:
        """Wake all who wait."""
        self.tell(list(self._news))
