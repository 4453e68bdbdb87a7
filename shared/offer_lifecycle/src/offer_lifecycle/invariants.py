"""Invariants: XRP, MPTs and tokens add up over a whole transaction, whoever it belongs to.

- XRP of all entries together changes by the fee that is destroyed, and by nothing else.
- The units of an MPT that holders have change by what its issuer owes more or less.
- In a trade or payment an account that is no party to it never loses tokens: only an issuer that takes part
  can bring tokens into the world.

These hold whatever the kernel concludes about orders: a break is an alarm about the ledger, or about the
server that shows it. Python's integers are unbounded, so that no sum overflows.
"""

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from offer_lifecycle.amounts import EXACT, XRP, ZERO, WrittenAmount, mpt_asset, value_of
from offer_lifecycle.balances import line_rounding, pool_accounts
from offer_lifecycle.changes import node_damage, offer_changes
from offer_lifecycle.entries import (
    ISSUANCE,
    ISSUANCE_BEFORE,
    LINE,
    LINE_BEFORE,
    MPTOKEN,
    MPTOKEN_BEFORE,
    IssuanceBefore,
    MPTokenBefore,
    issued_asset,
)
from offer_lifecycle.formats import ENTRIES, TRADES, TRANSACTIONS
from offer_lifecycle.nodes import Kind, Node
from offer_lifecycle.transaction import Transaction


class InvariantBreak(msgspec.Struct, frozen=True, kw_only=True):
    """An asset that does not add up over a transaction: drops of XRP, MPT units, decimal tokens."""

    asset: str
    """XRP, an MPT, or `<currency>.<account>`: the tokens that this account owes or holds."""
    transaction_hash: str
    expected: str
    found: Decimal


def broken_invariants(tx: Transaction) -> tuple[InvariantBreak, ...]:
    """Return what does not add up over the transaction.

    Nothing is said of a transaction that can't be read in full, or of types that the kernel does not know.

    Raises:
        MalformedTransaction: naming transaction, node and field.

    """
    unknown = tx.type not in TRANSACTIONS or any(node.entry_type not in ENTRIES for node in tx.nodes)
    if unknown or tx.damaged:
        return ()
    return (*_xrp(tx), *_mpts(tx), *_tokens(tx))


def _xrp(tx: Transaction) -> Iterator[InvariantBreak]:
    total = sum(_drops(tx, node) for node in tx.nodes)
    if total != -tx.fee:
        expected = f"{-tx.fee} drops, the fee that it destroys"
        yield InvariantBreak(asset=XRP, transaction_hash=tx.hash, expected=expected, found=Decimal(total))


def _drops(tx: Transaction, node: Node) -> int:
    """Return the change of an entry's XRP."""
    if node.entry_type not in _HOLDS_XRP or not node.fields:
        return 0
    try:
        final = _XRP_ENTRY.decode(node.fields)
        before = _XRP_ENTRY.decode(node.previous) if node.previous else _XrpEntry()
        held = _held(node.entry_type, final, final)
        match node.kind:
            case Kind.CREATED:
                return held
            case Kind.MODIFIED:
                return held - _held(node.entry_type, before, final)
            case Kind.DELETED:
                return -_held(node.entry_type, before, final)
    except (msgspec.ValidationError, ValueError) as error:
        raise node_damage(tx, node, error) from error


class _XrpEntry(msgspec.Struct, rename="pascal", gc=False):
    """What an entry holds of XRP: an account, an escrow, a payment channel, a sponsor's advance on fees."""

    balance: WrittenAmount | None = None
    amount: WrittenAmount | None = None
    fee_amount: WrittenAmount | None = None


_HOLDS_XRP = frozenset({"AccountRoot", "Escrow", "PayChannel", "Sponsorship"})
_XRP_ENTRY = msgspec.json.Decoder(_XrpEntry)


def _held(entry_type: str, shown: _XrpEntry, final: _XrpEntry) -> int:
    """Return the drops in an entry; a field that is not shown before the transaction did not change."""
    balance = _whole(shown.balance if shown.balance is not None else final.balance)
    amount = _whole(shown.amount if shown.amount is not None else final.amount)
    match entry_type:
        case "AccountRoot":
            return balance
        case "Escrow":
            return amount
        case "PayChannel":
            return amount - balance
    return _whole(shown.fee_amount if shown.fee_amount is not None else final.fee_amount)


