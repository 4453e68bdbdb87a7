"""The rebuild of a range of ledgers: an account is followed once more, and its events are published again.

A follower of its own reads the ledgers, so the same ledgers give the same events with the same ids. Nothing
is written to the state bucket, and only the events of the wanted ledgers are published.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial

import msgspec
import structlog

from ledger_client import LedgerServer, ServerError, ServerStatus
from offer_lifecycle import Header
from order_events import OrderDisappeared, OrdersEvent
from reconciler.following import stored_account
from reconciler.following.account_reader import HistoryMissing
from reconciler.following.follower import Follower
from reconciler.following.publisher import Publisher
from reconciler.following.stored_account import cursor_of
from reconciler.ports.bus import EngineFeed, OrdersBus, StateStore, StoredValues
from reconciler.ports.market import Market
from reconciler.proofs.proof_keeper import ProofKeeper
from retries import Backoff, retry

_log = structlog.get_logger()

_BACKOFF = Backoff(shortest=0.5, longest=8.0)
_ATTEMPTS = 5
"""When no server answers; a rebuild can be started again at any time."""
_SECONDS_BETWEEN_REPORTS = 2.0
_CONTEXT_SECONDS = 60.0
"""The limit for the disappearances of a ledger: nothing waits for them in a rebuild."""


class NotRebuilt(Exception):
    """The caller asked for a range whose events can't be derived again, or not now."""


class LedgerRange(msgspec.Struct, frozen=True, kw_only=True):
    """The ledgers whose events are wanted, both ends included."""

    first: int
    last: int


class RangeProofs:
    """The proofs of the wanted ledgers, as far as servers still have the ledgers: their votes have passed."""

    def __init__(self, keeper: ProofKeeper, wanted: LedgerRange) -> None:
        """`keeper`: one to which no server gives validations, so that it waits for none."""
        self._keeper = keeper
        self._wanted = wanted

    def note_committed(self, network_id: int, header: Header, events: Sequence[OrdersEvent]) -> None:
        """Note a ledger that was read again, if it is wanted."""
        if self._wanted.first <= header.ledger_index <= self._wanted.last:
            self._keeper.note_committed(network_id, header, events)

    async def publish(self) -> None:
        """Publish the proofs of what was read so far; those that fail are tried again at the next call."""
        await self._keeper.publish_what_is_ready()

    async def finish(self) -> None:
        """Publish the rest, and say of how many ledgers no proof could be made."""
        for _ in range(_ATTEMPTS):
            await self.publish()
        if self._keeper.waiting:
            _log.warning("ledgers of the range are without proofs", ledgers=self._keeper.waiting)


class RebuildResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a rebuild has read and published for one account."""

    account: str
    begun_at: int
    """The ledger at which the account was adopted for it."""
    ledgers: int
    """Ledgers read, from the adoption up to the last wanted one."""
    events: dict[str, int]
    """Published events, counted by type."""


class RangePublisher(Publisher):
    """Publishes and counts the events of the wanted ledgers."""

    def __init__(self, bus: OrdersBus, market: Market, wanted: LedgerRange) -> None:
        super().__init__(bus, market, disappearance_timeout=_CONTEXT_SECONDS)
        self._wanted = wanted
        self.published: Counter[str] = Counter()

    async def publish(
        self,
        events: Sequence[OrdersEvent],
        unacknowledged: Sequence[OrderDisappeared],
        server: LedgerServer,
        header: Header,
    ) -> list[OrderDisappeared]:
        """Publish the ledger's events if the ledger is wanted (see `Publisher`)."""
        if not self._wanted.first <= header.ledger_index <= self._wanted.last:
            return []
        self.published.update(str(event.__struct_config__.tag) for event in events)
        return await super().publish(events, unacknowledged, server, header)


class ScratchStore:
    """A state store that stores nothing: the follower itself remembers what it needs (see `StateStore`)."""

    async def load(self, prefix: str) -> StoredValues:  # noqa: ARG002
        """Return nothing: the account is adopted afresh."""
        return StoredValues(values={}, revision=0)

    async def commit(
        self,
        prefix: str,  # noqa: ARG002
        values: Mapping[str, bytes],  # noqa: ARG002
        deleted: Sequence[str],  # noqa: ARG002
        fence: int,
    ) -> int:
        """Return the next revision and write nothing."""
        return fence + 1


class Adoption(msgspec.Struct, frozen=True, kw_only=True):
    """How an account is adopted for a rebuild."""

    ledger_index: int
    announcements_lost_until: int = 0
    """Up to there some of the engine's announcements may be lost: no cancel is a stranger's then."""


