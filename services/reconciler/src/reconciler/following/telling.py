"""Telling at once: what is certain of a ledger before it is read, from what the server's stream shows of it.

The stream shows a ledger's transactions from the first one on. The account's own among them, up to the first
that is missing, are folded on what is committed. Their events are the first ones of the ledger: reading it
gives the same events, by the same ids. Nothing is committed here.
"""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from ledger_client import LedgerBeginning, LedgerServer, LedgerStream, stream_of
from offer_lifecycle import AccountState, LedgerFacts, LedgerOutcome, fold_beginning
from order_events import OrdersEvent
from reconciler.following.publisher import Publisher
from reconciler.following.stored_account import CommittedAccount
from reconciler.safety.account_safety import AccountSafety

if TYPE_CHECKING:
    from uuid import UUID

T = TypeVar("T")


def fold_what_is_certain(state: AccountState, beginning: LedgerBeginning) -> LedgerOutcome | None:
    """Fold the transactions of a ledger's beginning that neither a question nor a missing one can change.

    None: there are none. `state` is left as it is.
    """
    transactions = beginning.transactions
    while transactions:
        facts = LedgerFacts(
            header=beginning.header, reserves=beginning.reserves, transactions=tuple(transactions)
        )
        outcome = fold_beginning(state, facts)
        if _is_certain(state, outcome):
            return outcome
        # The first half may be; what is left out is told when the ledger is read
        transactions = transactions[: len(transactions) // 2]
    return None


def _is_certain(state: AccountState, outcome: LedgerOutcome) -> bool:
    if outcome.questions or outcome.damaged:
        return False
    return all(_chain_closes(state, sequence, outcome) for sequence in outcome.changed)


def _chain_closes(state: AccountState, sequence: int, outcome: LedgerOutcome) -> bool:
    """Whether the order's PreviousTxnID lead to what is committed of it."""
    known = state.orders.get(sequence)
    return outcome.changed[sequence].missing == (known.missing if known is not None else ())


class Telling:
    """One account's events of the ledger after its cursor that are published before the ledger is read."""

    def __init__(self, account: str, safety: AccountSafety, publisher: Publisher) -> None:
        self._account = account
        self._safety = safety
        self._publisher = publisher
        self._told: dict[UUID, OrdersEvent] = {}
        """Acknowledged by the bus, and not committed yet."""

    async def tell_until_read(
        self, server: LedgerServer, committed: CommittedAccount, reading: Coroutine[Any, Any, T]
    ) -> T:
        """Await a reading of the ledgers after the cursor, and tell meanwhile what is certain of the first.

        Raises what the reading raises.
        """
        stream = stream_of(server)
        if stream is None:
            return await reading
        task = asyncio.create_task(reading)
        try:
            await self._tell_until_done(stream, server, committed, task)
            return await task
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait([task])

    async def _tell_until_done(
        self,
        stream: LedgerStream,
        server: LedgerServer,
        committed: CommittedAccount,
        reading: asyncio.Task[T],
    ) -> None:
        record, shown = committed.state.record, 0
        while not reading.done():
            news = stream.next_news(self._account)
            beginning = stream.beginning(self._account, record.ledger_hash, record.ledger_index + 1)
            if beginning is not None and len(beginning.transactions) > shown:
                shown = len(beginning.transactions)
                await self._tell(server, committed, beginning)
            else:
                await _first_of(news, reading)

    async def _tell(
        self, server: LedgerServer, committed: CommittedAccount, beginning: LedgerBeginning
    ) -> None:
        """Publish the events of a ledger's beginning that its reading is certain to give again."""
        outcome = fold_what_is_certain(committed.state, beginning)
        if outcome is None:
            return
        header = beginning.header
        events = self.untold(self._safety.decide_beginning(committed.stored.policy_state, outcome, header))
        left = {event.event_id for event in await self._publisher.publish(events, (), server, header)}
        self._told.update((event.event_id, event) for event in events if event.event_id not in left)

    def untold(self, events: Iterable[OrdersEvent]) -> list[OrdersEvent]:
        """Return the events that are not told yet."""
        return [event for event in events if event.event_id not in self._told]

    def clear(self) -> None:
        """Forget what is told: its ledger is committed."""
        self._told.clear()


async def _first_of(news: asyncio.Event, reading: asyncio.Task[Any]) -> None:
    heard = asyncio.create_task(news.wait())
    try:
        await asyncio.wait([heard, reading], return_when=asyncio.FIRST_COMPLETED)
    finally:
        heard.cancel()
