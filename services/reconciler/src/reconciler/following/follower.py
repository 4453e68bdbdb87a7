"""What happens when a ledger closes, for one account, from top to bottom.

`Follower.advance` is called at each close. For every ledger that the server has after the cursor it goes
through these steps:

1. It asks for the account's transactions, and meanwhile applies what the engine has announced so far
   (`engine_announcements`) and publishes what the stream shows of the ledger already (`telling`).
2. It shows that no transaction is missing (`account_reader`).
3. It has the ledger's hash confirmed (`confirmation`).
4. It folds the ledger into events and changed orders (`offer_lifecycle`).
5. The policy decides what is done about each disappearance; the balances are added up (`safety`).
6. It publishes what is not told yet: the disappearances first and for a bounded time, then all other events,
   and that the ledger is confirmed (`watermark`).
7. It commits the changed orders and the cursor in one atomic batch. Only then the account goes on.

A crash between any two steps reads the same ledger again, and the same facts have the same ids.
`cross_history_gap` and `correct_earlier_events` end with the same last two steps.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import msgspec
import structlog

from ledger_client import (
    LedgerServer,
    ServerStatus,
    WrongChain,
    fold_with_questions,
    ledger_header,
    server_status,
)
from offer_lifecycle import (
    AccountRecord,
    AccountState,
    Header,
    LedgerOutcome,
    keep_incomplete_orders,
)
from order_events import OrdersEvent
from reconciler.following import account_reader
from reconciler.following.account_start import AccountStart
from reconciler.following.account_store import AccountStore
from reconciler.following.confirmation import LedgerConfirmation
from reconciler.following.confirmed_reading import ConfirmedLedger, ConfirmedReading
from reconciler.following.continuity import Continuity
from reconciler.following.engine_announcements import EngineAnnouncements
from reconciler.following.gap_crossing import read_over_gap
from reconciler.following.lie_recovery import LieRecovery
from reconciler.following.publisher import Publisher
from reconciler.following.stored_account import CommittedAccount, ExtraWrites
from reconciler.following.telling import Telling
from reconciler.following.watermark import Watermark
from reconciler.ports.bus import EngineFeed, StateStore, ToldEvents, Watermarks, Witness
from reconciler.safety.account_safety import AccountSafety, PolicyOutcome, SharedSafety
from reconciler.safety.policy import PolicyState
from reconciler.safety.snapshot_check import SnapshotCheck
from service_kit.cancellation import raise_if_cancelled

_log = structlog.get_logger()

_MOST_UNEXPLAINED = 20
"""Unexplained removals that are stored, of about 1 kB each: they are written with every ledger."""

MakeCorrection = Callable[[CommittedAccount, Header], Awaitable[tuple[LedgerOutcome, ExtraWrites]]]
"""Works out what is corrected, from what is committed and the header of the cursor's ledger."""

OnCommitted = Callable[[int, Header, Sequence[OrdersEvent]], None]
"""Receives the network's id, the ledger's header and its events; takes microseconds, and raises nothing."""


