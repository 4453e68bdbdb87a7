"""Following one account: one ledger after the other, each published before it is committed.

The order of steps is the guarantee. Before a ledger is folded, all that the engine announced up to
that moment is applied. Then, for each ledger: fold; offer the disappearances; publish the rest; commit
state and cursor; go on. A crash between any two steps reads the same ledger again, and the same facts
have the same ids.
"""

import msgspec
import structlog

from ledger_client.fold_with_questions import explained
from ledger_client.questions import ServerStatus, server_status
from ledger_client.server import LedgerServer, ProtocolViolation, Refused
from offer_lifecycle import (
    AccountState,
    Gap,
    Header,
    LedgerFacts,
    LedgerOutcome,
    UnexplainedRemoval,
    accepted_at_adoption,
    keep_incomplete_orders,
)
from order_events import OrderDisappeared, ReconcilerHalted
from reconciler.following import account_reader, stored_account
from reconciler.following.adoption import look_at
from reconciler.following.publisher import Publisher
from reconciler.ports.bus import EngineFeed, StateStore
from reconciler.safety.account_safety import Guard, Guards, Judged
from reconciler.safety.snapshot_check import SnapshotCheck
from service_kit.cancellation import raise_if_cancelled

_log = structlog.get_logger()

_MOST_OWED = 400
"""Disappearances kept for the bus, of about 1 kB each: a message of NATS holds 1 MB."""
_MOST_UNEXPLAINED = 20
"""Unexplained removals that are asked about again, of about 1 kB each, written with every ledger."""


