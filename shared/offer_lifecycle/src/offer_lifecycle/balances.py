"""Balances: what one transaction did to the XRP, trust lines and MPTs of an account.

A balance change has the holding before and after. A field that PreviousFields do not show did not change; of
an MPT's amount that is not so: see `_mpt_change`.
"""

import contextlib
from collections.abc import Collection, Container, Iterator
from decimal import Decimal

import msgspec

from offer_lifecycle.amounts import (
    EXACT,
    XRP,
    ZERO,
    WrittenToken,
    last_place,
    mpt_asset,
    named_amount,
    named_value,
    value_of,
)
from offer_lifecycle.changes import OnDamage, node_damage, raise_damage
from offer_lifecycle.entries import (
    AMM_LINE,
    AMM_MPTOKEN,
    HIGH_FREEZE,
    ISSUANCE,
    ISSUANCE_BEFORE,
    LINE,
    LINE_BEFORE,
    LINK,
    LOW_FREEZE,
    MPTOKEN,
    MPTOKEN_BEFORE,
    ROOT,
    Issuance,
    IssuanceBefore,
    Line,
    LineBefore,
    MPToken,
    MPTokenBefore,
    Root,
    issuance_holding,
    issued_asset,
    mpt_holding,
    xrp_holding,
)
from offer_lifecycle.formats import MOVES_NOTHING
from offer_lifecycle.funds import NOTHING, Holding, spendable
from offer_lifecycle.nodes import Kind, Node
from offer_lifecycle.transaction import Reserves, Transaction

_UNCHANGED = LineBefore()


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
    """Yield what the transaction did to the account's XRP, trust lines and MPTs.

    A node that can't be read goes to `on_damage` as MalformedTransaction (transaction, node and field);
    by default that is raised.
    """
    name = account.encode()
    for node in tx.balances:
        if node.fields and name not in bytes(node.fields):
            continue
        try:
            for _, change in _changes(tx, node, (account,)):
                yield change
        except (msgspec.ValidationError, ValueError) as error:
            on_damage(node_damage(tx, node, error))


def balance_changes_by_account(
    tx: Transaction, accounts: Collection[str]
) -> dict[str, dict[str, BalanceChange]]:
    """Return what the transaction did to the balances of several accounts, by account and asset.

    Raises:
        MalformedTransaction: naming transaction, node and field.

    """
    found: dict[str, dict[str, BalanceChange]] = {account: {} for account in accounts}
    for node in tx.balances if accounts else ():
        try:
            for account, change in _changes(tx, node, found):
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
        try:
            account = _pool_account(node)
        except (msgspec.ValidationError, ValueError) as error:
            raise node_damage(tx, node, error) from error
        if account is not None:
            found.append(account)
    return tuple(dict.fromkeys(found))


def _pool_account(node: Node) -> str | None:
    """Return the account of the automated market maker that holds the balance; None: another holds it."""
    if node.entry_type == "RippleState" and node.fields:
        line = LINE.decode(node.fields)
        # Balance is written from the low account's side: the pool is the one that holds
        holder = line.low_limit if value_of(line.balance) > 0 else line.high_limit
        return holder.issuer if line.flags & AMM_LINE else None
    if node.entry_type == "MPToken" and node.fields:
        token = MPTOKEN.decode(node.fields)
        return token.account if token.flags & AMM_MPTOKEN else None
    return ROOT.decode(node.fields).account if b'"AMMID"' in bytes(node.fields) else None


def _changes(tx: Transaction, node: Node, accounts: Container[str]) -> Iterator[tuple[str, BalanceChange]]:
    """Yield the change to a balance, as each of the accounts sees it whose it is."""
    if not node.fields:
        node.check_told()
        return
    if node.entry_type == "AccountRoot":
        root = ROOT.decode(node.fields)
        if root.account is not None and root.account in accounts:
            yield root.account, _xrp_change(node, root)
        return
    if node.entry_type == "MPToken":
        token = MPTOKEN.decode(node.fields)
        if token.account in accounts:
            yield token.account, _mpt_change(tx, node, token)
        return
    if node.entry_type == "MPTokenIssuance":
        issuance = ISSUANCE.decode(node.fields)
        if issuance.issuer in accounts:
            yield issuance.issuer, _issued_change(node, issuance)
        return
    line = LINE.decode(node.fields)
    before = LINE_BEFORE.decode(node.previous) if node.previous else _UNCHANGED
    for account in (line.low_limit.issuer, line.high_limit.issuer):
        if account is not None and account in accounts:
            yield account, _line_change(node.kind, line, before, account)


def _xrp_change(node: Node, final: Root) -> BalanceChange:
    if final.balance is None and node.kind is not Kind.CREATED:  # a pool may begin with none
        raise ValueError("Balance: expected drops, found none")
    shown = xrp_holding(final)
    if node.kind is Kind.CREATED:
        return BalanceChange(asset=XRP, before=NOTHING, after=shown)
    before = xrp_holding(final, ROOT.decode(node.previous)) if node.previous else shown
    return BalanceChange(asset=XRP, before=before, after=NOTHING if node.kind is Kind.DELETED else shown)


def _mpt_change(tx: Transaction, node: Node, final: MPToken) -> BalanceChange:
    """Read the change of a holder's MPT.

    An amount of 0 is not written: where PreviousFields are empty, a transaction that moves balances brought
    the first units.
    """
    changed = MPTOKEN_BEFORE.decode(node.previous) if node.previous else MPTokenBefore()
    after = mpt_holding(final)
    untold = changed.amount is None and changed.flags is None and changed.locked is None
    amount = final.amount if changed.amount is None else changed.amount
    if node.kind is Kind.CREATED or (untold and node.kind is Kind.MODIFIED and tx.type not in MOVES_NOTHING):
        amount = None
    flags = final.flags if changed.flags is None else changed.flags
    return BalanceChange(
        asset=mpt_asset(final.issuance),
        before=mpt_holding(msgspec.structs.replace(final, amount=amount, flags=flags)),
        after=NOTHING if node.kind is Kind.DELETED else after,
    )


def _issued_change(node: Node, final: Issuance) -> BalanceChange:
    """Read the change of what an issuer owes of an MPT of its own."""
    changed = ISSUANCE_BEFORE.decode(node.previous) if node.previous else IssuanceBefore()
    owed = final.outstanding_amount if changed.outstanding_amount is None else changed.outstanding_amount
    before = msgspec.structs.replace(final, outstanding_amount="0" if node.kind is Kind.CREATED else owed)
    return BalanceChange(
        asset=issued_asset(final), before=issuance_holding(before), after=issuance_holding(final)
    )


def _line_change(kind: Kind, final: Line, previous: LineBefore, account: str) -> BalanceChange:
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
            found = any(change.asset == asset for _, change in _changes(tx, node, (account,)))
            # A deleted entry carries the link inside its last fields
            link = node.previous_txn_id or LINK.decode(node.fields).previous_txn_id
        if found:
            return link
    return None


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
            line = LINE.decode(node.fields)
            before = LINE_BEFORE.decode(node.previous).balance if node.previous else None
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
