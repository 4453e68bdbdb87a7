"""Removals that nothing explained: other servers, or the same ones later, may know the ledger before.

They are asked ever more seldom, as long as the account remembers the removal: the newest few.
"""

from collections.abc import Callable, Iterable

import structlog

from ledger_client.questions import account_history, ledger_header, state_before
from ledger_client.server import LedgerServer, ServerError, WrongChain
from offer_lifecycle import (
    LedgerFacts,
    StateAnswer,
    UnexplainedRemoval,
    Verdict,
    correct_disappearance,
    explain_again,
)
from order_events import RemovalReason
from reconciler.following import stored_account
from reconciler.following.follower import Follower

_log = structlog.get_logger()

FIRST_PAUSE = 60.0
"""Seconds until an account's unexplained removals are asked about again; each time twice as long."""
LONGEST_PAUSE = 3600.0
_ROUNDS = 3
"""A domain's answer asks for credentials; nothing asks further than that."""


class UnexplainedRemovals:
    """The unexplained removals of all accounts."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        """`clock`: seconds, monotonic."""
        self._clock = clock
        self._next: dict[str, float] = {}
        self._pause: dict[str, float] = {}

    async def ask(self, follower: Follower, servers: Iterable[LedgerServer]) -> None:
        """Ask all servers about the unexplained removals, if it is time; tell what is explained."""
        account, now = follower.account, self._clock()
        if not follower.unexplained_removals:
            self._pause.pop(account, None)
            self._next.pop(account, None)
            return
        pause = self._pause.setdefault(account, FIRST_PAUSE)
        if now < self._next.setdefault(account, now + pause):
            return
        self._pause[account] = min(pause * 2, LONGEST_PAUSE)
        self._next[account] = now + self._pause[account]
        for server in servers:
            for removal in follower.unexplained_removals:
                try:
                    await _ask(follower, removal, server)
                except ServerError as error:
                    _log.debug("removal still unexplained", account=account, problem=str(error))
                    break


async def _ask(follower: Follower, removal: UnexplainedRemoval, server: LedgerServer) -> None:
    state = follower.state
    verdict = await _verdict(removal, server)
    if state is None or verdict is None or verdict.reason is RemovalReason.UNEXPLAINED:
        return
    header = await ledger_header(server, state.record.ledger_index)
    if header.ledger_hash != state.record.ledger_hash:
        raise WrongChain(
            server.name,
            f"ledger: expected hash {state.record.ledger_hash} of ledger {header.ledger_index}, "
            f"found {header.ledger_hash}",
        )
    outcome = correct_disappearance(state, removal, verdict, header)
    left = tuple(other for other in follower.unexplained_removals if other != removal)
    beside = stored_account.Beside(gaps=follower.gaps, unexplained_removals=left)
    judged = follower.guard.corrected(outcome)
    await follower.settle(server, header, state, outcome, judged, beside)
    _log.info(
        "explained after all",
        account=follower.account,
        sequence=removal.order.sequence,
        reason=verdict.reason,
        server=server.name,
    )


async def _verdict(removal: UnexplainedRemoval, server: LedgerServer) -> Verdict | None:
    """Decide again with this server's answers; None: it does not show the transaction."""
    ledger_index = removal.order.ended_at or 0
    history = await account_history(server, removal.order.account, ledger_index, ledger_index)
    header = await ledger_header(server, ledger_index)
    transactions = tuple(one.transaction for one in history)
    answers: tuple[StateAnswer, ...] = ()
    for _ in range(_ROUNDS):
        facts = LedgerFacts(
            header=header, reserves=removal.reserves, transactions=transactions, answers=answers
        )
        verdict = explain_again(removal, facts)
        asked = [await state_before(server, question) for question in verdict.questions] if verdict else []
        known = tuple(answer for answer in asked if answer is not None)
        if not known:
            break
        answers = (*answers, *known)
    return verdict
