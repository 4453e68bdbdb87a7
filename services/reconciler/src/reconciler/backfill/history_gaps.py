"""Ledgers that no server has: how long they are waited for, going on without them, and coming back to them.

A server that is silent or lags says nothing about what there is. Only when every one that answers has newer
ledgers and lacks those after the cursor, and that for as long as the deployment is patient, the account goes
on after them; the ledgers that are left out are a gap. A gap heals when a server shows up that has them.
"""

from collections.abc import Callable, Iterable, Sequence
from weakref import WeakKeyDictionary

import structlog

from ledger_client.questions import ServerStatus, server_status
from ledger_client.server import LedgerServer, ServerError
from offer_lifecycle import AccountState, Gap, cross_history_gap, history_gap_event
from order_events import Resolution
from reconciler.backfill.gap_backfill import Healing
from reconciler.following import stored_account
from reconciler.following.account_reader import HistoryMissing
from reconciler.following.adoption import look_at
from reconciler.following.follower import Follower

_log = structlog.get_logger()

SECONDS_BETWEEN_LOOKS = 60.0
"""At all servers, for the ledgers of an account's gaps."""

_Answer = tuple[LedgerServer, ServerStatus]


class Gaps:
    """The gaps of all accounts."""

    def __init__(
        self,
        *,
        patience: float,
        clock: Callable[[], float],
        healings: Callable[[str, Gap, LedgerServer], Healing],
    ) -> None:
        """`patience`: seconds that ledgers are waited for; `clock`: seconds, monotonic.

        `healings` makes what reads an account's gap on a server.
        """
        self._patience = patience
        self._clock = clock
        self._healings = healings
        self._lacking_since: dict[str, float] = {}
        self._next_look: dict[str, float] = {}
        # By follower, not by account: one that comes back from another replica begins anew
        self._under_way: WeakKeyDictionary[Follower, Healing] = WeakKeyDictionary()

    def served(self, account: str) -> None:
        """Note that a server has the ledgers that the account needs next."""
        self._lacking_since.pop(account, None)

    async def go_on(self, follower: Follower, servers: Iterable[LedgerServer]) -> bool:
        """Leave out the ledgers that no server has if they were waited for; True if that was done."""
        state, account = follower.state, follower.account
        lacking = [] if state is None else _lacking(await _answers(servers, state), state)
        if state is None or not lacking:
            self.served(account)
            return False
        now = self._clock()
        if now - self._lacking_since.setdefault(account, now) < self._patience:
            return False
        server, status = min(lacking, key=lambda answer: _whole_from(answer[1]))
        try:
            await _cross(follower, state, server, status)
        except ServerError as error:
            _log.warning("ledgers not left out yet", account=account, problem=str(error))
            return False
        self.served(account)
        return True

    async def heal(self, follower: Follower, servers: Iterable[LedgerServer]) -> None:
        """Read on in a gap, one step at a time, if a server has its ledgers by now."""
        state, account = follower.state, follower.account
        if state is None or not follower.gaps:
            return
        if follower not in self._under_way:
            await self._begin(follower, state, servers)
        healing = self._under_way.get(follower)
        if healing is None:
            return
        try:
            if await healing.step():
                await healing.join(follower, state)
                del self._under_way[follower]
        except (ServerError, HistoryMissing) as error:
            del self._under_way[follower]
            _log.warning("gap not healed, begun again later", account=account, problem=str(error))

    async def _begin(self, follower: Follower, state: AccountState, servers: Iterable[LedgerServer]) -> None:
        account, now = follower.account, self._clock()
        if now < self._next_look.get(account, now):
            return
        self._next_look[account] = now + SECONDS_BETWEEN_LOOKS
        for server, status in await _answers(servers, state):
            for gap in follower.gaps:
                # As servers grant it: account_tx ends in the same unbroken range as the newest ledger
                if status.covers(gap.first - 1, status.validated):
                    _log.info("reading a gap", account=account, gap=gap.name, server=server.name)
                    self._under_way[follower] = self._healings(account, gap, server)
                    return


async def _answers(servers: Iterable[LedgerServer], state: AccountState) -> list[_Answer]:
    """Return what the servers of the account's network have; the silent ones are left out."""
    answers = []
    for server in servers:
        try:
            status = await server_status(server)
        except ServerError:
            continue
        if status.network_id == state.record.network_id:
            answers.append((server, status))
    return answers


def _lacking(answers: Sequence[_Answer], state: AccountState) -> list[_Answer]:
    """Return the servers with newer ledgers, if none of them has those after the cursor."""
    cursor = state.record.ledger_index
    if any(status.covers(cursor, max(cursor, status.validated)) for _, status in answers):
        return []
    return [answer for answer in answers if answer[1].validated > cursor and _whole_from(answer[1]) > cursor]


def _whole_from(status: ServerStatus) -> int:
    """Return the first ledger from which the server has all up to its newest; 0: not even that one."""
    newest = status.validated
    return next((low for low, high in status.complete if low <= newest <= high), 0)


async def _cross(follower: Follower, state: AccountState, server: LedgerServer, status: ServerStatus) -> None:
    """Tell of the gap and go on from the first ledger after it, all in one commit."""
    await follower.hear_engine(state)
    first = state.record.ledger_index + 1
    sight = await look_at(server, status, follower.account, _whole_from(status))
    gap = Gap(first=first, last=sight.header.ledger_index, last_hash=sight.header.ledger_hash)
    outcome = cross_history_gap(state, sight.state, sight.header, sight.next_sequence, gap)
    before = stored_account.KeptAccount(record=state.record, engine_sequence=follower.engine_sequence)
    _log.error(
        "no server has these ledgers: going on after them, what happened to the orders in them is unresolved",
        account=follower.account,
        gap=gap.name,
        server=server.name,
        lost=sum(after.sequence not in sight.state.orders for after in outcome.changed.values()),
    )
    beside = stored_account.Beside(
        gaps=(*follower.gaps, gap),
        unexplained_removals=follower.unexplained_removals,
        events=(history_gap_event(state, gap, sight.header, Resolution.PENDING),),
        values=stored_account.gap_values(gap, before, state.orders),
    )
    judged = follower.guard.left_out(outcome, sight.header)
    await follower.settle(server, sight.header, state, outcome, judged, beside)
