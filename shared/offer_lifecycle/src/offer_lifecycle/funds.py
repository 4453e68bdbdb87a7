"""Funds: an account's balances, followed through metadata, and what it can give of them.

An offer whose owner has nothing left of what it gives stays listed until a transaction walks into it.
Whether the owner had anything left at that moment is in that transaction's own metadata where the
balance changed in it, in the account's earlier transactions, or in the ledger's state before it.
"""

import contextlib
from collections.abc import Collection, Container, Iterator, Mapping
from decimal import Decimal

import msgspec

from offer_lifecycle.amounts import (
    EXACT,
    XRP,
    ZERO,
    WrittenToken,
    issuer_of,
    last_place,
    named_amount,
    named_value,
    value_of,
)
from offer_lifecycle.changes import OnDamage, node_damage, raise_damage
from offer_lifecycle.transaction import Kind, Node, Reserves, Transaction, UInt32

LOW_FREEZE, HIGH_FREEZE = 0x0040_0000, 0x0080_0000
"""lsfLowFreeze, lsfHighFreeze: that side of the trust line has frozen the other."""
AMM_LINE = 0x0100_0000
"""lsfAMMNode: the trust line in which an automated market maker holds a token."""


class Holding(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One balance. For XRP in drops, with the number of objects the owner's reserve is counted by."""

    balance: Decimal
    owner_count: int = 0
    frozen: bool = False
    """The issuer has frozen the line: it counts as nothing."""
    emptied_by: str | None = None
    """The transaction since which there is nothing to give; None: there is, or it is not known."""


Holdings = Mapping[str, Holding]
NOTHING = Holding(balance=ZERO)


class BalanceChange(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One transaction's change to one of an account's balances."""

    asset: str
    before: Holding
    after: Holding

    @property
    def delta(self) -> Decimal:
        """After minus before: drops for XRP, decimal tokens otherwise."""
        return EXACT.subtract(self.after.balance, self.before.balance)


def balance_changes(
    tx: Transaction, account: str, on_damage: OnDamage = raise_damage
) -> Iterator[BalanceChange]:
    """Yield what the transaction did to the account's XRP and trust lines.

    A node that can't be read goes to `on_damage` as MalformedTransaction (transaction, node and field);
    by default that is raised.
    """
    name = account.encode()
    for node in tx.balances:
        if node.fields and name not in bytes(node.fields):
            continue
        try:
            for _, change in _changes(node, (account,)):
                yield change
        except (msgspec.ValidationError, ValueError) as error:
            on_damage(node_damage(tx, node, error))


def balance_changes_by_account(
    tx: Transaction, accounts: Collection[str]
) -> dict[str, dict[str, BalanceChange]]:
    """Return what the transaction did to the XRP and trust lines of several accounts, by account and asset.

    Raises:
        MalformedTransaction: naming transaction, node and field.

    """
    found: dict[str, dict[str, BalanceChange]] = {account: {} for account in accounts}
    for node in tx.balances if accounts else ():
        try:
            for account, change in _changes(node, found):
                found[account][change.asset] = change
        except (msgspec.ValidationError, ValueError) as error:
            raise node_damage(tx, node, error) from error
    return found


@contextlib.contextmanager
def _named(tx: Transaction, node: Node) -> Iterator[None]:
    try:
        yield
    except (msgspec.ValidationError, ValueError) as error:
        raise node_damage(tx, node, error) from error


def pool_accounts(tx: Transaction) -> tuple[str, ...]:
    """Return the accounts of the automated market makers that it traded with.

    A pool of two tokens shows by its trust lines alone: its AccountRoot (AMMID) is there only where XRP
    moved. By that alone shows a pool that holds too much of a token for what it traded to count.

    Raises:
        MalformedTransaction: naming transaction, node and field.

    """
    found = []
    for node in tx.balances:
        if node.entry_type == "RippleState" and node.fields:
            with _named(tx, node):
                line = _LINE.decode(node.fields)
                # Balance is written from the low account's side: the pool is the one that holds
                holder = line.low_limit if value_of(line.balance) > 0 else line.high_limit
            if line.flags & AMM_LINE:
                found.append(holder.issuer)
        elif b'"AMMID"' in bytes(node.fields):
            with _named(tx, node):
                found.append(_ROOT.decode(node.fields).account)
    return tuple(dict.fromkeys(account for account in found if account is not None))


class _Root(msgspec.Struct, rename="pascal", gc=False):
    account: str | None = None
    balance: str | None = None
    owner_count: UInt32 | None = None


_ROOT = msgspec.json.Decoder(_Root)


def _changes(node: Node, accounts: Container[str]) -> Iterator[tuple[str, BalanceChange]]:
    """Yield the change to a balance, as each of the accounts sees it whose it is."""
    if not node.fields:
        node.check_told()
        return
    if node.entry_type == "AccountRoot":
        root = _ROOT.decode(node.fields)
        if root.account is not None and root.account in accounts:
            yield root.account, _xrp_change(node, root)
        return
    line = _LINE.decode(node.fields)
    before = _LINE_BEFORE.decode(node.previous) if node.previous else _UNCHANGED
    for account in (line.low_limit.issuer, line.high_limit.issuer):
        if account is not None and account in accounts:
            yield account, _line_change(node.kind, line, before, account)


def _xrp_change(node: Node, final: _Root) -> BalanceChange:
    if final.balance is None and node.kind is not Kind.CREATED:  # a pool may begin with none
        raise ValueError("Balance: expected drops, found none")
    shown = _xrp(final, NOTHING)
    if node.kind is Kind.CREATED:
        return BalanceChange(asset=XRP, before=NOTHING, after=shown)
    before = _xrp(_ROOT.decode(node.previous), shown) if node.previous else shown
    return BalanceChange(asset=XRP, before=before, after=NOTHING if node.kind is Kind.DELETED else shown)


def _xrp(root: _Root, unchanged: Holding) -> Holding:
    balance = unchanged.balance if root.balance is None else named_value("Balance", root.balance)
    owners = unchanged.owner_count if root.owner_count is None else root.owner_count
    return Holding(balance=balance, owner_count=owners)


class _Line(msgspec.Struct, rename="pascal", gc=False):
    low_limit: WrittenToken
    high_limit: WrittenToken
    balance: WrittenToken
    flags: UInt32 = 0


class _LineBefore(msgspec.Struct, rename="pascal", gc=False):
    balance: WrittenToken | None = None
    flags: UInt32 | None = None


_LINE, _LINE_BEFORE = msgspec.json.Decoder(_Line), msgspec.json.Decoder(_LineBefore)
_UNCHANGED = _LineBefore()


def _line_change(kind: Kind, final: _Line, previous: _LineBefore, account: str) -> BalanceChange:
    is_low = final.low_limit.issuer == account
    peers_limit = (
        named_amount("HighLimit", final.high_limit) if is_low else named_amount("LowLimit", final.low_limit)
    )
    frozen_by_peer = HIGH_FREEZE if is_low else LOW_FREEZE

    def own(written: WrittenToken) -> Decimal:
        # Balance is written from the low account's side
        value = named_value("Balance", written)
        return value if is_low else value.copy_negate()

    flags_before = final.flags if previous.flags is None else previous.flags
    balance_before = ZERO if kind is Kind.CREATED else own(previous.balance or final.balance)
    return BalanceChange(
        asset=peers_limit.asset,
        before=Holding(balance=balance_before, frozen=bool(flags_before & frozen_by_peer)),
        after=Holding(balance=own(final.balance), frozen=bool(final.flags & frozen_by_peer)),
    )


def previous_touch(tx: Transaction, account: str, asset: str) -> str | None:
    """Return the transaction that touched the entry of a balance before `tx`; None if it created it.

    Raises:
        MalformedTransaction: naming transaction, node and field.

    """
    for node in tx.balances:
        if account.encode() not in bytes(node.fields):
            continue
        with _named(tx, node):
            found = any(change.asset == asset for _, change in _changes(node, (account,)))
            # A deleted entry carries the link inside its last fields
            link = node.previous_txn_id or _LINK.decode(node.fields).previous_txn_id
        if found:
            return link
    return None


class _Link(msgspec.Struct, gc=False):
    previous_txn_id: str | None = msgspec.field(name="PreviousTxnID", default=None)


_LINK = msgspec.json.Decoder(_Link)


def line_rounding(tx: Transaction, currency: str) -> Decimal:
    """Return how far sums of the changes to balances of a currency may be off, in decimal tokens.

    Each balance is itself rounded, before and after.

    Raises:
        MalformedTransaction: naming transaction, node and field.

    """
    total = ZERO
    for node in tx.balances:
        if node.entry_type != "RippleState" or not node.fields:
            continue
        with _named(tx, node):
            line = _LINE.decode(node.fields)
            before = _LINE_BEFORE.decode(node.previous).balance if node.previous else None
            balances = [value_of(written) for written in (line.balance, before or line.balance)]
        if line.low_limit.currency == currency:
            for balance in balances:
                total = EXACT.add(total, last_place(balance))
    return total


def empty_since(change: BalanceChange, before: Holding, tx: Transaction, reserves: Reserves) -> str | None:
    """Return the transaction since which there is nothing to give; None: there is, or it is not known."""
    now = spendable(change.asset, "", change.after, reserves)
    if now is None or now > 0:
        return None
    was = spendable(change.asset, "", before, reserves)
    return tx.hash if was is not None and was > 0 else before.emptied_by


def spendable(
    asset: str, account: str, holding: Holding | None, reserves: Reserves, owner_count: int | None = None
) -> Decimal | None:
    """Return what the account can give of an asset: drops or decimal tokens; None if that is not known.

    `owner_count` overrides the holding's own: an offer that is being removed still counts towards the
    reserve at the moment it is tried. An issuer can always give its own tokens: the answer is then None
    too, as no balance bounds it.
    """
    if holding is None or issuer_of(asset) == account or asset.startswith("MPT."):
        return None
    if asset != XRP:
        return ZERO if holding.frozen else holding.balance
    owners = holding.owner_count if owner_count is None else owner_count
    return EXACT.subtract(holding.balance, Decimal(reserves.base + reserves.increment * owners))
