"""The backfill of one history gap: its ledgers are followed after all, from what was stored when it began.

A follower of its own reads the gap, with a store that only this backfill sees, so the events are those that
would have been published without the gap. At the end, one commit of the account's own follower merges what
came out. Until then only facts were published, and a backfill that breaks off can begin again.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

import msgspec
import structlog

from ledger_client import LedgerServer, ProtocolViolation, WrongChain
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
from reconciler.following.stored_account import CommittedAccount, ExtraWrites, StateUnreadable, cursor_of
from reconciler.ports.bus import EngineFeed, StateStore, StoredValues

_log = structlog.get_logger()


class BackfillPublisher(Publisher):
    """Publishes what older history shows, marked as `backfill`."""

    async def publish(
        self,
        events: Sequence[OrdersEvent],
        unacknowledged: Sequence[OrderDisappeared],
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
        return await super().publish(marked, unacknowledged, server, header)


class GapStore:
    """A state store that begins with what was stored of a gap and keeps every order (see `StateStore`)."""

    def __init__(self, store: StateStore, gap: Gap) -> None:
        self._store = store
        self._gap = gap
        self.before: Mapping[str, bytes] = {}
        self.after: dict[str, bytes] = {}

    async def load(self, prefix: str) -> StoredValues:
        """Return the account as it was when the gap began."""
        found = await self._store.load(f"{prefix}.{stored_account.gap_prefix(self._gap)}")
        self.before, self.after = found.values, dict(found.values)
        return found

    async def commit(
        self,
        prefix: str,  # noqa: ARG002
        values: Mapping[str, bytes],
        deleted: Sequence[str],  # noqa: ARG002 - an order that ended long ago in the gap is still wanted
        fence: int,
    ) -> int:
        """Keep the values in memory."""
        self.after.update(values)
        return fence + 1


class GapBackfill:
    """One gap of an account, being read on one server."""

    def __init__(  # noqa: PLR0913 - what is read, and its ports by keyword
        self,
        account: str,
        gap: Gap,
        server: LedgerServer,
        *,
        feed: EngineFeed,
        store: StateStore,
        publisher: BackfillPublisher,
    ) -> None:
        """`feed`: a feed of this backfill's own, which begins where the gap does."""
        self._gap = gap
        self._server = server
        self._store = store
        self._gap_store = GapStore(store, gap)
        self._follower = Follower(
            account,
            start_ledger=None,
            last_ledger=gap.last,
            feed=feed,
            store=self._gap_store,
            publisher=publisher,
        )

    async def advance(self) -> bool:
        """Follow the account through the gap by one reading; True once the gap's end is reached.

        Raises:
            ServerError, HistoryMissing: the server can't be read any more.

        """
        await self._follower.advance(self._server)
        return cursor_of(self._follower.committed) == self._gap.last

    async def merge_into(self, follower: Follower) -> None:
        """Add what came out to the account, correct earlier events, and close the gap, all in one commit.

        Raises:
            ServerError: as every request; WrongChain, ProtocolViolation: if the gap's ledgers don't lead to
                what was seen after them.

        """
        before, after = _read(self._gap_store.before), _read(self._gap_store.after)
        self._check_end(after.stored.record.ledger_hash)
        await follower.correct_earlier_events(
            self._server, partial(self._correction, _Past(before=before.state, after=after.state))
        )
        _log.info("gap backfilled", account=follower.account, gap=self._gap.name)

    async def _correction(
        self, past: "_Past", committed: CommittedAccount, header: Header
    ) -> tuple[LedgerOutcome, ExtraWrites]:
        outcome = self._merged(committed.state, past, header)
        still_open = tuple(gap for gap in committed.stored.history_gaps if gap != self._gap)
        later = sorted((gap for gap in still_open if gap.first > self._gap.first), key=lambda gap: gap.first)
        values: dict[str, bytes] = {}
        for gap in later:
            values.update(await self._merged_into_gap(gap, past, header, is_next=gap is later[0]))
        if not later:
            outcome = msgspec.structs.replace(outcome, record=past.adopted_earlier(outcome.record))
        read = self._follower.committed
        extra = ExtraWrites(
            history_gaps=still_open,
            unexplained_removals=(
                *committed.stored.unexplained_removals,
                *(read.stored.unexplained_removals if read else ()),
            ),
            events=(history_gap_event(committed.state, self._gap, header, Resolution.RESOLVED),),
            values=values,
            deleted=stored_account.gap_keys(self._gap, past.before.orders),
            unacknowledged=read.stored.unacknowledged if read else (),
        )
        return outcome, extra

    async def _merged_into_gap(
        self, later: Gap, past: "_Past", header: Header, *, is_next: bool
    ) -> dict[str, bytes]:
        """Return what was stored when a later gap began, with what is known of this gap now.

        `is_next`: there is no other gap between the two.
        """
        account = past.before.record
        prefix = f"{account.network_id}.{account.account}.{stored_account.gap_prefix(later)}"
        at_its_beginning = _read((await self._store.load(prefix)).values)
        outcome = self._merged(at_its_beginning.state, past, header)
        record = past.adopted_earlier(outcome.record) if is_next else outcome.record
        stored = msgspec.structs.replace(at_its_beginning.stored, record=record)
        return stored_account.gap_values(later, stored, outcome.changed)

    def _merged(self, state: AccountState, past: "_Past", header: Header) -> LedgerOutcome:
        try:
            return backfill_history_gap(state, past.before, past.after, self._gap, header)
        except Contradiction as contradiction:
            raise ProtocolViolation(self._server.name, str(contradiction)) from contradiction

    def _check_end(self, found: str) -> None:
        """Check that the gap's ledgers lead to the ledger at which the account was seen again."""
        expected = self._gap.last_hash
        if expected != found:
            raise WrongChain(
                self._server.name,
                f"ledger: expected hash {expected} of ledger {self._gap.last}, found {found}: it is on "
                "another chain than the ledgers followed after the gap",
            )


class _Past(NamedTuple):
    """The account when the gap began, and after the gap's ledgers were read."""

    before: AccountState
    after: AccountState

    def adopted_earlier(self, record: AccountRecord) -> AccountRecord:
        """Return a record after the gap as one of an account that has been followed since before it."""
        return msgspec.structs.replace(record, adopted_at=self.before.record.adopted_at)


def _read(values: Mapping[str, bytes]) -> CommittedAccount:
    account = stored_account.read_account(StoredValues(values=values, revision=0))
    if account is None:
        raise StateUnreadable(
            "expected the account as it was when the gap began, found nothing: delete the account's keys to "
            "adopt it afresh"
        )
    return account
