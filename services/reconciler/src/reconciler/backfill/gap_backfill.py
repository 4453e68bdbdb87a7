"""Reading a gap after all: the account is followed through it from what was kept of it when the gap began.

The follower is the reconciler's own, with a memory that nobody else sees, so the events are what they would
have been. What came out joins the account in one commit at the end; until then only facts were published,
and a healing that breaks off can begin again.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
import structlog

from ledger_client.questions import ledger_header
from ledger_client.server import LedgerServer, ProtocolViolation, WrongChain
from offer_lifecycle import (
    AccountRecord,
    AccountState,
    Contradiction,
    Gap,
    Header,
    LedgerOutcome,
    backfill_history_gap,
    history_gap_event,
)
from order_events import OrderDisappeared, OrderEvent, OrdersEvent, Provenance, Resolution
from reconciler.following import stored_account
from reconciler.following.follower import Follower
from reconciler.following.publisher import Publisher
from reconciler.ports.bus import EngineFeed, Kept, StateStore

_log = structlog.get_logger()


class HistoryPublisher(Publisher):
    """Publishes what older history shows, and says so."""

    async def publish(
        self,
        events: Sequence[OrdersEvent],
        owed: Sequence[OrderDisappeared],
        server: LedgerServer,
        header: Header,
    ) -> list[OrderDisappeared]:
        """Publish a ledger's events as `backfill` (see `Publisher`)."""
        marked = [
            msgspec.structs.replace(event, provenance=Provenance.BACKFILL)
            if isinstance(event, OrderEvent)
            else event
            for event in events
        ]
        return await super().publish(marked, owed, server, header)


class GapStore:
    """A state store that begins with what was kept of a gap and remembers every order (see `StateStore`)."""

    def __init__(self, store: StateStore, gap: Gap) -> None:
        self._store = store
        self._gap = gap
        self.before: Mapping[str, bytes] = {}
        self.after: dict[str, bytes] = {}

    async def load(self, prefix: str) -> Kept:
        """Return the account as it was when the gap began."""
        kept = await self._store.load(f"{prefix}.{stored_account.gap_key(self._gap)}")
        self.before, self.after = kept.values, dict(kept.values)
        return kept

    async def commit(
        self,
        prefix: str,  # noqa: ARG002
        values: Mapping[str, bytes],
        deleted: Sequence[str],  # noqa: ARG002 - an order that ended long ago in the gap is still wanted
        fence: int,
    ) -> int:
        """Remember what is written."""
        self.after.update(values)
        return fence + 1


class Healing:
    """One gap of an account, being read on one server."""

    def __init__(  # noqa: PLR0913 - what is read, and its ports by keyword
        self,
        account: str,
        gap: Gap,
        server: LedgerServer,
        *,
        feed: EngineFeed,
        store: StateStore,
        publisher: HistoryPublisher,
    ) -> None:
        """`feed`: one of its own, which begins where the gap does."""
        self._gap = gap
        self._server = server
        self._store = store
        self._kept = GapStore(store, gap)
        self._follower = Follower(
            account,
            start_ledger=None,
            last_ledger=gap.last,
            feed=feed,
            store=self._kept,
            publisher=publisher,
        )

    async def step(self) -> bool:
        """Follow the account through the gap by one reading; True once its end is reached.

        Raises:
            ServerError, HistoryMissing: the server can't be read any more.

        """
        await self._follower.advance(self._server)
        return self._follower.cursor == self._gap.last

    async def join(self, follower: Follower, state: AccountState) -> None:
        """Add what came out, correct what was told without it, and forget the gap, all in one commit.

        Raises:
            ServerError: as every request; WrongChain, ProtocolViolation: if the gap's ledgers don't lead to
                what was seen after them.

        """
        past = await self._past(state)
        outcome = self._healed(state, past)
        left = tuple(other for other in follower.gaps if other != self._gap)
        later = sorted((other for other in left if other.first > self._gap.first), key=lambda one: one.first)
        values: dict[str, bytes] = {}
        for other in later:
            values.update(await self._handed_on(other, past, begins=other is later[0]))
        if not later:
            outcome = msgspec.structs.replace(outcome, record=past.begun(outcome.record))
        beside = stored_account.Beside(
            gaps=left,
            unexplained_removals=(*follower.unexplained_removals, *self._follower.unexplained_removals),
            events=(history_gap_event(state, self._gap, past.header, Resolution.RESOLVED),),
            values=values,
            deleted=stored_account.gap_keys(self._gap, past.before.orders),
            owed=self._follower.owed,
        )
        judged = follower.guard.corrected(outcome)
        await follower.settle(self._server, past.header, state, outcome, judged, beside)
        _log.info("gap healed", account=follower.account, gap=self._gap.name, corrections=len(outcome.events))

    async def _past(self, state: AccountState) -> "_Past":
        """Return what was read; both ends of the gap must be ledgers that were followed."""
        _, before = _read(self._kept.before)
        kept, after = _read(self._kept.after)
        header = await ledger_header(self._server, state.record.ledger_index)
        self._check(self._gap.last, self._gap.last_hash, kept.record.ledger_hash)
        self._check(header.ledger_index, state.record.ledger_hash, header.ledger_hash)
        return _Past(before, after, header)

    async def _handed_on(self, later: Gap, past: "_Past", *, begins: bool) -> dict[str, bytes]:
        """Return what was kept when a later gap began, with what is known of this one.

        `begins`: between the two gaps there is no other.
        """
        account = past.before.record
        prefix = f"{account.network_id}.{account.account}.{stored_account.gap_key(later)}"
        kept, state = _read((await self._store.load(prefix)).values)
        outcome = self._healed(state, past)
        record = past.begun(outcome.record) if begins else outcome.record
        return stored_account.gap_values(later, msgspec.structs.replace(kept, record=record), outcome.changed)

    def _healed(self, state: AccountState, past: "_Past") -> LedgerOutcome:
        try:
            return backfill_history_gap(state, past.before, past.after, self._gap, past.header)
        except Contradiction as found:
            raise ProtocolViolation(self._server.name, str(found)) from found

    def _check(self, ledger_index: int, expected: str, found: str) -> None:
        if expected != found:
            raise WrongChain(
                self._server.name,
                f"ledger: expected hash {expected} of ledger {ledger_index}, found {found}: it is on "
                "another chain than the ledgers followed around the gap",
            )


class _Past(NamedTuple):
    """A gap that was read."""

    before: AccountState
    after: AccountState
    header: Header
    """Of the cursor's ledger."""

    def begun(self, record: AccountRecord) -> AccountRecord:
        """Return a record after the gap as one that has been followed since before it."""
        return msgspec.structs.replace(record, adopted_at=self.before.record.adopted_at)


def _read(values: Mapping[str, bytes]) -> tuple[stored_account.KeptAccount, AccountState]:
    found = stored_account.read_kept(Kept(values=values, revision=0))
    if found is None:
        raise stored_account.StateUnreadable(
            "expected the account as it was when the gap began, found nothing: delete the account's keys to "
            "adopt it afresh"
        )
    return found