class Follower:
    """One account, followed from the ledger of its cursor on."""

    def __init__(  # noqa: PLR0913 - its ports, all by keyword
        self,
        account: str,
        *,
        start_ledger: int | None,
        last_ledger: int | None = None,
        announcements_lost_until: int = 0,
        feed: EngineFeed,
        store: StateStore,
        publisher: Publisher,
        safety: SharedSafety | None = None,
        network: Callable[[], int | None] = lambda: None,
        confirmation: LedgerConfirmation | None = None,
        watermarks: Watermarks | None = None,
        told_events: ToldEvents | None = None,
        witness: Witness | None = None,
        on_committed: OnCommitted = lambda _network_id, _header, _events: None,
    ) -> None:
        """Follow from `start_ledger` up to `last_ledger`.

        `start_ledger`: where to adopt an account that has no cursor; None: the newest validated ledger.
        `last_ledger`: the newest ledger that is read; None: there is no end.
        `announcements_lost_until`: up to there some of the engine's announcements may be lost, where the
        account is adopted anew.
        `network`: returns the id of the network to follow the account on, once it is known.
        `confirmation`: what a ledger waits for before it is committed; None: it waits for nothing.
        `told_events`: what earlier processes told beyond the cursor; None: it is not looked for.
        `on_committed`: called when a ledger is committed, with the events that were published of it.
        """
        self.account = account
        self._last_ledger = last_ledger
        self._publisher = publisher
        shared = safety or SharedSafety()
        self._safety = AccountSafety(account, shared)
        self._snapshot_check = SnapshotCheck(account, shared.slots)
        self._account = AccountStore(account, store)
        self._continuity = Continuity(account, watermarks, witness)
        self._telling = Telling(account, self._safety, publisher)
        self._announcements = EngineAnnouncements(
            feed, self._account, self._continuity, self._telling, waits_for_all=last_ledger is not None
        )
        self._start = AccountStart(
            start_ledger=start_ledger,
            announcements_lost_until=announcements_lost_until,
            network=network,
            account=self._account,
            continuity=self._continuity,
            announcements=self._announcements,
            publisher=publisher,
            safety=self._safety,
            telling=self._telling,
            told_events=told_events,
        )
        self._reading = ConfirmedReading(self._account, self._telling, confirmation)
        self._watermark = Watermark(account)
        self._recovery = LieRecovery(
            account=self._account,
            announcements=self._announcements,
            continuity=self._continuity,
            start=self._start,
            watermark=self._watermark,
        )
        self._on_committed = on_committed
        self._read_from: str | None = None

    @property
    def committed(self) -> CommittedAccount | None:
        """What is committed of the account; None: it is not adopted yet.

        Disappearances that the bus has acknowledged since are no longer in it.
        """
        return self._account.committed

    @property
    def resuming_from(self) -> AccountRecord | None:
        """The record after which the account goes on; None: it was never followed, as far as is known."""
        committed = self._account.committed
        return self._continuity.followed_before if committed is None else committed.stored.record

    async def advance(self, server: LedgerServer) -> ServerStatus:
        """Go on as far as one reading of this server leads, and return what the server said of itself.

        Raises:
            ServerError, HistoryMissing: the server can't be used for this; nothing is half done.
            NotOwner, StateUnreadable: this replica must not, or cannot, follow the account.

        """
        status = (await server_status(server)).up_to(self._last_ledger)
        await self._start.load_on_network_of(server, status)
        committed = self._account.committed
        if committed is None:
            await self._start.adopt(server, status)
            return status
        state = committed.state
        await self._halt_where_history_broke(server)
        upto = account_reader.last_readable_ledger(server, status, state.record.ledger_index)
        if upto > state.record.ledger_index:
            hear_engine = partial(self._hear_engine, server, state, status.validated)
            ledgers = await self._reading.read(server, status, upto, hear_engine)
            await self._recovery.take_back_if_lied_to(server)
            for ledger in ledgers:
                raise_if_cancelled()
                await self._follow_ledger(server, state, ledger)
        else:
            await self._use_quiet_moment(server, committed)
        self._read_from = server.name
        await self._check_safety(server)
        self._telling.raise_if_contradicted(server)
        return status

    async def _hear_engine(self, server: LedgerServer, state: AccountState, newest: int) -> None:
        """Apply what the engine has announced; halt if announcements are lost."""
        await self._announcements.apply(state, newest)
        await self._halt_where_history_broke(server)

    async def _follow_ledger(
        self, server: LedgerServer, state: AccountState, ledger: ConfirmedLedger
    ) -> None:
        """Fold one ledger, decide on what came out, publish it and commit it."""
        facts = ledger.facts
        before, stored = state.record, self._account.require_committed().stored
        outcome = await fold_with_questions(server, state, facts)
        for damage in outcome.damaged:
            _log.error("metadata that can't be read", account=self.account, found=damage)
        self._safety.report_ledger(outcome)
        if stored.history_gaps:
            outcome = keep_incomplete_orders(outcome, state)
        decided = self._safety.decide_ledger(stored.policy_state, before, facts, outcome)
        orders = {**state.orders, **outcome.changed}
        decided.events.extend(self._telling.corrections(facts.header, decided.events, orders))
        decided.events.extend(self._watermark.after_ledger(before, ledger, decided.events))
        unexplained = (*stored.unexplained_removals, *outcome.unexplained_removals)[-_MOST_UNEXPLAINED:]
        extra = ExtraWrites(history_gaps=stored.history_gaps, unexplained_removals=unexplained)
        await self._publish_and_commit(server, facts.header, outcome, decided, extra)
        self._watermark.note_committed(before, facts.header, decided.events)

    async def _publish_and_commit(
        self,
        server: LedgerServer,
        header: Header,
        outcome: LedgerOutcome,
        decided: PolicyOutcome,
        extra: ExtraWrites,
    ) -> None:
        """Publish what came out at a ledger, commit it, and go on to the state after it."""
        committed = self._account.require_committed()
        events = [*decided.events, *extra.events]
        untold = self._telling.untold(events)
        left = await self._publisher.publish(untold, committed.stored.unacknowledged, server, header)
        unacknowledged = (*left, *extra.unacknowledged)
        extra = msgspec.structs.replace(extra, unacknowledged=unacknowledged)
        await self._account.commit(committed.state, decided, extra, outcome)
        self._telling.forget_up_to(header.ledger_index)
        self._on_committed(committed.state.record.network_id, header, events)
        self._safety.report(committed.stored.policy_state, decided)
        committed.state.apply(outcome)
        await self._continuity.note_committed(committed.state.record)

    async def _use_quiet_moment(self, server: LedgerServer, committed: CommittedAccount) -> None:
        """No ledger is new: check the chain, offer disappearances again, and check the book.

        An account that is behind its engine hears more of it.
        """
        if self._announcements.is_behind:
            await self._announcements.apply(committed.state, committed.cursor)
        if server.name != self._read_from:
            await account_reader.check_cursor(server, committed.state.record)
        left = await self._publisher.offer(committed.stored.unacknowledged)
        self._account.replace_stored(unacknowledged=tuple(left))
        self._account.touched.update(await self._snapshot_check.check_if_due(server, committed.state))

    async def _check_safety(self, server: LedgerServer) -> None:
        """Lift a halt that an operator has answered, and compare the balances with the server's, if due."""
        for decide in (self._safety.resume_if_answered, partial(self._safety.check_balances, server)):
            committed = self._account.require_committed()
            decided = await decide(committed.stored.policy_state, committed.state.record)
            if decided is not None:
                await self._publish_and_commit_decision(decided)

    async def _publish_and_commit_decision(self, decided: PolicyOutcome) -> None:
        """Publish and commit what was decided between two ledgers."""
        committed = self._account.require_committed()
        await self._publisher.publish_notices(decided.events)
        extra = ExtraWrites(
            history_gaps=committed.stored.history_gaps,
            unexplained_removals=committed.stored.unexplained_removals,
            unacknowledged=committed.stored.unacknowledged,
        )
        await self._account.commit(committed.state, decided, extra)
        self._safety.report(committed.stored.policy_state, decided)
        committed.state.record = decided.record

    async def cross_history_gap(self, server: LedgerServer, resume_at: int) -> None:
        """Go on at ledger `resume_at` after ledgers that no server has, from what this server shows there.

        What happened to the orders in between is unresolved until a backfill has read the ledgers.

        Raises:
            ServerError: as every request; nothing is half done.

        """
        before = self._continuity.followed_before
        if before is not None and self._account.committed is None:
            policy_state = self._safety.start_at(before.ledger_index, PolicyState())
            self._account.begin_after(before, policy_state)
        committed = self._account.require_committed()
        await self._announcements.apply(committed.state, resume_at)
        crossed = await read_over_gap(server, self._account, self._safety, resume_at)
        header = crossed.header
        decided = self._safety.decide_after_gap(committed.stored.policy_state, crossed.outcome, header)
        decided = self._safety.halt(decided, self._continuity.breaks(), header)
        await self._publish_and_commit(server, header, crossed.outcome, decided, crossed.extra)
        self._watermark.restart_after(header.ledger_index)
        self._continuity.note_told()

    async def correct_earlier_events(self, server: LedgerServer, make_correction: MakeCorrection) -> None:
        """Publish and commit what older ledgers, or a late answer of this server, correct.

        Raises:
            ServerError: as every request; WrongChain if the server shows another ledger at the cursor.

        """
        committed = self._account.require_committed()
        record = committed.state.record
        header = await ledger_header(server, record.ledger_index)
        if header.ledger_hash != record.ledger_hash:
            raise WrongChain(
                server.name,
                f"ledger: expected hash {record.ledger_hash} of ledger {header.ledger_index}, "
                f"found {header.ledger_hash}: it is on another chain than the ledgers followed so far",
            )
        outcome, extra = await make_correction(committed, header)
        decided = self._safety.accept_correction(committed.stored.policy_state, outcome)
        await self._publish_and_commit(server, header, outcome, decided, extra)

    def close(self) -> None:
        """Stop hearing the engine: another replica follows the account, or another follower does."""
        self._announcements.forget()

    async def _halt_where_history_broke(self, server: LedgerServer) -> None:
        """Tell what the bus no longer holds of the account's past, and commit the halt."""
        breaks = self._continuity.breaks()
        if not breaks:
            return
        committed = self._account.require_committed()
        record, policy_state = committed.state.record, committed.stored.policy_state
        header = await ledger_header(server, record.ledger_index)
        unchanged = PolicyOutcome(events=[], record=record, policy_state=policy_state)
        await self._publish_and_commit_decision(self._safety.halt(unchanged, breaks, header))
        self._continuity.note_told()
