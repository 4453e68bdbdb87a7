"""The history gaps of all accounts: when ledgers are left out, and when they are read after all.

A server that is silent or lags says nothing about which ledgers exist. Only when every server that answers
has newer ledgers and lacks those after the cursor, for as long as `gap_patience` says, the account goes on
after them; the ledgers left out are a history gap. The gap is backfilled once a server has its ledgers.
"""

from collections.abc import Callable, Iterable, Sequence
from weakref import WeakKeyDictionary

import structlog

from ledger_client import LedgerServer, ServerError, ServerStatus, server_status
from offer_lifecycle import AccountRecord, Gap
from reconciler.backfill.gap_backfill import GapBackfill
from reconciler.following.account_reader import HistoryMissing
from reconciler.following.follower import Follower

_log = structlog.get_logger()

SECONDS_BETWEEN_SEARCHES = 60.0
"""Between two searches of all servers for the ledgers of an account's gaps."""

_Answer = tuple[LedgerServer, ServerStatus]


class HistoryGaps:
    """The history gaps of all accounts."""

    def __init__(
        self,
        *,
        patience: float,
        clock: Callable[[], float],
        make_backfill: Callable[[str, Gap, LedgerServer], GapBackfill],
    ) -> None:
        """`patience`: seconds until missing ledgers are left out; `clock`: seconds, monotonic.

        `make_backfill` makes the backfill of an account's gap on a server.
        """
        self._patience = patience
        self._clock = clock
        self._make_backfill = make_backfill
        self._missing_since: dict[str, float] = {}
        self._next_search: dict[str, float] = {}
        # By follower, not by account: an account that comes back from another replica begins it anew
        self._under_way: WeakKeyDictionary[Follower, GapBackfill] = WeakKeyDictionary()

    def note_served(self, account: str) -> None:
        """Note that a server has the ledgers that the account needs next."""
        self._missing_since.pop(account, None)

    async def cross_if_patience_ended(self, follower: Follower, servers: Iterable[LedgerServer]) -> bool:
        """Leave out the ledgers that no server has, if they were waited for; True if that was done."""
        account, record = follower.account, follower.resuming_from
        lacking = [] if record is None else _lacking(await _answers(servers, record), record)
        if not lacking:
            self.note_served(account)
            return False
        now = self._clock()
        if now - self._missing_since.setdefault(account, now) < self._patience:
            return False
        server, status = min(lacking, key=lambda answer: _unbroken_from(answer[1]))
        try:
            await follower.cross_history_gap(server, _unbroken_from(status))
        except ServerError as error:
            _log.warning("ledgers not left out yet", account=account, problem=str(error))
            return False
        self.note_served(account)
        return True

    async def backfill(self, follower: Follower, servers: Iterable[LedgerServer]) -> None:
        """Read on in one of the account's gaps, by one reading, if a server has its ledgers by now."""
        committed = follower.committed
        if committed is None or not committed.stored.history_gaps:
            return
        if follower not in self._under_way:
            await self._search(follower, committed.stored.record, committed.stored.history_gaps, servers)
        backfill = self._under_way.get(follower)
        if backfill is None:
            return
        try:
            if await backfill.advance():
                await backfill.merge_into(follower)
                del self._under_way[follower]
        except (ServerError, HistoryMissing) as error:
            del self._under_way[follower]
            _log.warning(
                "gap not backfilled, begun again later", account=follower.account, problem=str(error)
            )

    async def _search(
        self,
        follower: Follower,
        record: AccountRecord,
        gaps: Sequence[Gap],
        servers: Iterable[LedgerServer],
    ) -> None:
        """Begin the backfill of the first gap whose ledgers a server has."""
        account, now = follower.account, self._clock()
        if now < self._next_search.get(account, now):
            return
        self._next_search[account] = now + SECONDS_BETWEEN_SEARCHES
        for server, status in await _answers(servers, record):
            for gap in gaps:
                # Servers serve account_tx only over the unbroken range that ends with their newest ledger
                if status.covers(gap.first - 1, status.validated):
                    _log.info("reading a gap", account=account, gap=gap.name, server=server.name)
                    self._under_way[follower] = self._make_backfill(account, gap, server)
                    return


async def _answers(servers: Iterable[LedgerServer], record: AccountRecord) -> list[_Answer]:
    """Return the status of each server of the account's network; silent servers are left out."""
    answers = []
    for server in servers:
        try:
            status = await server_status(server)
        except ServerError:
            continue
        if status.network_id == record.network_id:
            answers.append((server, status))
    return answers


def _lacking(answers: Sequence[_Answer], record: AccountRecord) -> list[_Answer]:
    """Return the servers with newer ledgers, if none of all servers has the ledgers after the cursor."""
    cursor = record.ledger_index
    if any(status.covers(cursor, max(cursor, status.validated)) for _, status in answers):
        return []
    return [
        answer for answer in answers if answer[1].validated > cursor and _unbroken_from(answer[1]) > cursor
    ]


def _unbroken_from(status: ServerStatus) -> int:
    """Return the first ledger from which the server has all up to its newest; 0: not even that one."""
    newest = status.validated
    return next((low for low, high in status.complete if low <= newest <= high), 0)
