"""Removals that nothing explained: other servers, or the same ones later, may know the ledger before.

They are asked ever more seldom, as long as the account remembers the doubt: the newest few.
"""

from collections.abc import Callable, Iterable
from functools import partial

import msgspec
import structlog

from ledger_client import (
    LedgerServer,
    ServerError,
    WrongChain,
    account_history,
    decide_with_questions,
    ledger_header,
    state_before,
)
from offer_lifecycle import Doubt, LedgerFacts, Verdict, look_again, settled
from order_events import RemovalReason
from reconciler.following import stored_account
from reconciler.following.follower import Follower

_log = structlog.get_logger()

FIRST_PAUSE = 60.0
"""Seconds until an account's doubts are asked about again; each time twice as long."""
LONGEST_PAUSE = 3600.0


class Doubts:
    """The doubts of all accounts."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        """`clock`: seconds, monotonic."""
        self._clock = clock
        self._next: dict[str, float] = {}
        self._pause: dict[str, float] = {}

    async def ask(self, follower: Follower, servers: Iterable[LedgerServer]) -> None:
        """Ask all servers about the account's doubts, if it is time, and correct what they explain."""
        account, now = follower.account, self._clock()
        if not follower.doubts:
            self._pause.pop(account, None)
            self._next.pop(account, None)
            return
        pause = self._pause.setdefault(account, FIRST_PAUSE)
        if now < self._next.setdefault(account, now + pause):
            return
        self._pause[account] = min(pause * 2, LONGEST_PAUSE)
        self._next[account] = now + self._pause[account]
        for server in servers:
            for doubt in follower.doubts:
                try:
                    await _ask(follower, doubt, server)
                except ServerError as error:
                    _log.debug("doubt not settled", account=account, problem=str(error))
                    break


async def _ask(follower: Follower, doubt: Doubt, server: LedgerServer) -> None:
    state = follower.state
    verdict = await _verdict(doubt, server)
    if state is None or verdict is None or verdict.reason is RemovalReason.UNEXPLAINED:
        return
    header = await ledger_header(server, state.record.ledger_index)
    if header.ledger_hash != state.record.ledger_hash:
        raise WrongChain(
            server.name,
            f"ledger: expected hash {state.record.ledger_hash} of ledger {header.ledger_index}, "
            f"found {header.ledger_hash}",
        )
    outcome = settled(state, doubt, verdict, header)
    left = tuple(other for other in follower.doubts if other != doubt)
    beside = stored_account.Beside(gaps=follower.gaps, doubts=left)
    judged = follower.guard.corrected(outcome)
    await follower.settle(server, header, state, outcome, judged, beside)
    _log.info(
        "explained after all",
        account=follower.account,
        sequence=doubt.order.sequence,
        reason=verdict.reason,
        server=server.name,
    )


async def _verdict(doubt: Doubt, server: LedgerServer) -> Verdict | None:
    """Decide again with this server's answers; None: it does not show the transaction."""
    ledger_index = doubt.order.ended_at or 0
    history = await account_history(server, doubt.order.account, ledger_index, ledger_index)
    header = await ledger_header(server, ledger_index)
    facts = LedgerFacts(
        header=header, reserves=doubt.reserves, transactions=tuple(one.transaction for one in history)
    )
    return await decide_with_questions(
        lambda answers: look_again(doubt, msgspec.structs.replace(facts, answers=answers)),
        lambda verdict: verdict.questions if verdict else (),
        partial(state_before, server),
    )
