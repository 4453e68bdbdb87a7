"""Funds: what an account holds of an asset, and how much of it it can give.

An offer whose owner has nothing left of what it gives stays listed until a transaction walks into it.
Whether the owner had anything left at that moment is in that transaction's own metadata where the
balance changed in it, in the account's earlier transactions, or in the ledger's state before it.
"""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from offer_lifecycle.amounts import EXACT, XRP, ZERO, is_mpt, issuer_of

MPT_MAXIMUM = Decimal(2**63 - 1)
"""MaximumAmount of an issuance that names none."""


class Reserves(msgspec.Struct, frozen=True, kw_only=True):
    """What an account must keep, in drops: `base`, and `increment` for each object that it owns."""

    base: int
    increment: int


class Holding(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One balance: drops of XRP, decimal tokens, or an MPT in its smallest unit.

    What an issuer owes of an MPT of its own is below zero.
    """

    balance: Decimal
    owner_count: int = 0
    """Of XRP: the objects that the owner's reserve is counted by (see `reserve_of`)."""
    reserve_accounts: int = 1
    """Of XRP: the accounts whose base reserve the owner keeps, its own and those that it sponsors."""
    frozen: bool = False
    """The issuer has frozen the line, or locked the MPT: it counts as nothing."""
    maximum: Decimal | None = None
    """Of an MPT's issuer: MaximumAmount, the most that it may owe."""
    emptied_by: str | None = None
    """The transaction since which there is nothing to give; None: there is, or it is not known."""


Holdings = Mapping[str, Holding]
NOTHING = Holding(balance=ZERO)


def spendable(
    asset: str, account: str, holding: Holding | None, reserves: Reserves, owner_count: int | None = None
) -> Decimal | None:
    """Return what the account can give of an asset: drops, tokens or MPT units; None if that is not known.

    `owner_count` overrides the holding's own: an offer that is being removed still counts towards the
    reserve at the moment it is tried. A token's issuer can always give it: the answer is then None too, as
    no balance bounds it. An MPT's issuer can give what is missing to MaximumAmount.
    """
    if holding is None:
        return None
    if asset == XRP:
        return EXACT.subtract(holding.balance, reserve_of(holding, reserves, owner_count))
    if issuer_of(asset) == account and not is_mpt(asset):
        return None
    if holding.maximum is not None:
        return EXACT.add(holding.maximum, holding.balance)
    return ZERO if holding.frozen else holding.balance


def reserve_of(holding: Holding, reserves: Reserves, owner_count: int | None = None) -> Decimal:
    """Return the drops that the owner must keep: for accounts, and for objects (by default its own count)."""
    objects = holding.owner_count if owner_count is None else owner_count
    return Decimal(reserves.base * holding.reserve_accounts + reserves.increment * objects)