async def find_adoption(store: StateStore, network_id: int, account: str, wanted: LedgerRange) -> Adoption:
    """Return the ledger to begin with: where the account was adopted, or right before the range.

    Raises:
        NotRebuilt: if the account was adopted after the first wanted ledger: all that was asked for, or
            nothing, is published.
        StateUnreadable: naming the key.

    """
    committed = stored_account.read_account(await store.load(f"{network_id}.{account}"))
    if committed is None:
        _log.warning(
            "the reconciler's state doesn't know the account: its orders are adopted right before the first "
            "wanted ledger, and their earlier history is not known",
            account=account,
            begun_at=wanted.first - 1,
        )
        return Adoption(ledger_index=wanted.first - 1)
    record = committed.stored.record
    followed_since = record.followed_since or record.adopted_at
    if followed_since > wanted.first:
        raise NotRebuilt(
            f"{account}: expected ledgers from {followed_since} on, where it was adopted, "
            f"found {wanted.first}-{wanted.last}: events before were never published; begin there"
        )
    return Adoption(ledger_index=followed_since, announcements_lost_until=record.announcements_lost_until)


async def rebuild(  # noqa: PLR0913 - the account, its ledgers, and what it is read from and written to
    account: str,
    adoption: Adoption,
    wanted: LedgerRange,
    *,
    servers: Sequence[LedgerServer],
    feed: EngineFeed,
    bus: OrdersBus,
    market: Market,
    proofs: RangeProofs,
) -> RebuildResult:
    """Follow the account from its adoption on and publish the events and proofs of the wanted ledgers.

    Raises:
        NotRebuilt: no server answers, or none holds the ledgers.

    """
    publisher = RangePublisher(bus, market, wanted)
    follower = Follower(
        account,
        start_ledger=adoption.ledger_index,
        announcements_lost_until=adoption.announcements_lost_until,
        last_ledger=wanted.last,
        feed=feed,
        store=ScratchStore(),
        publisher=publisher,
        on_committed=proofs.note_committed,
    )
    clock = asyncio.get_running_loop().time
    reported = clock()
    while cursor_of(follower.committed) < wanted.last:
        await _advance(follower, servers, wanted)
        await proofs.publish()
        if clock() - reported >= _SECONDS_BETWEEN_REPORTS:
            reported = clock()
            _log.info(
                "rebuilding",
                account=account,
                ledger=cursor_of(follower.committed),
                ledgers_to_go=wanted.last - cursor_of(follower.committed),
                events=publisher.published.total(),
            )
    await proofs.finish()
    return RebuildResult(
        account=account,
        begun_at=adoption.ledger_index,
        ledgers=wanted.last - adoption.ledger_index + 1,
        events=dict(publisher.published),
    )


async def _advance(follower: Follower, servers: Sequence[LedgerServer], wanted: LedgerRange) -> None:
    try:
        await retry(
            partial(_advance_once, follower, servers, wanted),
            on=(ExceptionGroup,),
            backoff=_BACKOFF,
            attempts=_ATTEMPTS,
            chance=random.random,
            failed=lambda _failures, problems: _log.warning(
                "no server could be read, trying again", problem=_told(problems)
            ),
        )
    except ExceptionGroup as problems:
        raise NotRebuilt(f"{follower.account}: {_told(problems)}") from problems


async def _advance_once(follower: Follower, servers: Sequence[LedgerServer], wanted: LedgerRange) -> None:
    """Advance on the first server that can be read.

    Raises:
        NotRebuilt: all servers lack the history.
        ExceptionGroup: of what stands against each server; another moment may help.

    """
    problems: list[Exception] = []
    for server in servers:
        try:
            _check_reaches(server, await follower.advance(server), wanted)
        except (HistoryMissing, ServerError) as error:
            problems.append(error)
        else:
            return
    found = ExceptionGroup("no server could be read", problems)
    if all(isinstance(problem, HistoryMissing) for problem in problems):
        raise NotRebuilt(f"{follower.account}: {_told(found)}")
    raise found


def _told(problems: Exception) -> str:
    found = problems.exceptions if isinstance(problems, ExceptionGroup) else (problems,)
    return "; ".join(str(problem) for problem in found)


def _check_reaches(server: LedgerServer, status: ServerStatus, wanted: LedgerRange) -> None:
    if status.validated < wanted.last:
        raise HistoryMissing(
            f"{server.name}: expected ledger {wanted.last} to end with, "
            f"found {status.validated} as its newest; end there"
        )
