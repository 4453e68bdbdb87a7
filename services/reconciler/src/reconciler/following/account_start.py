"""The start of an account: it is taken up where it was committed, or adopted as a server shows it."""

from collections.abc import Callable

import msgspec
import structlog

from ledger_client import LedgerServer, ProtocolViolation, ServerStatus
from offer_lifecycle import AccountRecord, accepted_at_adoption
from reconciler.following.account_reader import HistoryMissing
from reconciler.following.account_store import AccountStore
from reconciler.following.adoption import read_account_at
from reconciler.following.continuity import Continuity
from reconciler.following.engine_announcements import EngineAnnouncements
from reconciler.following.publisher import Publisher
from reconciler.following.stored_account import ExtraWrites
from reconciler.following.telling import Telling
from reconciler.ports.bus import ToldEvents
from reconciler.safety.account_safety import AccountSafety, PolicyOutcome
from reconciler.safety.policy import PolicyState

_log = structlog.get_logger()


class AccountStart:
    """How one account begins to be followed."""

    def __init__(  # noqa: PLR0913 - the account's parts, all by keyword
        self,
        *,
        start_ledger: int | None,
        announcements_lost_until: int,
        network: Callable[[], int | None],
        account: AccountStore,
        continuity: Continuity,
        announcements: EngineAnnouncements,
        publisher: Publisher,
        safety: AccountSafety,
        telling: Telling,
        told_events: ToldEvents | None,
    ) -> None:
        """`start_ledger`: where to adopt an account that has no cursor; None: the newest validated ledger.

        `announcements_lost_until`: up to there some of the engine's announcements may be lost.
        `network`: returns the id of the network to follow the account on, once it is known.
        """
        self._start_ledger = start_ledger
        self._announcements_lost_until = announcements_lost_until
        self._network = network
        self._account = account
        self._continuity = continuity
        self._announcements = announcements
        self._publisher = publisher
        self._safety = safety
        self._telling = telling
        self._told_events = told_events
        self._network_id: int | None = None

    async def load_on_network_of(self, server: LedgerServer, status: ServerStatus) -> None:
        """Take the account up on the server's network, unless another one is known to be right.

        What a server says of its network holds only once the account is adopted there.

        Raises:
            ProtocolViolation: the server is on another network.

        """
        adopted = self._network_id if self._account.committed is not None else None
        known = self._network() if adopted is None else adopted
        if known is not None and status.network_id != known:
            raise ProtocolViolation(
                server.name, f"server_info: expected network {known}, found {status.network_id}"
            )
        if status.network_id != self._network_id:
            await self._load(status.network_id)

    async def _load(self, network_id: int) -> None:
        """Take the account up where it was committed, if it was."""
        committed = await self._account.load(network_id)
        self._network_id = network_id
        await self._continuity.check_state(network_id, self._account)
        if committed is not None:
            stored = committed.stored
            policy_state = self._safety.start_at(committed.cursor, stored.policy_state)
            self._account.replace_stored(policy_state=policy_state)
            await self.recall_told(committed.stored.record)
            _log.info(
                "account taken up",
                account=self._account.name,
                cursor=committed.cursor,
                orders=len(committed.state.orders),
                unacknowledged=len(stored.unacknowledged),
            )
        self._announcements.follow()

    async def recall_told(self, record: AccountRecord) -> None:
        """Let what stream ORDERS holds of ledgers after the cursor be corrected if it is not so."""
        if self._told_events is not None:
            prefix = f"{record.network_id}.{record.account}"
            self._telling.recall(await self._told_events.read_after(prefix, record.ledger_index))

    async def adopt(self, server: LedgerServer, status: ServerStatus) -> None:
        """Begin to follow the account: every offer that the server lists is an external order.

        One that was followed before, and whose state is lost, begins where it is known to have been.

        Raises:
            HistoryMissing: the server lacks the ledger to begin with.
            ServerError: as every request.

        """
        before = self._continuity.followed_before
        ledger_index = before.ledger_index if before else self._start_ledger or status.validated
        if not status.covers(ledger_index, status.validated if before else ledger_index):
            raise HistoryMissing(
                f"{server.name}: history missing: expected ledger {ledger_index} to begin with, "
                f"found {status.held}"
            )
        view = await read_account_at(server, status.network_id, self._account.name, ledger_index)
        view.state.record = await self._safety.confirm_opening(server, view.state.record)
        await self._announcements.apply(view.state, status.validated)
        accepted = accepted_at_adoption(view.state, view.header)
        await self._publisher.publish(accepted, (), server, view.header)
        policy_state = self._safety.start_at(ledger_index, PolicyState())
        if before is not None:
            view.state.record = msgspec.structs.replace(
                view.state.record,
                followed_since=before.followed_since,
                session_id=before.session_id,
            )
        lost_until = max(self._announcements_lost_until, before.announcements_lost_until if before else 0)
        view.state.record = msgspec.structs.replace(view.state.record, announcements_lost_until=lost_until)
        decided = PolicyOutcome(events=[], record=view.state.record, policy_state=policy_state)
        decided = self._safety.halt(decided, self._continuity.breaks(), view.header)
        await self._publisher.publish_notices(decided.events)
        self._account.touched.update(view.state.orders)
        await self._account.commit(view.state, decided, ExtraWrites(history_gaps=(), unexplained_removals=()))
        self._continuity.note_told()
        await self._continuity.note_committed(view.state.record)
        _log.info(
            "account adopted", account=self._account.name, ledger_index=ledger_index, orders=len(accepted)
        )
