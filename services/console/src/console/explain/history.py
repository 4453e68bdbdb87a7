"""The account's history, read back from the newest validated ledger to the order's placement.

It is read newest first, until the transaction that used the order's sequence is found: an order that is
asked about is mostly a young one.
"""

from collections.abc import Callable

import msgspec

from ledger_client import LedgerServer, ProtocolViolation, history_pages
from offer_lifecycle import (
    Kind,
    MalformedTransaction,
    Transaction,
    offer_changes,
    sort_transactions,
)

_FROM_THE_FIRST = -1
"""Of account_tx: the oldest ledger that the server has."""

Watch = Callable[[int, int], None]
"""Called after each page: (transactions read so far, oldest ledger reached)."""


class History(msgspec.Struct, frozen=True, kw_only=True):
    """An account's validated transactions, as far back as the order's own one or the node goes."""

    transactions: tuple[Transaction, ...]
    """In the ledger's order. Of those that do not touch the order, only the nodes that name the account."""
    touching: frozenset[str]
    """Hashes of those that touch the order, or name it."""
    placed: Transaction | None
    """The one that used the order's sequence, of whatever type; None: not found."""
    oldest: int
    """The oldest ledger in which the node looked."""
    whole: bool
    """It begins with the account's creation: before it there was nothing."""


async def read_back(server: LedgerServer, account: str, sequence: int, upto: int, watch: Watch) -> History:
    """Read the account's history from ledger `upto` down to the transaction that used `sequence`.

    Raises:
        ServerError: as every request; ProtocolViolation if the server shows another range.

    """
    kept: list[Transaction] = []
    touching: set[str] = set()
    oldest, placed = upto, None
    async for page in history_pages(server, account, _FROM_THE_FIRST, upto, forward=False):
        if page.last != upto:
            raise ProtocolViolation(
                server.name,
                f"account_tx: expected the history up to ledger {upto}, found it up to {page.last}",
            )
        oldest = page.first
        for row in page.rows:
            tx = row.transaction
            touched = _touches(tx, account, sequence)
            kept.append(_copied(tx, None if touched else account))
            if touched:
                touching.add(tx.hash)
            if tx.account == account and tx.sequence == sequence:
                placed = kept[-1]
                break
        if kept:
            watch(len(kept), kept[-1].ledger_index)
        if placed is not None:
            break
    return History(
        transactions=sort_transactions(kept),
        touching=frozenset(touching),
        placed=placed,
        oldest=oldest,
        whole=bool(kept) and _creates(kept[-1], account),
    )


def _touches(tx: Transaction, account: str, sequence: int) -> bool:
    if tx.damaged or (tx.account == account and sequence in {tx.sequence, tx.offer_sequence}):
        return True
    try:
        return any(change.sequence == sequence for change in offer_changes(tx, account))
    except MalformedTransaction:
        return True  # what can't be read may be this order's


def _copied(tx: Transaction, account: str | None) -> Transaction:
    """Return the transaction without its page, which would be kept with it; a busy account has many pages.

    `account`: only the nodes that name it; None: all of them.
    """
    name = b"" if account is None else account.encode()
    nodes = msgspec.json.decode(msgspec.json.encode(tx.affected), type=list[msgspec.Raw])
    named = msgspec.json.encode([node for node in nodes if name in bytes(node)])
    return msgspec.structs.replace(tx, affected=msgspec.Raw(named), order_record=bytes(tx.order_record))


def _creates(tx: Transaction, account: str) -> bool:
    return any(
        node.kind is Kind.CREATED
        and node.entry_type == "AccountRoot"
        and account.encode() in bytes(node.fields)
        for node in tx.balances
    )
