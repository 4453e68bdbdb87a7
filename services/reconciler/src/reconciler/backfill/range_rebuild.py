"""Deriving events again: an account is followed once more, with a memory that nobody else sees.

The follower is the reconciler's own, so the same ledgers give the same events with the same ids. Nothing
is written to the state bucket, and only what belongs to the wanted ledgers is published.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec
import structlog

from ledger_client.questions import ServerStatus
from ledger_client.server import LedgerServer, ServerError
from offer_lifecycle import Header
from order_events import OrderDisappeared, OrdersEvent
from reconciler.following import stored_account
from reconciler.following.account_reader import HistoryMissing
from reconciler.following.follower import Follower
from reconciler.following.publisher import Publisher
from reconciler.ports.bus import EngineFeed, Kept, OrdersBus, StateStore
from reconciler.ports.market import Market

_log = structlog.get_logger()

_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds between attempts when no server answers; it can be started again at any time."""
_SECONDS_BETWEEN_REPORTS = 2.0
_CONTEXT_SECONDS = 60.0
"""For the disappearances of a ledger: nothing waits for them here."""


class NotRebuilt(Exception):
    """The events can't be derived again: expected, found, what to do."""


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """The ledgers whose events are wanted, both ends included."""

    first: int
    last: int


class Rebuilt(msgspec.Struct, frozen=True, kw_only=True):
    """What was derived again for one account."""

    account: str
    begun_at: int
    """The ledger at which the account was adopted for it."""
    ledgers: int
    """Read for it: those that had to be followed to get to the wanted ones are among them."""
    events: dict[str, int]
    """Published, by type."""


class WindowPublisher(Publisher):
    """Publishes what belongs to the wanted ledgers and counts it."""

    def __init__(self, bus: OrdersBus, market: Market, window: Window) -> None:
        super().__init__(bus, market, disappearance_timeout=_CONTEXT_SECONDS)
        self._window = window
        self.published: Counter[str] = Counter()

    async def publish(
        self,
        events: Sequence[OrdersEvent],
        owed: Sequence[OrderDisappeared],
        server: LedgerServer,
        header: Header,
    ) -> list[OrderDisappeared]:
        """Publish the ledger's events if it is a wanted one; nothing is ever owed."""
        if not self._window.first <= header.ledger_index <= self._window.last:
            return []
        self.published.update(str(event.__struct_config__.tag) for event in events)
        return await super().publish(events, owed, server, header)


class ScratchStore:
    """A state store that keeps nothing: the follower remembers what it needs (see `StateStore`)."""

    async def load(self, prefix: str) -> Kept:  # noqa: ARG002
        """Return nothing: the account is adopted afresh."""
        return Kept(values={}, revision=0)

    async def commit(
        self,
        prefix: str,  # noqa: ARG002
        values: Mapping[str, bytes],  # noqa: ARG002
        deleted: Sequence[str],  # noqa: ARG002
        fence: int,
    ) -> int:
        """Take it for written."""
        return fence + 1


async def adoption_ledger(store: StateStore, network_id: int, account: str, window: Window) -> int:
    """Return where to begin: where the account was adopted; not on record: right before the window.

    Raises:
        NotRebuilt: if the account was adopted after the window, so that there never were such events.
        StateUnreadable: as the reconciler meets it.

    """
    kept = stored_account.read_kept(await store.load(f"{network_id}.{account}"))
    if kept is None:
        _log.warning(
            "the reconciler's state doesn't know the account: its orders are adopted right before the first "
            "ledger, what they were before is not known",
            account=account,
            begun_at=window.first - 1,
        )
        return window.first - 1
    adopted_at = kept[0].record.adopted_at
    if adopted_at > window.last:
        raise NotRebuilt(
            f"{account}: expected ledgers from {adopted_at} on, where it was adopted, "
            f"found {window.first}-{window.last}: nothing was ever told of them"
        )
    return adopted_at


async def rebuild(  # noqa: PLR0913 - the account, its ledgers, and what it is read from and written to
    account: str,
    begun_at: int,
    window: Window,
    *,
    servers: Sequence[LedgerServer],
    feed: EngineFeed,
    bus: OrdersBus,
    market: Market,
) -> Rebuilt:
    """Follow the account from `begun_at` on and publish the events of the window's ledgers.

    Raises:
        NotRebuilt: no server answers, or none holds the ledgers.

    """
    publisher = WindowPublisher(bus, market, window)
    follower = Follower(
        account,
        start_ledger=begun_at,
        last_ledger=window.last,
        feed=feed,
        store=ScratchStore(),
        publisher=publisher,
    )
    clock = asyncio.get_running_loop().time
    reported = clock()
    while (follower.cursor or 0) < window.last:
        await _step(follower, servers, window)
        if clock() - reported >= _SECONDS_BETWEEN_REPORTS:
            reported = clock()
            _log.info(
                "rebuilding",
                account=account,
                ledger=follower.cursor,
                ledgers_to_go=window.last - (follower.cursor or begun_at),
                events=publisher.published.total(),
            )
    return Rebuilt(
        account=account,
        begun_at=begun_at,
        ledgers=window.last - begun_at + 1,
        events=dict(publisher.published),
    )


async def _step(follower: Follower, servers: Sequence[LedgerServer], window: Window) -> None:
    for pause in _PAUSES:
        problems: list[Exception] = []
        for server in servers:
            try:
                _check_reaches(server, await follower.advance(server), window)
            except (HistoryMissing, ServerError) as error:
                problems.append(error)
            else:
                return
        if all(isinstance(problem, HistoryMissing) for problem in problems):
            break
        _log.warning("no server could be read, trying again", problems=[str(one) for one in problems])
        await asyncio.sleep(pause)
    raise NotRebuilt(f"{follower.account}: {'; '.join(str(problem) for problem in problems)}")


def _check_reaches(server: LedgerServer, status: ServerStatus, window: Window) -> None:
    if status.validated < window.last:
        raise HistoryMissing(
            f"{server.name}: expected ledger {window.last} to end with, "
            f"found {status.validated} as its newest; end there"
        )
