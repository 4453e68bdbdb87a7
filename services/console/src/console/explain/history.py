"""What is asked of the node: its newest ledger, the account, headers, entries, and the account's history.

The history is read newest first, down from one validated ledger, until the transaction that used the
order's sequence is found: an order that is asked about is mostly a young one.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from console.explain.node import Node, NodeMisbehaves, Refused
from offer_lifecycle import (
    Header,
    Kind,
    MalformedTransaction,
    Reserves,
    Transaction,
    offer_changes,
    read_transaction,
    sort_transactions,
)

DROPS_PER_XRP = 1_000_000
FEE_SETTINGS = "4BC50C9B0D8515D3EAAE1E74B29A95804346C491EE1A95BF25E4AAB854A6A651"
"""The index of the ledger's one FeeSettings entry: the reserves of its time."""
_NO_SUCH_ENTRY = frozenset({"entryNotFound", "objectNotFound"})
_STALLS = 10
"""Pages in a row with the same marker, before the node is taken to turn in a circle."""

Watch = Callable[[int, int], None]
"""Called after each page: (transactions read so far, oldest ledger reached)."""


class Newest(msgspec.Struct, frozen=True, kw_only=True):
    """The validated ledger that everything is pinned to, with the network and the reserves of today."""

    ledger_index: int
    network_id: int
    reserves: Reserves


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


def newest_ledger(node: Node) -> Newest:
    """Ask for the newest validated ledger.

    Raises:
        NodeMisbehaves: the node has validated none yet; and all that `Node.ask` raises.

    """
    info = node.ask("server_info", _ServerInfo).info
    if info.validated_ledger is None:
        raise NodeMisbehaves(f"{node.name}: expected a validated ledger, found none: is it still syncing?")
    ledger = info.validated_ledger
    reserves = Reserves(
        base=int(ledger.reserve_base_xrp * DROPS_PER_XRP),
        increment=int(ledger.reserve_inc_xrp * DROPS_PER_XRP),
    )
    return Newest(ledger_index=ledger.seq, network_id=info.network_id or 0, reserves=reserves)


def next_sequence(node: Node, account: str, ledger_index: int) -> int | None:
    """Ask for the Sequence that the account uses next; None: it is not on that ledger."""
    try:
        answer = node.ask("account_info", _AccountInfo, account=account, ledger_index=ledger_index)
    except Refused as refusal:
        if refusal.code == "actNotFound":
            return None
        raise
    _check_pinned(node, "account_info", answer, ledger_index)
    return answer.account_data.sequence


def ledger_header(node: Node, ledger_index: int) -> Header:
    """Ask for one validated ledger's header."""
    answer = node.ask("ledger", _Ledger, ledger_index=ledger_index)
    _check_pinned(node, "ledger", answer, ledger_index)
    return answer.ledger


def ledger_entry(node: Node, ledger_index: int, entry: Mapping[str, Any]) -> dict[str, Any] | None:
    """Ask for one entry's fields at that validated ledger; None: there was no such entry.

    Raises:
        Refused: the node can't say.

    """
    try:
        answer = node.ask("ledger_entry", _Entry, ledger_index=ledger_index, **entry)
    except Refused as refusal:
        if refusal.code in _NO_SUCH_ENTRY:
            return None
        raise
    _check_pinned(node, "ledger_entry", answer, ledger_index)
    return answer.node


def reserves_at(node: Node, ledger_index: int) -> Reserves | None:
    """Ask for the reserves that held at that ledger, in drops; None: the node can't say."""
    try:
        fields = ledger_entry(node, ledger_index, {"index": FEE_SETTINGS})
        settings = msgspec.convert(fields or {}, _FeeSettings, strict=False)
    except (Refused, msgspec.ValidationError):
        return None
    base = settings.base if settings.base is not None else settings.old_base
    increment = settings.increment if settings.increment is not None else settings.old_increment
    if base is None or increment is None:
        return None
    return Reserves(base=base, increment=increment)


def read_back(node: Node, account: str, sequence: int, upto: int, watch: Watch) -> History:
    """Read the account's history from ledger `upto` down to the transaction that used `sequence`.

    Raises:
        NodeMisbehaves: the node served another range, or something that is no transaction.

    """
    kept: list[Transaction] = []
    touching: set[str] = set()
    oldest, placed = upto, None
    for page in _pages(node, account, upto):
        oldest = page.ledger_index_min
        for record in page.transactions:
            tx = _validated(node, record, upto)
            touched = _touches(tx, account, sequence)
            kept.append(tx if touched else _as_seen_by(record, account))
            if touched:
                touching.add(tx.hash)
            if tx.account == account and tx.sequence == sequence:
                placed = tx
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


