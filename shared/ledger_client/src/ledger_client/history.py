"""An account's validated transactions: `account_tx`, decoded once, straight into the kernel's input."""

from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Any, Protocol, TypeGuard

import msgspec

from ledger_client.answers import pages
from ledger_client.envelope import UNREADABLE
from ledger_client.server import LedgerServer, ProtocolViolation
from offer_lifecycle import Transaction, TransactionRecord, read_transaction


class LedgerTransaction(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A validated transaction, and the hash of the ledger that the server says it is in."""

    transaction: Transaction
    ledger_hash: str | None
    proven: bool = False
    """Whether its bytes hash up to that hash."""


class HistoryPage(msgspec.Struct, frozen=True, kw_only=True):
    """A part of an account's history, in the order in which the server was asked for it."""

    first: int
    """The oldest ledger of the range that the server looks in."""
    last: int
    rows: Sequence[LedgerTransaction]
    marker: Any = None


class HistoryServer(Protocol):
    """A server that knows accounts' histories otherwise than by `account_tx`: from ledgers read whole."""

    async def account_history(self, account: str, first: int, last: int) -> list[LedgerTransaction]:
        """Return the account's transactions in [first, last], in the ledger's order.

        Raises:
            ServerError: as every request.

        """
        ...


def knows_history(server: LedgerServer) -> TypeGuard[HistoryServer]:
    """Whether it is a `HistoryServer`: each reading asks, and looking at all of a protocol takes 10 us."""
    return hasattr(server, "account_history")


async def account_history(
    server: LedgerServer, account: str, first: int, last: int
) -> list[LedgerTransaction]:
    """Ask for all of the account's validated transactions in [first, last], in the ledger's order.

    Raises:
        ServerError: as every request; ProtocolViolation if the range served is not the one asked for.

    """
    if knows_history(server):
        return await server.account_history(account, first, last)
    return await read_account_history(server, account, first, last)


async def read_account_history(
    server: LedgerServer, account: str, first: int, last: int
) -> list[LedgerTransaction]:
    """Read all pages of `account_tx` in [first, last]; the transactions come in the ledger's order.

    Raises:
        ServerError: as every request; ProtocolViolation if the range served is not the one asked for.

    """
    found: list[LedgerTransaction] = []
    pages_read = 0
    async for page in history_pages(server, account, first, last, forward=True):
        if (page.first, page.last) != (first, last):
            raise ProtocolViolation(
                server.name,
                f"account_tx: expected the range {first}-{last}, found {page.first}-{page.last}",
            )
        found += page.rows
        pages_read += 1
    if pages_read > 1:  # pages may overlap
        found = list({one.transaction.hash: one for one in found}.values())
    found.sort(key=_place)
    return found


def _place(one: LedgerTransaction) -> tuple[int, int]:
    return one.transaction.ledger_index, one.transaction.index


async def history_pages(
    server: LedgerServer, account: str, first: int, last: int, *, forward: bool
) -> AsyncIterator[HistoryPage]:
    """Ask for the account's validated transactions page by page, oldest first or newest first.

    `first`: -1 stands for the oldest ledger that the server has.

    Raises:
        ServerError: as every request; ProtocolViolation if one is not validated, or of another ledger.

    """
    question = {"account": account, "ledger_index_min": first, "ledger_index_max": last, "forward": forward}
    read = partial(_read_page, server.name, range(first, last + 1))
    async for page in pages(server, "account_tx", read, **question):
        yield page


class _Bounds(msgspec.Struct):
    ledger_index_min: int
    ledger_index_max: int
    marker: Any = None


class _Record(TransactionRecord, kw_only=True, gc=False):
    """A transaction as `account_tx` shows it, beside what it says of its place."""

    validated: Any = None
    ledger_hash: str | None = None


class _Records(_Bounds, kw_only=True):
    transactions: list[_Record]


class _Rows(_Bounds, kw_only=True):
    transactions: list[msgspec.Raw]


class _Place(msgspec.Struct):
    validated: Any = None
    ledger_hash: str | None = None


_RECORDS = msgspec.json.Decoder(_Records)
_ROWS = msgspec.json.Decoder(_Rows)
_PLACE = msgspec.json.Decoder(_Place)


def _read_page(server: str, ledgers: range, result: msgspec.Raw) -> HistoryPage:
    bounds: _Bounds
    read: Sequence[tuple[_Record | _Place, Transaction]]
    rows = []
    try:
        try:
            bounds = page = _RECORDS.decode(result)
            read = [(record, record.transaction()) for record in page.transactions]
        except ValueError:
            # Not of the shape that was asked for, or of no shape at all
            bounds = others = _ROWS.decode(result)
            read = [(_PLACE.decode(row), read_transaction(row)) for row in others.transactions]
    except (*UNREADABLE, ValueError) as error:
        raise ProtocolViolation(server, f"account_tx: {error}") from error
    for place, transaction in read:
        if place.validated is not True or transaction.ledger_index not in ledgers:
            raise ProtocolViolation(
                server,
                f"account_tx: expected a validated transaction of ledgers {ledgers[0]}-{ledgers[-1]}, found "
                f"{transaction.hash} of ledger {transaction.ledger_index}, validated {place.validated}",
            )
        rows.append(LedgerTransaction(transaction=transaction, ledger_hash=place.ledger_hash))
    return HistoryPage(
        first=bounds.ledger_index_min, last=bounds.ledger_index_max, rows=rows, marker=bounds.marker
    )