def _whole(written: WrittenAmount | None) -> int:
    return int(value_of(written)) if isinstance(written, str) else 0


def _mpts(tx: Transaction) -> Iterator[InvariantBreak]:
    if "Confidential" in tx.type:
        return  # what is moved into or out of confidential balances can't be known
    held: dict[str, set[int]] = {}
    owed: dict[str, int] = {}
    for node in tx.nodes:
        try:
            if node.entry_type == "MPToken" and node.fields:
                asset, changes = _units(node)
                held[asset] = {sum_ + change for sum_ in held.get(asset, {0}) for change in changes}
            elif node.entry_type == "MPTokenIssuance" and node.fields:
                asset, owed_more = _issued(node)
                owed[asset] = owed_more
        except (msgspec.ValidationError, ValueError) as error:
            raise node_damage(tx, node, error) from error
    for asset in {*held, *owed}:
        sums = held.get(asset, {0})
        if owed.get(asset, 0) not in sums:
            expected = f"{owed.get(asset, 0)} units, which its issuer owes more"
            found = Decimal(min(sums, key=abs))
            yield InvariantBreak(asset=asset, transaction_hash=tx.hash, expected=expected, found=found)


def _units(node: Node) -> tuple[str, set[int]]:
    """Return an MPToken's asset and the changes that its fields allow.

    A field of value 0 is not written. One that stands in FinalFields and not in PreviousFields did not
    change, or was 0 before.
    """
    final = MPTOKEN.decode(node.fields)
    before = MPTOKEN_BEFORE.decode(node.previous) if node.previous else MPTokenBefore()
    changes = {0}
    for after, was in ((final.amount, before.amount), (final.locked, before.locked)):
        now = int(value_of(after or "0"))
        if node.kind is Kind.CREATED:
            allowed = {now}
        elif node.kind is Kind.DELETED:
            allowed = {-int(value_of(was or after or "0"))}
        else:
            allowed = {0, now} if was is None else {now - int(value_of(was))}
        changes = {one + other for one in changes for other in allowed}
    return mpt_asset(final.issuance), changes


def _issued(node: Node) -> tuple[str, int]:
    """Return an issuance's asset and how much more its issuer owes."""
    final = ISSUANCE.decode(node.fields)
    before = ISSUANCE_BEFORE.decode(node.previous) if node.previous else IssuanceBefore()
    now = int(value_of(final.outstanding_amount))
    was = now if before.outstanding_amount is None else int(value_of(before.outstanding_amount))
    if node.kind is Kind.CREATED:
        was = 0
    return issued_asset(final), (0 if node.kind is Kind.DELETED else now) - was


def _tokens(tx: Transaction) -> Iterator[InvariantBreak]:
    if tx.type not in TRADES:
        return
    parties = {tx.account, tx.destination, *pool_accounts(tx)}
    parties |= {change.account for change in offer_changes(tx) if change.consumed}
    moved: dict[tuple[str, str], Decimal] = {}
    for node in tx.nodes:
        if node.entry_type == "RippleState" and node.fields:
            for account, currency, change in _line_changes(tx, node):
                key = account, currency
                moved[key] = EXACT.add(moved.get(key, ZERO), change)
    for (account, currency), change in moved.items():
        if account not in parties and change < line_rounding(tx, currency).copy_negate():
            yield InvariantBreak(
                asset=f"{currency}.{account}",
                transaction_hash=tx.hash,
                expected="no loss, for an account that is no party to it",
                found=change,
            )


def _line_changes(tx: Transaction, node: Node) -> Iterator[tuple[str, str, Decimal]]:
    """Yield (account, currency, change) of both sides of a trust line."""
    try:
        line = LINE.decode(node.fields)
        before = LINE_BEFORE.decode(node.previous).balance if node.previous else None
        now = value_of(line.balance)
        was = ZERO if node.kind is Kind.CREATED else value_of(before or line.balance)
    except (msgspec.ValidationError, ValueError) as error:
        raise node_damage(tx, node, error) from error
    change, currency = EXACT.subtract(now, was), str(line.low_limit.currency)
    # Balance is written from the low account's side
    yield str(line.low_limit.issuer), currency, change
    yield str(line.high_limit.issuer), currency, change.copy_negate()