def _pages(node: Node, account: str, upto: int) -> Iterator["_Page"]:
    question = {"account": account, "ledger_index_min": -1, "ledger_index_max": upto, "forward": False}
    marker: Any = None
    stalls = 0
    while stalls < _STALLS:
        more = {} if marker is None else {"marker": marker}
        page = node.ask("account_tx", _Page, **question, **more)
        if page.ledger_index_max != upto:
            raise NodeMisbehaves(
                f"{node.name}: account_tx: expected the history up to ledger {upto}, "
                f"found it up to {page.ledger_index_max}"
            )
        yield page
        # Only a missing marker ends; the same one again may be an empty page of a busy node
        before, marker = marker, page.marker
        if marker is None:
            return
        stalls = stalls + 1 if marker == before else 0
    raise NodeMisbehaves(f"{node.name}: account_tx: expected a new marker, found {marker!r} again and again")


def _validated(node: Node, record: msgspec.Raw, upto: int) -> Transaction:
    try:
        # A copy of its own: else each kept one would keep its whole page
        tx = read_transaction(bytes(record))
        validated = msgspec.json.decode(record, type=_Validated).validated
    except (MalformedTransaction, msgspec.DecodeError) as error:
        raise NodeMisbehaves(f"{node.name}: account_tx: {error}") from error
    if not validated or tx.ledger_index > upto:
        raise NodeMisbehaves(
            f"{node.name}: account_tx: expected validated transactions up to ledger {upto}, "
            f"found {tx.hash} of ledger {tx.ledger_index}, validated {validated}"
        )
    return tx


def _touches(tx: Transaction, account: str, sequence: int) -> bool:
    if tx.damaged or (tx.account == account and sequence in {tx.sequence, tx.offer_sequence}):
        return True
    try:
        return any(change.sequence == sequence for change in offer_changes(tx, account))
    except MalformedTransaction:
        return True  # what can't be read may be this order's


def _as_seen_by(record: msgspec.Raw, account: str) -> Transaction:
    """Keep of a transaction only the nodes that name the account: a busy one has very many."""
    parts = msgspec.json.decode(record, type=dict[str, msgspec.Raw])
    meta = msgspec.json.decode(parts["meta"], type=dict[str, msgspec.Raw])
    nodes = msgspec.json.decode(meta["AffectedNodes"], type=list[msgspec.Raw])
    named = [node for node in nodes if account.encode() in bytes(node)]
    return read_transaction(msgspec.json.encode({**parts, "meta": {**meta, "AffectedNodes": named}}))


def _creates(tx: Transaction, account: str) -> bool:
    return any(
        node.kind is Kind.CREATED
        and node.entry_type == "AccountRoot"
        and account.encode() in bytes(node.fields)
        for node in tx.balances
    )


class _Validated(msgspec.Struct):
    validated: bool = False


class _Pinned(_Validated):
    ledger_index: int | None = None


class _ValidatedLedger(msgspec.Struct):
    seq: int
    reserve_base_xrp: Decimal
    reserve_inc_xrp: Decimal


class _Info(msgspec.Struct):
    validated_ledger: _ValidatedLedger | None = None
    network_id: int | None = None


class _ServerInfo(msgspec.Struct):
    info: _Info


class _Root(msgspec.Struct):
    sequence: int = msgspec.field(name="Sequence")


class _AccountInfo(_Pinned, kw_only=True):
    account_data: _Root


class _Ledger(_Pinned, kw_only=True):
    ledger: Header


class _Entry(_Pinned, kw_only=True):
    node: dict[str, Any]


class _FeeSettings(msgspec.Struct):
    """The two forms of it: decimal drops in strings since amendment XRPFees, numbers before."""

    base: int | None = msgspec.field(name="ReserveBaseDrops", default=None)
    increment: int | None = msgspec.field(name="ReserveIncrementDrops", default=None)
    old_base: int | None = msgspec.field(name="ReserveBase", default=None)
    old_increment: int | None = msgspec.field(name="ReserveIncrement", default=None)


class _Page(msgspec.Struct):
    ledger_index_min: int
    ledger_index_max: int
    transactions: list[msgspec.Raw]
    marker: Any = None


def _check_pinned(node: Node, method: str, answer: _Pinned, ledger_index: int) -> None:
    if not answer.validated or answer.ledger_index != ledger_index:
        raise NodeMisbehaves(
            f"{node.name}: {method}: expected validated ledger {ledger_index}, "
            f"found ledger {answer.ledger_index}, validated {answer.validated}"
        )
