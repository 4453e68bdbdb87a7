"""The way over a history gap: the account as a server shows it after ledgers that no server has."""

import msgspec
import structlog

from ledger_client import LedgerServer
from offer_lifecycle import Gap, Header, LedgerOutcome, cross_history_gap, history_gap_event
from order_events import Resolution
from reconciler.following import stored_account
from reconciler.following.account_store import AccountStore
from reconciler.following.adoption import read_account_at
from reconciler.following.stored_account import ExtraWrites, StoredAccount
from reconciler.safety.account_safety import AccountSafety

_log = structlog.get_logger()


class CrossedGap(msgspec.Struct, frozen=True, kw_only=True):
    """What is published and committed at the first ledger after a history gap."""

    header: Header
    outcome: LedgerOutcome
    extra: ExtraWrites
    """With the gap, and the account as it was when the gap began: a backfill begins there."""


async def read_over_gap(
    server: LedgerServer, account: AccountStore, safety: AccountSafety, resume_at: int
) -> CrossedGap:
    """Read the account at ledger `resume_at`, and hold it against what is committed before the gap.

    Raises:
        ServerError: as every request; nothing is half done.

    """
    committed = account.require_committed()
    state, stored = committed.state, committed.stored
    view = await read_account_at(server, state.record.network_id, account.name, resume_at)
    view.state.record = await safety.confirm_opening(server, view.state.record)
    gap = Gap(
        first=state.record.ledger_index + 1,
        last=view.header.ledger_index,
        last_hash=view.header.ledger_hash,
    )
    outcome = cross_history_gap(state, view.state, view.header, view.next_sequence, gap)
    _log.error(
        "no server has these ledgers: going on after them, what became of orders in them is unresolved",
        account=account.name,
        gap=gap.name,
        server=server.name,
        lost=sum(order.sequence not in view.state.orders for order in outcome.changed.values()),
    )
    at_its_beginning = StoredAccount(record=state.record, engine_sequence=account.engine_sequence)
    extra = ExtraWrites(
        history_gaps=(*stored.history_gaps, gap),
        unexplained_removals=stored.unexplained_removals,
        events=(history_gap_event(state, gap, view.header, Resolution.PENDING),),
        values=stored_account.gap_values(gap, at_its_beginning, state.orders),
    )
    return CrossedGap(header=view.header, outcome=outcome, extra=extra)
