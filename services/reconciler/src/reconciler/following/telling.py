"""Telling at once: what is certain of a ledger before it is read, from what the server's stream shows of it.

The stream shows a ledger's transactions from the first one on. The account's own among them, up to the first
that is missing, are folded on what is committed. Their events are the first ones of the ledger: reading it
gives the same events, by the same ids. Nothing is committed here.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import structlog

from ledger_client import Contradicted, LedgerBeginning, LedgerServer, LedgerStream, stream_of
from offer_lifecycle import (
    AccountState,
    Header,
    LedgerFacts,
    LedgerOutcome,
    Order,
    correct_told_event,
    fold_beginning,
)
from order_events import Action, OrderCorrected, OrderDisappeared, OrderEvent, OrdersEvent
from reconciler.following.publisher import Publisher
from reconciler.following.stored_account import CommittedAccount
from reconciler.safety.account_safety import AccountSafety

if TYPE_CHECKING:
    from uuid import UUID

T = TypeVar("T")
E = TypeVar("E", bound=OrdersEvent)

_log = structlog.get_logger()


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
        self._told: dict[UUID, OrderEvent] = {}
        """Acknowledged by the bus, and not committed yet; by this process or an earlier one."""
        self._told_by: dict[UUID, str] = {}
        """The server by whose stream each of them was told, if this process told it."""
        self._announced_since = False
        """Whether the engine has announced something since, so that the ledger may give other events."""
        self._contradicted: set[str] = set()
        """The servers whose telling was corrected since they were last read."""

    async def tell_until_read(
        self, server: LedgerServer, committed: CommittedAccount, reading: asyncio.Task[T]
    ) -> T:
        """Await a reading of the ledgers after the cursor, and tell meanwhile what is certain of the first.

        Raises what the reading raises.
        """
        stream = stream_of(server)
        if stream is not None:
            await self._tell_until_done(stream, server, committed, reading)
        return await reading

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
        told = {event.event_id: event for event in events if event.event_id not in left}
        self._told.update(told)
        self._told_by.update(dict.fromkeys(told, server.name))
        self._announced_since = False

    def recall(self, told: Iterable[OrderEvent]) -> None:
        """Take what an earlier process told of ledgers after the cursor; what is not so is withdrawn."""
        self._told.update((event.event_id, event) for event in told if not isinstance(event, OrderCorrected))

    def note_announcements(self) -> None:
        """Note that the engine has announced something."""
        self._announced_since = True

    def corrections(
        self, header: Header, events: Iterable[OrdersEvent], orders: Mapping[int, Order]
    ) -> list[OrderCorrected]:
        """Return what corrects the told events that are not, or not like this, in the ledger as it was read.

        `events`: those that the ledger at `header` gives; `orders`: the account's after it.
        """
        due = [one for one in self._told.values() if _is_up_to(one, header.ledger_index)]
        if not due:
            return []
        read = {event.event_id: event for event in events if isinstance(event, OrderEvent)}
        wrong = [one for one in due if not _same(one, read.get(one.event_id))]
        if wrong and not self._announced_since:
            liars = {self._told_by[one.event_id] for one in wrong if one.event_id in self._told_by}
            _log.error(
                "told by a server, and not so in its ledger",
                account=self._account,
                servers=sorted(liars) or "unknown: told before a restart, perhaps by an earlier version",
                events=[str(one.event_id) for one in wrong],
            )
            self._contradicted |= liars
        return [correct_told_event(one, read.get(one.event_id), orders, header) for one in wrong]

    def raise_if_contradicted(self, server: LedgerServer) -> None:
        """Let a server be put aside whose stream told what its ledger does not hold; it is corrected by now.

        Raises:
            Contradicted: naming the server.

        """
        if server.name in self._contradicted:
            self._contradicted.discard(server.name)
            stream = stream_of(server)
            if stream is not None:
                stream.note_lie(stream.newest)
            raise Contradicted(
                server.name,
                f"stream: expected what it told of {self._account} in its ledger, found something else; "
                "order.corrected says what stands",
            )

    def untold(self, events: Iterable[E]) -> list[E]:
        """Return the events that are not told yet."""
        return [event for event in events if event.event_id not in self._told]

    def forget_up_to(self, ledger_index: int) -> None:
        """Forget what is told of ledgers that are committed."""
        self._told = {name: event for name, event in self._told.items() if not _is_up_to(event, ledger_index)}
        self._told_by = {name: server for name, server in self._told_by.items() if name in self._told}


def _is_up_to(event: OrderEvent, ledger_index: int) -> bool:
    return event.ledger_index is None or event.ledger_index <= ledger_index


def _same(told: OrderEvent, read: OrderEvent | None) -> bool:
    """Whether they are equal but for the market, read at best, and for what the engine has announced."""
    return read is not None and _of_the_ledger(told) == _of_the_ledger(read)


def _of_the_ledger(event: OrderEvent) -> OrderEvent:
    event = msgspec.structs.replace(event, client_order_id=None, session_id=None, external=False)
    if isinstance(event, OrderDisappeared):
        return msgspec.structs.replace(event, market_context=None, anomaly=False, action_taken=Action.NONE)
    return event


async def _first_of(news: asyncio.Event, reading: asyncio.Task[Any]) -> None:
    heard = asyncio.create_task(news.wait())
    try:
        await asyncio.wait([heard, reading], return_when=asyncio.FIRST_COMPLETED)
    finally:
        heard.cancel()
