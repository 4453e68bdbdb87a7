"""What a subscriber receives of each ledger that becomes validated."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from replay_node.transactions import affected_accounts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replay_node.chain import Chain
    from replay_node.faults import Faults
    from replay_node.session import Json, RecordedLedger
    from replay_node.shapes import Shapes
    from replay_node.validators import MadeValidators


@dataclass(slots=True, kw_only=True)
class Subscription:
    """What one WebSocket asked for. Only the connection's own requests change it."""

    ledger: bool = False
    transactions: bool = False
    validations: bool = False
    manifests: bool = False
    accounts: set[str] = field(default_factory=set)
    api_version: int = 1

    def copies(self, accounts: frozenset[str]) -> int:
        """Return how often a transaction is sent: once for the stream of all, once for its accounts."""
        return int(self.transactions) + int(not self.accounts.isdisjoint(accounts))


class Streams:
    """The stream messages, ledger by ledger, as each subscriber asked for them."""

    def __init__(self, chain: Chain, shapes: Shapes, validators: MadeValidators, faults: Faults) -> None:
        self._chain = chain
        self._shapes = shapes
        self._validators = validators
        self._faults = faults

    def messages(self, ledger: RecordedLedger, subscription: Subscription) -> Iterator[Json]:
        """Yield one ledger's messages: validations, then in the recorded order what became validated by them.

        Of these, `ledgerClosed` stands before the transactions.
        """
        if subscription.manifests:
            yield from self._validators.manifests(ledger, self._faults.voices)
        if subscription.validations:
            yield from self._validators.validations(
                ledger,
                shown_hash=self._chain.hash_of(ledger),
                voices=self._faults.voices,
                absent=self._faults.absent_validators,
                api_version=subscription.api_version,
            )
        for message in ledger.stream:
            shown = message | {"ledger_hash": self._chain.hash_of(ledger)}
            if message["type"] == "ledgerClosed":
                if subscription.ledger:
                    yield shown | {"validated_ledgers": self._chain.complete_ledgers()}
            else:
                for _ in range(subscription.copies(affected_accounts(message["meta"]))):
                    yield self._shapes.in_stream(shown, subscription.api_version)