class Follower:
    """One account, from the ledger of its cursor on."""

    def __init__(  # noqa: PLR0913 - its ports, all by keyword
        self,
        account: str,
        *,
        start_ledger: int | None,
        last_ledger: int | None = None,
        feed: EngineFeed,
        store: StateStore,
        publisher: Publisher,
        guards: Guards | None = None,
    ) -> None:
        """Follow from `start_ledger` up to `last_ledger`.

        `start_ledger`: where to adopt an account that has no cursor; None: the newest validated one.
        `last_ledger`: the newest one that is looked at; None: there is no end.
        """
        self.account = account
        self.owed: tuple[OrderDisappeared, ...] = ()
        """Disappearances that the bus has not taken yet."""
        self.gaps: tuple[Gap, ...] = ()
        """Ledgers that no server could show so far."""
        self.unexplained_removals: tuple[UnexplainedRemoval, ...] = ()
        """Removals that nothing explains so far, oldest first."""
        self.engine_sequence = 0
        """Of stream ENGINE: the last message that is applied."""
        self._start_ledger = start_ledger
        self._last_ledger = last_ledger
        self._feed = feed
        self._store = store
        self._publisher = publisher
        shared = guards or Guards()
        self.guard = Guard(account, shared)
        self._network_id: int | None = None
        self._state: AccountState | None = None
        self._revision = 0
        self._announced: set[int] = set()
        self._read_from: str | None = None
        self._snapshot = SnapshotCheck(account, shared.turns)

    @property
    def state(self) -> AccountState | None:
        """The account up to the cursor; None: not adopted yet."""
        return self._state

    @property
    def halted(self) -> ReconcilerHalted | None:
        """What the account waits for an operator for; None: it does not."""
        return self.guard.standing.halted

    @property
    def cursor(self) -> int | None:
        """The last ledger that is fully folded, published and committed; None: not adopted yet."""
        return None if self._state is None else self._state.record.ledger_index

    async def advance(self, server: LedgerServer) -> ServerStatus:
        """Go on as far as one reading of this server leads, and return what the server said of itself.

        Raises:
            ServerError, HistoryMissing: the server can't be used for this; nothing is half done.
            NotOwner, StateUnreadable: this replica must not, or cannot, follow the account.

        """
        status = (await server_status(server)).up_to(self._last_ledger)
        if self._network_id is None:
            await self._load(status.network_id)
        if status.network_id != self._network_id:
            raise ProtocolViolation(
                server.name, f"server_info: expected network {self._network_id}, found {status.network_id}"
            )
        if self._state is None:
            await self._adopt(server, status)
            return status
        upto = account_reader.next_upto(server, status, self._state.record.ledger_index)
        if upto > self._state.record.ledger_index:
            await self._advance(server, status, self._state, upto)
        else:
            if server.name != self._read_from:
                await account_reader.check_cursor(server, self._state.record)
            self.owed = tuple(await self._publisher.offer(self.owed))
            self._announced.update(await self._snapshot.due(server, self._state))
        self._read_from = server.name
        await self._look_around(server, self._state)
        return status

    def leave(self) -> None:
        """Follow the account no longer: another replica does, or this one begins anew."""
        self._feed.forget(self.account)

    async def _advance(
        self, server: LedgerServer, status: ServerStatus, state: AccountState, upto: int
    ) -> None:
        await self.hear_engine(state)
        for facts in await self._read(server, status, state, upto):
            raise_if_cancelled()
            await self._take(server, state, facts)

    async def _read(
        self, server: LedgerServer, status: ServerStatus, state: AccountState, upto: int
    ) -> list[LedgerFacts]:
        try:
            return await account_reader.read(server, status, state.record, upto, state.deadlines(upto))
        except Refused as refusal:
            if refusal.code != "lgrNotFound" or upto == status.validated:
                raise
        # The range is there and the header at the end of this step is not: go on to the newest, which is
        newest = status.validated
        return await account_reader.read(server, status, state.record, newest, state.deadlines(newest))

    async def _take(self, server: LedgerServer, state: AccountState, facts: LedgerFacts) -> None:
        outcome = await explained(server, state, facts)
        for damage in outcome.damaged:
            _log.error("metadata that can't be read", account=self.account, found=damage)
        if self.gaps:
            outcome = keep_incomplete_orders(outcome, state)
        judged = self.guard.judge(state.record, facts, outcome)
        unexplained_removals = (*self.unexplained_removals, *outcome.unexplained_removals)[
            -_MOST_UNEXPLAINED:
        ]
        beside = stored_account.Beside(gaps=self.gaps, unexplained_removals=unexplained_removals)
        await self.settle(server, facts.header, state, outcome, judged, beside)

    async def settle(  # noqa: PLR0913, PLR0917 - what came out at a ledger, and what is told and written beside it
        self,
        server: LedgerServer,
        header: Header,
        state: AccountState,
        outcome: LedgerOutcome,
        judged: Judged,
        beside: stored_account.Beside,
    ) -> None:
        """Publish what came out at a ledger, commit it, and go on to the state after it."""
        owed = await self._publisher.publish([*judged.events, *beside.events], self.owed, server, header)
        self.owed = self._bounded([*owed, *beside.owed])
        changed = stored_account.order_values(stored_account.changed_orders(state, outcome, self._announced))
        deleted = [stored_account.order_key(sequence) for sequence in outcome.forgotten]
        written = msgspec.structs.replace(
            beside, values={**changed, **beside.values}, deleted=(*deleted, *beside.deleted)
        )
        await self._commit(judged, written)
        state.apply(outcome)

    async def _look_around(self, server: LedgerServer, state: AccountState) -> None:
        """See whether an operator has answered, and whether the balances are the server's."""
        await self._go_on(state, await self.guard.resumed(state.record))
        await self._go_on(state, await self.guard.checked(server, state.record))

    async def _go_on(self, state: AccountState, judged: Judged | None) -> None:
        if judged is None:
            return
        await self._publisher.tell(judged.events)
        values = stored_account.order_values(stored_account.changed_orders(state, None, self._announced))
        await self._commit(
            judged,
            stored_account.Beside(
                gaps=self.gaps, unexplained_removals=self.unexplained_removals, values=values
            ),
        )
        state.record = judged.record

    async def _commit(self, judged: Judged, written: stored_account.Beside) -> None:
        kept = stored_account.KeptAccount(
            record=judged.record,
            engine_sequence=self.engine_sequence,
            owed=self.owed,
            standing=judged.standing,
            gaps=written.gaps,
            unexplained_removals=written.unexplained_removals,
        )
        notices, answered = stored_account.notices(self.guard.standing, judged.standing)
        values = {**written.values, **notices, stored_account.ACCOUNT_KEY: stored_account.account_value(kept)}
        deleted = [*written.deleted, *answered]
        self._revision = await self._store.commit(self._prefix, values, deleted, self._revision)
        self._announced.clear()
        self.gaps, self.unexplained_removals = written.gaps, written.unexplained_removals
        self.guard.settle(judged)

    async def hear_engine(self, state: AccountState) -> None:
        """Apply what the engine has announced up to this moment."""
        heard = await self._feed.announced(self.account)
        for announcement in heard.announcements:
            order = state.announce(announcement)
            if order is not None:
                self._announced.add(order.sequence)
        self.engine_sequence = heard.sequence

    def _bounded(self, owed: list[OrderDisappeared]) -> tuple[OrderDisappeared, ...]:
        """Keep what fits into the account's record: the state must be written whatever the audit does."""
        if len(owed) > _MOST_OWED:
            _log.error(
                "disappearances given up: the bus has not taken them for too long; they can be read from the "
                "ledger again",
                account=self.account,
                given_up=len(owed) - _MOST_OWED,
            )
        return tuple(owed[-_MOST_OWED:])

    async def _load(self, network_id: int) -> None:
        kept = await self._store.load(f"{network_id}.{self.account}")
        found = stored_account.read_kept(kept)
        self._network_id, self._revision = network_id, kept.revision
        if found is not None:
            account, self._state = found
            self.engine_sequence, self.owed = account.engine_sequence, account.owed
            self.gaps, self.unexplained_removals = account.gaps, account.unexplained_removals
            self.guard.begin(account.record.ledger_index, account.standing)
            _log.info(
                "account taken up",
                account=self.account,
                cursor=account.record.ledger_index,
                orders=len(self._state.orders),
                owed=len(self.owed),
            )
        self._feed.follow(self.account, self.engine_sequence)

    async def _adopt(self, server: LedgerServer, status: ServerStatus) -> None:
        ledger_index = self._start_ledger or status.validated
        if not status.covers(ledger_index, ledger_index):
            raise account_reader.HistoryMissing(
                f"{server.name}: history missing: expected ledger {ledger_index} to begin with, "
                f"found {status.held}"
            )
        sight = await look_at(server, status, self.account, ledger_index)
        state = sight.state
        await self.hear_engine(state)
        orders = accepted_at_adoption(state, sight.header)
        await self._publisher.publish(orders, (), server, sight.header)
        judged = Judged(events=[], record=state.record, standing=self.guard.begin(ledger_index))
        values = stored_account.order_values(state.orders)
        await self._commit(judged, stored_account.Beside(gaps=(), unexplained_removals=(), values=values))
        self._state = state
        _log.info("account adopted", account=self.account, ledger_index=ledger_index, orders=len(orders))

    @property
    def _prefix(self) -> str:
        return f"{self._network_id}.{self.account}"
