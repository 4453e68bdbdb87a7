"""Balances: what one transaction did to the XRP, trust lines and MPTs of an account.

A balance change has the holding before and after. A field that PreviousFields do not show did not change; of
an MPT's amount that is not so: see `_mpt_change`.
"""

import contextlib
from collections.abc import Collection, Iterator
from decimal import Decimal

import msgspec

from offer_lifecycle.amounts import (
    EXACT,
    XRP,
    ZERO,
    WrittenToken,
    exact_sum,
    last_place,
    mpt_asset,
    named_asset,
    named_value,
    value_of,
)
from offer_lifecycle.changes import OnDamage, node_damage, raise_damage
from offer_lifecycle.computed_once import computed_once
from offer_lifecycle.entries import (
    AMM_LINE,
    AMM_MPTOKEN,
    HIGH_FREEZE,
    LINK,
    LOW_FREEZE,
    BalanceEntry,
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
from offer_lifecycle.funds import NOTHING, Holding, Reserves, spendable
from offer_lifecycle.nodes import Kind, Node
from offer_lifecycle.transaction import Transaction

_UNCHANGED = LineBefore()
_FEW = 8
"""Accounts."""


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
    for entry in tx.entries_of(account):
        try:
            change = _change(tx, entry, account) if account in _holders(entry) else None
        except ValueError as error:
            on_damage(node_damage(tx, entry.node, error))
            continue
        if change is not None:
            yield change


def balance_changes_by_account(
    tx: Transaction, accounts: Collection[str]
) -> dict[str, dict[str, BalanceChange]]:
    """Return what the transaction did to the balances of several accounts, by account and asset.

    Raises:
        MalformedTransaction: naming transaction, node and field.

    """
    found: dict[str, dict[str, BalanceChange]] = {account: {} for account in accounts}
    # To look for a name costs less than to read the entry, unless there are many names to look for
    names = [account.encode() for account in accounts] if len(accounts) <= _FEW else []
    for entry in tx.balance_entries if accounts else ():
        if names and entry.node.fields and not entry.node.names_any(names):
            continue
        try:
            for account in _holders(entry):
                if account is not None and account in found:
                    change = _change(tx, entry, account)
                    found[account][change.asset] = change
        except ValueError as error:
            raise node_damage(tx, entry.node, error) from error
    return found


@contextlib.contextmanager
def _named(tx: Transaction, node: Node) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise node_damage(tx, node, error) from error


@computed_once
def pool_accounts(tx: Transaction) -> tuple[str, ...]:
    """Return the accounts of the automated market makers that it traded with.

    A pool of two tokens shows by its trust lines alone: its AccountRoot (AMMID) is there only where XRP
    moved. By that alone shows a pool that holds too much of a token for what it traded to count.

    Raises:
        MalformedTransaction: naming transaction, node and field.

    """
    found = []
    for entry in tx.balance_entries:
        try:
            account = _pool_account(entry)
        except ValueError as error:
            raise node_damage(tx, entry.node, error) from error
        if account is not None:
            found.append(account)
    return tuple(dict.fromkeys(found))


def _pool_account(entry: BalanceEntry) -> str | None:
    """Return the account of the automated market maker that holds the balance; None: another holds it."""
    node = entry.node
    if not node.fields:
        return None
    match node.entry_type:
        case "RippleState":
            line: Line = entry.final
            # Balance is written from the low account's side: the pool is the one that holds
            holder = line.low_limit if value_of(line.balance) > 0 else line.high_limit
            return holder.issuer if line.flags & AMM_LINE else None
        case "MPToken":
            token: MPToken = entry.final
            return token.account if token.flags & AMM_MPTOKEN else None
        case "AccountRoot" if b'"AMMID"' in bytes(node.fields):
            root: Root = entry.final
            return root.account if root.amm_id else None
    return None


def _holders(entry: BalanceEntry) -> tuple[str | None, ...]:
    """Return the accounts whose balance the entry is: of a trust line both."""
    if not entry.node.fields:
        entry.node.check_told()
        return ()
    match entry.node.entry_type:
        case "RippleState":
            return (entry.final.low_limit.issuer, entry.final.high_limit.issuer)
        case "MPTokenIssuance":
            return (entry.final.issuer,)
    return (entry.final.account,)


def _change(tx: Transaction, entry: BalanceEntry, account: str) -> BalanceChange:
    """Return the change to a balance, as the account sees whose it is."""
    match entry.node.entry_type:
        case "AccountRoot":
            return _xrp_change(entry.node.kind, entry.final, entry.previous)
        case "RippleState":
            return _line_change(entry.node.kind, entry.final, entry.previous or _UNCHANGED, account)
        case "MPToken":
            return _mpt_change(tx, entry.node.kind, entry.final, entry.previous or MPTokenBefore())
    return _issued_change(entry.node.kind, entry.final, entry.previous or IssuanceBefore())


def _xrp_change(kind: Kind, final: Root, previous: Root | None) -> BalanceChange:
    if final.balance is None and kind is not Kind.CREATED:  # a pool may begin with none
        raise ValueError("Balance: expected drops, found none")
    shown = xrp_holding(final)
    if kind is Kind.CREATED:
        return BalanceChange(asset=XRP, before=NOTHING, after=shown)
    before = shown if previous is None else xrp_holding(final, previous)
    return BalanceChange(asset=XRP, before=before, after=NOTHING if kind is Kind.DELETED else shown)


def _mpt_change(tx: Transaction, kind: Kind, final: MPToken, changed: MPTokenBefore) -> BalanceChange:
    """Read the change of a holder's MPT.

    An amount of 0 is not written: where PreviousFields are empty, a transaction that moves balances brought
    the first units.
    """
    after = mpt_holding(final)
    untold = changed.amount is None and changed.flags is None and changed.locked is None
    amount = final.amount if changed.amount is None else changed.amount
    if kind is Kind.CREATED or (untold and kind is Kind.MODIFIED and tx.type not in MOVES_NOTHING):
        amount = None
    flags = final.flags if changed.flags is None else changed.flags
    return BalanceChange(
        asset=mpt_asset(final.issuance),
        before=mpt_holding(msgspec.structs.replace(final, amount=amount, flags=flags)),
        after=NOTHING if kind is Kind.DELETED else after,
    )


def _issued_change(kind: Kind, final: Issuance, changed: IssuanceBefore) -> BalanceChange:
    """Read the change of what an issuer owes of an MPT of its own."""
    owed = final.outstanding_amount if changed.outstanding_amount is None else changed.outstanding_amount
    before = msgspec.structs.replace(final, outstanding_amount="0" if kind is Kind.CREATED else owed)
    return BalanceChange(
        asset=issued_asset(final), before=issuance_holding(before), after=issuance_holding(final)
    )


def _line_change(kind: Kind, final: Line, previous: LineBefore, account: str) -> BalanceChange:
    is_low = final.low_limit.issuer == account
    asset = named_asset("HighLimit", final.high_limit) if is_low else named_asset("LowLimit", final.low_limit)
    frozen_by_peer = HIGH_FREEZE if is_low else LOW_FREEZE

    def own(written: WrittenToken) -> Decimal:
        # Balance is written from the low account's side
        value = named_value("Balance", written)
        return value if is_low else value.copy_negate()

    flags_before = final.flags if previous.flags is None else previous.flags
    balance_before = ZERO if kind is Kind.CREATED else own(previous.balance or final.balance)
    return BalanceChange(
        asset=asset,
        before=Holding(balance=balance_before, frozen=bool(flags_before & frozen_by_peer)),
        after=Holding(balance=own(final.balance), frozen=bool(final.flags & frozen_by_peer)),
    )


def previous_touch(tx: Transaction, account: str, asset: str) -> str | None:
    """Return the transaction that touched the entry of a balance before `tx`; None if it created it.

    Raises:
        MalformedTransaction: naming transaction, node and field.

    """
    for entry in tx.entries_of(account):
        node = entry.node
        if not node.fields:
            continue
        with _named(tx, node):
            change = _change(tx, entry, account) if account in _holders(entry) else None
            # A deleted entry carries the link inside its last fields
            link = node.previous_txn_id or LINK.decode(node.fields).previous_txn_id
        if change is not None and change.asset == asset:
            return link
    return None


def line_rounding(tx: Transaction, currency: str) -> Decimal:
    """Return how far sums of the changes to balances of a currency may be off, in decimal tokens.

    Each balance is itself rounded, before and after.

    Raises:
        MalformedTransaction: naming transaction, node and field.

    """
    return _line_roundings(tx).get(currency, ZERO)


@computed_once
def _line_roundings(tx: Transaction) -> dict[str | None, Decimal]:
    """Return the rounding of each currency."""
    totals: dict[str | None, Decimal] = {}
    for entry in tx.balance_entries:
        if entry.node.entry_type != "RippleState" or not entry.node.fields:
            continue
        with _named(tx, entry.node):
            line: Line = entry.final
            before = (entry.previous or _UNCHANGED).balance
            places = [last_place(value_of(written)) for written in (line.balance, before or line.balance)]
        currency = line.low_limit.currency
        totals[currency] = exact_sum((totals.get(currency, ZERO), *places))
    return totals


def empty_since(change: BalanceChange, before: Holding, tx: Transaction, reserves: Reserves) -> str | None:
    """Return the transaction since which there is nothing to give; None: there is, or it is not known."""
    now = spendable(change.asset, "", change.after, reserves)
    if now is None or now > 0:
        return None
    was = spendable(change.asset, "", before, reserves)
    return tx.hash if was is not None and was > 0 else before.emptied_by
