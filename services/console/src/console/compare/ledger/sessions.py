"""What recorded sessions say of orders: each folded as `fillproof replay` folds it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from typing import TYPE_CHECKING

from console.compare.ledger.from_events import ledger_order
from console.compare.ledger.markets import Offer, book_question, market_for, takeable
from console.compare.ledger.record import Coverage, LedgerOrder, Market, Moment, Reading, Watch
from console.engine import engine_accounts
from console.errors import BadOption
from console.recorded_server import RecordedServer, closed_session
from console.replay import steps
from console.sessions import Recording
from offer_lifecycle import ripple_time_to_datetime
from replay_node.recordings import RECORDINGS
from replay_node.session import RecordedLedger, Session

if TYPE_CHECKING:
    from order_events import OrderEvent


class RecordedSessions:
    """The orders of recorded sessions: no network, no database."""

    knows_markets = True

    def __init__(self, recordings: Sequence[Recording]) -> None:
        """Take recordings, each of accounts of its own."""
        self._recordings = recordings
        self._books = {recording.session.name: _Books(recording.session) for recording in recordings}

    def accounts(self) -> Iterable[str]:
        """Return the accounts that the sessions' engines traded on."""
        return [account for one in self._recordings for account in engine_accounts(one.session)]

    def read(self, accounts: Sequence[str], first: int | None, last: int | None, watch: Watch) -> Reading:
        """Fold every session that has one of the accounts."""
        known = {account: one for one in self._recordings for account in engine_accounts(one.session)}
        if missing := [account for account in accounts if account not in known]:
            raise BadOption(
                f"expected accounts whose orders the sessions recorded ({', '.join(known) or 'none'}), "
                f"found {', '.join(missing)}: is the account right, and the session?"
            )
        chosen = {one.session.name: one for account, one in known.items() if account in set(accounts)}
        orders: list[LedgerOrder] = []
        coverage: list[Coverage] = []
        for one in chosen.values():
            mine = set(engine_accounts(one.session)) & set(accounts)
            orders += _orders(one.session, mine, last, watch)
            coverage += _coverage(one.session, sorted(mine), first, last)
        return Reading(
            source=", ".join(f"session {name}" for name in chosen),
            orders=orders,
            coverage=coverage,
            explain=("--session", _name(next(iter(chosen.values())))) if len(chosen) == 1 else (),
        )

    def market(self, order: LedgerOrder, ledger_index: int) -> Market | None:
        """Return the best unexpired, funded offers of others at that ledger; no pools."""
        name = self._session_of.get(order.account)
        return None if name is None else self._books[name].market(order, ledger_index)

    @cached_property
    def _session_of(self) -> Mapping[str, str]:
        return {
            account: one.session.name for one in self._recordings for account in engine_accounts(one.session)
        }


def _name(recording: Recording) -> str:
    return recording.session.name if recording.path.parent == RECORDINGS else str(recording.path)


def _orders(session: Session, accounts: set[str], last: int | None, watch: Watch) -> Iterator[LedgerOrder]:
    by_order: dict[tuple[str, int], list[OrderEvent]] = defaultdict(list)
    total = len(session.ledgers)

    def counted(ledgers: Sequence[RecordedLedger]) -> Iterator[RecordedLedger]:
        for number, ledger in enumerate(ledgers, 2):
            if last is not None and ledger.ledger_index > last:
                return
            watch(f"ledgers of {session.name}", number, total)
            yield ledger

    for step in steps(session, counted):
        for event in step.events:
            if event.account in accounts:
                by_order[event.account, event.sequence].append(event)
    for events in by_order.values():
        if (order := ledger_order(events)) is not None:
            yield order


def _coverage(
    session: Session, accounts: Sequence[str], first: int | None, last: int | None
) -> Iterator[Coverage]:
    ledgers = [
        ledger
        for ledger in session.ledgers
        if (first is None or ledger.ledger_index >= first - 1)
        and (last is None or ledger.ledger_index <= last)
    ]
    if not ledgers:
        raise BadOption(
            f"session {session.name}: expected ledgers of {session.ledgers[0].ledger_index} to "
            f"{session.ledgers[-1].ledger_index}, found {first or 'its first'} to {last or 'its last'}"
        )
    for account in accounts:
        yield Coverage(
            account=account,
            source=f"session {session.name}",
            first=_moment(ledgers[0]),
            last=_moment(ledgers[-1]),
            first_hash=ledgers[0].header["ledger_hash"],
            last_hash=ledgers[-1].header["ledger_hash"],
            next_sequence=_next_sequence(session, account, ledgers[-1]),
        )


def _next_sequence(session: Session, account: str, ledger: RecordedLedger) -> int | None:
    role = next(role for role, address in session.accounts.items() if address == account)
    shown = ledger.after.get(role, {}).get("account_data")
    return None if shown is None else int(shown["Sequence"])


def _moment(ledger: RecordedLedger) -> Moment:
    return Moment(ledger_index=ledger.ledger_index, time=ripple_time_to_datetime(ledger.header["close_time"]))


class _Books:
    """The books of one session, asked of the replay node, each ledger and side once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._offers = cache(self._ask)
        self._times = {ledger.ledger_index: ledger.header["close_time"] for ledger in session.ledgers}

    def market(self, order: LedgerOrder, ledger_index: int) -> Market | None:
        if ledger_index not in self._times:
            return None
        asks = self._offers(ledger_index, order.base, order.quote)
        bids = self._offers(ledger_index, order.quote, order.base)
        return market_for(order, ledger_index, asks, bids)

    def _ask(self, ledger_index: int, gets: str, pays: str) -> list[Offer]:
        answer = self._server.answer("book_offers", book_question(gets, pays, ledger_index))
        return takeable(answer.get("offers", []), self._times[ledger_index])

    @cached_property
    def _server(self) -> RecordedServer:
        return closed_session(self._session)
