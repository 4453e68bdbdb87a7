"""What a server's validated history says of orders: account by account, ledger by ledger."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from console.compare.ledger.answers import RememberingServer
from console.compare.ledger.from_events import ledger_order
from console.compare.ledger.markets import Offer, book_question, market_for, takeable
from console.compare.ledger.record import Coverage, LedgerOrder, Market, Moment, Reading, Watch
from console.errors import BadOption
from ledger_client import (
    LedgerServer,
    ServerError,
    ServerStatus,
    account_history,
    account_root,
    account_snapshot,
    ask,
    fold_with_questions,
    ledger_header,
    reserves_at,
    server_status,
)
from offer_lifecycle import (
    AccountState,
    Header,
    LedgerFacts,
    Transaction,
    accepted_at_adoption,
    adopt_account,
    ripple_time_to_datetime,
)
from order_events import OrderEvent

_CHUNK = 4096
"""Ledgers asked for at a time, from a multiple of it on: so each part is kept whole."""


class ServerHistory:
    """The orders of accounts by one server's history."""

    knows_markets = False

    def __init__(self, server: RememberingServer, explain: tuple[str, ...]) -> None:
        """`explain`: the options with which `fillproof explain` asks the same server."""
        self._server = server
        self._explain = explain
        self._runner = asyncio.Runner()

    def accounts(self) -> Iterable[str]:
        """Return nothing: a server has all accounts there are."""
        return ()

    def read(self, accounts: Sequence[str], first: int | None, last: int | None, watch: Watch) -> Reading:
        """Follow the accounts from the ledger before `first` to `last`, by default its newest one."""
        if first is None:
            raise BadOption("expected --from LEDGER, with which the book begins, where a server is asked")
        try:
            return self._runner.run(self._read(accounts, first, last, watch))
        except ServerError as error:
            raise BadOption(f"expected a server with the accounts' history, found: {error}") from error

    def market(self, order: LedgerOrder, ledger_index: int) -> Market | None:
        """Ask for both sides of the book at that ledger; None: the server can't say."""
        try:
            return self._runner.run(self._market(order, ledger_index))
        except ServerError:
            return None

    def close(self) -> None:
        """Close the connection."""
        self._runner.run(self._server.close())
        self._runner.close()

    async def _read(self, accounts: Sequence[str], first: int, last: int | None, watch: Watch) -> Reading:
        status = await server_status(self._server)
        upto = status.validated if last is None else last
        if not status.covers(first - 1, upto):
            raise BadOption(
                f"expected a server with ledgers {first - 1} to {upto}, found one at {self._server.name} "
                f"with {status.held}: ask a server with more history, or compare less with --from and --to"
            )
        orders: list[LedgerOrder] = []
        coverage: list[Coverage] = []
        for account in accounts:
            following = _Following(self._server, status, account, (first - 1, upto), watch)
            orders += await following.orders()
            coverage.append(await following.coverage())
        return Reading(source=self._server.name, orders=orders, coverage=coverage, explain=self._explain)

    async def _market(self, order: LedgerOrder, ledger_index: int) -> Market:
        header = await ledger_header(self._server, ledger_index)
        asks = await self._offers(order.base, order.quote, header)
        bids = await self._offers(order.quote, order.base, header)
        return market_for(order, ledger_index, asks, bids)

    async def _offers(self, gets: str, pays: str, header: Header) -> list[Offer]:
        question = book_question(gets, pays, header.ledger_index)
        book = await ask(self._server, "book_offers", _Book, **question)
        return takeable(book.offers, header.close_time)


class _Book(msgspec.Struct):
    offers: list[dict[str, Any]]


class _Following:
    """One account, from one ledger to another."""

    def __init__(
        self, server: LedgerServer, status: ServerStatus, account: str, ledgers: tuple[int, int], watch: Watch
    ) -> None:
        """`ledgers`: the one before the first, and the last."""
        self._server = server
        self._status = status
        self._account = account
        self._start, self._upto = ledgers
        self._watch = watch

    async def orders(self) -> Iterable[LedgerOrder]:
        """Return the account's orders."""
        by_order: dict[int, list[OrderEvent]] = defaultdict(list)
        state, events = await self._adopted()
        for event in events:
            by_order[event.sequence].append(event)
        for first, last in _chunks(self._start + 1, self._upto):
            self._watch(f"ledgers of {self._account}", first - self._start, self._upto - self._start)
            for event in await self._fold_chunk(state, first, last):
                by_order[event.sequence].append(event)
        found = (ledger_order(told) for told in by_order.values())
        return [order for order in found if order is not None]

    async def coverage(self) -> Coverage:
        """Return what was read."""
        first = await ledger_header(self._server, self._start)
        last = await ledger_header(self._server, self._upto)
        root = await account_root(self._server, self._account, self._upto)
        return Coverage(
            account=self._account,
            source=self._server.name,
            first=_moment(first),
            last=_moment(last),
            first_hash=first.ledger_hash,
            last_hash=last.ledger_hash,
            next_sequence=None if root is None else root["Sequence"],
        )

    async def _adopted(self) -> tuple[AccountState, Sequence[OrderEvent]]:
        header = await ledger_header(self._server, self._start)
        shown = await account_snapshot(self._server, self._account, self._start)
        state = adopt_account(
            network_id=self._status.network_id,
            account=self._account,
            header=header,
            account_data=shown.account_data,
            lines=shown.lines,
            offers=shown.offers,
        )
        return state, accepted_at_adoption(state, header)

    async def _fold_chunk(self, state: AccountState, first: int, last: int) -> list[OrderEvent]:
        by_ledger: dict[int, list[Transaction]] = defaultdict(list)
        for row in await account_history(self._server, self._account, first, last):
            by_ledger[row.transaction.ledger_index].append(row.transaction)
        by_ledger.setdefault(last, [])  # with its clock: what has expired by then
        reserves = await reserves_at(self._server, self._status, first - 1, last, by_ledger)
        told: list[OrderEvent] = []
        for index, transactions in sorted(by_ledger.items()):
            header = await ledger_header(self._server, index)
            facts = LedgerFacts(header=header, reserves=reserves[index], transactions=tuple(transactions))
            outcome = await fold_with_questions(self._server, state, facts)
            state.apply(outcome)
            told += outcome.events
        return told


def _chunks(first: int, last: int) -> Iterator[tuple[int, int]]:
    while first <= last:
        end = min(last, first // _CHUNK * _CHUNK + _CHUNK - 1)
        yield first, end
        first = end + 1


def _moment(header: Header) -> Moment:
    return Moment(ledger_index=header.ledger_index, time=ripple_time_to_datetime(header.close_time))
