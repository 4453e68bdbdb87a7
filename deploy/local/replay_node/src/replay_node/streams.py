"""What a subscriber receives of each ledger that becomes validated."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from replay_node.transactions import affected_accounts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replay_node.chain import Chain
    from replay_node.session import Json, RecordedLedger
    from replay_node.shapes import Shapes


@dataclass(slots=True, kw_only=True)
class Subscription:
    """What one WebSocket asked for. Only the connection's own requests change it."""

    ledger: bool = False
    transactions: bool = False
    accounts: set[str] = field(default_factory=set)
    api_version: int = 1

    def copies(self, accounts: frozenset[str]) -> int:
        """Return how often a transaction is sent: once for the stream of all, once for its accounts."""
        return int(self.transactions) + int(not self.accounts.isdisjoint(accounts))


class Streams:
    """The recorded stream messages, ledger by ledger, as each subscriber asked for them."""

    def __init__(self, chain: Chain, shapes: Shapes) -> None:
        self._chain = chain
        self._shapes = shapes

    def messages(self, ledger: RecordedLedger, subscription: Subscription) -> Iterator[Json]:
        """Yield one ledger's messages in the recorded order: `ledgerClosed` before the transactions."""
        for message in ledger.stream:
            shown = message | {"ledger_hash": self._chain.hash_of(ledger)}
            if message["type"] == "ledgerClosed":
                if subscription.ledger:
                    yield shown | {"validated_ledgers": self._chain.complete_ledgers()}
            else:
                for _ in range(subscription.copies(affected_accounts(message["meta"]))):
                    yield self._shapes.in_stream(shown, subscription.api_version)
