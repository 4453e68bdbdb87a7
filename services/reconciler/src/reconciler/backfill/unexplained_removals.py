"""Unexplained removals: the servers are asked again, since one may know the ledger before the removal by now.

The newest few removals of an account are asked about, at ever longer intervals.
"""

from collections.abc import Callable, Iterable
from functools import partial

import msgspec
import structlog

from ledger_client import (
    LedgerServer,
    ServerError,
    account_history,
    decide_with_questions,
    ledger_header,
    state_before,
)
from offer_lifecycle import (
    Header,
    LedgerFacts,
    LedgerOutcome,
    UnexplainedRemoval,
    Verdict,
    correct_disappearance,
    explain_again,
)
from order_events import RemovalReason
from reconciler.following.follower import Follower
from reconciler.following.stored_account import CommittedAccount, ExtraWrites
from retries import Backoff

_log = structlog.get_logger()

FIRST_PAUSE = 60.0
"""Seconds until the servers are asked again about an account's removals; each time twice as long."""
LONGEST_PAUSE = 3600.0
"""Seconds."""
_BACKOFF = Backoff(shortest=FIRST_PAUSE, longest=LONGEST_PAUSE)
_WHOLE = 1.0
"""No chance in these pauses: accounts begin at moments of their own."""


class UnexplainedRemovals:
    """The unexplained removals of all accounts."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        """`clock`: seconds, monotonic."""
        self._clock = clock
        self._next: dict[str, float] = {}
        self._asked: dict[str, int] = {}

    async def ask_again(self, follower: Follower, servers: Iterable[LedgerServer]) -> None:
        """Ask all servers about the account's removals, if it is time, and correct what they explain."""
        account, now = follower.account, self._clock()
        if not _unexplained(follower):
            self._asked.pop(account, None)
            self._next.pop(account, None)
            return
        if now < self._next.setdefault(account, now + FIRST_PAUSE):
            return
        self._asked[account] = self._asked.get(account, 1) + 1
        self._next[account] = now + _BACKOFF.seconds(self._asked[account], _WHOLE)
        for server in servers:
            for removal in _unexplained(follower):
                try:
                    await _explain(follower, removal, server)
                except ServerError as error:
                    _log.debug("removal still unexplained", account=account, problem=str(error))
                    break


def _unexplained(follower: Follower) -> tuple[UnexplainedRemoval, ...]:
    committed = follower.committed
    return () if committed is None else committed.stored.unexplained_removals


async def _explain(follower: Follower, removal: UnexplainedRemoval, server: LedgerServer) -> None:
    """Correct the removal's event if this server's answers explain it."""
    verdict = await _verdict(removal, server)
    if verdict is None or verdict.reason is RemovalReason.UNEXPLAINED:
        return

    async def correction(committed: CommittedAccount, header: Header) -> tuple[LedgerOutcome, ExtraWrites]:
        stored = committed.stored
        left = tuple(other for other in stored.unexplained_removals if other != removal)
        extra = ExtraWrites(history_gaps=stored.history_gaps, unexplained_removals=left)
        return correct_disappearance(committed.state, removal, verdict, header), extra

    await follower.correct_earlier_events(server, correction)
    _log.info(
        "removal explained by a late answer",
        account=follower.account,
        sequence=removal.order.sequence,
        reason=verdict.reason,
        server=server.name,
    )


async def _verdict(removal: UnexplainedRemoval, server: LedgerServer) -> Verdict | None:
    """Decide again with this server's answers; None: it does not show the removing transaction."""
    ledger_index = removal.order.ended_at or 0
    history = await account_history(server, removal.order.account, ledger_index, ledger_index)
    header = await ledger_header(server, ledger_index)
    facts = LedgerFacts(
        header=header, reserves=removal.reserves, transactions=tuple(one.transaction for one in history)
    )
    return await decide_with_questions(
        lambda answers: explain_again(removal, msgspec.structs.replace(facts, answers=answers)),
        lambda verdict: verdict.questions if verdict else (),
        partial(state_before, server),
    )
