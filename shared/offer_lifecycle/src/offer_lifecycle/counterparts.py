"""Counterparts: what the other side of an order gave and got in the transaction that placed it.

An order that trades at once leaves no entry of its own. What it traded is what the offers and pools that the
transaction walked gave and got: the direct book, the two books of a bridge through XRP (where the owner's own
offers may stand), and pools. The owner's balances are only the cross-check: they also hold the network's fee,
the issuer's transfer fee and what the owner's other offers traded.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal

import msgspec

from offer_lifecycle.amounts import (
    EXACT,
    RATIO,
    XRP,
    ZERO,
    currency_of,
    exact_sum,
    is_mpt,
    is_whole,
    issuer_of,
    last_place,
)
from offer_lifecycle.balances import BalanceChange, balance_changes, line_rounding, pool_accounts
from offer_lifecycle.changes import OfferChange, ordered_amounts
from offer_lifecycle.fees import fee_paid_by
from offer_lifecycle.transaction import Transaction

_MOST_TOKEN_FEE = Decimal(1)
"""Of what is given: an issuer's TransferRate is at most 2."""
_MOST_MPT_FEE = Decimal("0.5")
"""Of what is given: an MPT's TransferFee is at most 50 %."""


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What an order traded at once: drops of XRP, decimal tokens, MPT units."""

    gave: Decimal
    got: Decimal
    problem: str | None = None
    """Why nothing can be said: the sides do not meet. Both amounts are then 0."""


_NOTHING = Taken(gave=ZERO, got=ZERO)


class _Sheet(msgspec.Struct, frozen=True):
    """An OfferCreate with its changes of offers and its sender's balances."""

    tx: Transaction
    changes: list[OfferChange]
    balances: list[BalanceChange]


def taken_at_once(tx: Transaction, changes: list[OfferChange], balances: list[BalanceChange]) -> Taken:
    """Return what the order of a successful OfferCreate gave and got in that same transaction.

    `changes` and `balances` are the transaction's own (the balances: of its sender).

    Raises:
        MalformedTransaction: naming transaction, node and field.

    """
    gets, pays = (side.asset for side in ordered_amounts(tx))
    if not any(change.consumed for change in changes) and _only_fee(tx, balances):
        return _NOTHING
    walked = [change for change in changes if change.consumed and _is_walked(change, gets, pays)]
    pooled = [balance for pool in pool_accounts(tx) for balance in balance_changes(tx, pool)]
    _, gave = _of_others(gets, walked, pooled)
    got, _ = _of_others(pays, walked, pooled)
    sheet = _Sheet(tx, changes, balances)
    problem = (
        _one_sided(gets, gave, pays, got)
        or _unmet_given(sheet, gets, gave)
        or _unmet_gotten(sheet, pays, got)
        or _unmet_bridge(sheet, gets, pays)
    )
    return Taken(gave=ZERO, got=ZERO, problem=problem) if problem else Taken(gave=gave, got=got)


def _only_fee(tx: Transaction, balances: list[BalanceChange]) -> bool:
    """Return whether the fee is all that changed the sender's balances, as where an order met nobody."""
    return (
        len(balances) == 1
        and balances[0].asset == XRP
        and balances[0].delta == -(fee_paid_by(tx, tx.account) or 0)
    )


def _is_walked(change: OfferChange, gets: str, pays: str) -> bool:
    """Return whether the offer stands in a book that an order giving `gets` for `pays` walks."""
    return (change.asks, change.gives) in {(gets, pays), (gets, XRP), (XRP, pays)}


def _of_others(asset: str, walked: list[OfferChange], pooled: list[BalanceChange]) -> tuple[Decimal, Decimal]:
    """Return what the walked offers and the pools (by their balances) gave and got of an asset."""
    gave, got = ZERO, ZERO
    for change in walked:
        if change.gives == asset:
            gave = EXACT.add(gave, change.gave)
        if change.asks == asset:
            got = EXACT.add(got, change.got)
    for balance in pooled:
        if balance.asset == asset:
            gave = EXACT.subtract(gave, min(balance.delta, ZERO))
            got = EXACT.add(got, max(balance.delta, ZERO))
    return gave, got


def _one_sided(gets: str, gave: Decimal, pays: str, got: Decimal) -> str | None:
    if bool(gave) == bool(got):
        return None
    return f"the others got {gave:f} of {gets} and gave {got:f} of {pays}: a trade has two sides"


def _unmet_given(sheet: _Sheet, asset: str, gave: Decimal) -> str | None:
    """Hold what the others got against what the owner's balance lost: more by the transfer fee at most."""
    for lost in _own(sheet, asset):
        excess = EXACT.add(lost, gave).copy_negate()
        if not excess or -_rounding(sheet, asset) <= excess <= _most_fee(sheet, asset, gave):
            return None
    return f"the others got {gave:f} of {asset}, and the owner's balance does not show that the order gave it"


def _unmet_gotten(sheet: _Sheet, asset: str, got: Decimal) -> str | None:
    """Hold what the others gave against what the owner's balance gained."""
    for gained in _own(sheet, asset):
        off = EXACT.subtract(gained, got).copy_abs()
        if not off or off <= _rounding(sheet, asset):
            return None
    return f"the others gave {got:f} of {asset}, and the owner's balance does not show that the order got it"


def _unmet_bridge(sheet: _Sheet, gets: str, pays: str) -> str | None:
    """Check that XRP on a bridge passes the owner by."""
    if XRP in {gets, pays} or ZERO in _own(sheet, XRP):
        return None
    return "the owner's XRP moved by more than the fee, in an order of which XRP is no side"


def _own(sheet: _Sheet, asset: str) -> tuple[Decimal, ...]:
    """Return what the order itself did to the owner's balance.

    There are two answers where the metadata does not say who paid the fee.
    """
    tx = sheet.tx
    currency = currency_of(asset)
    own_issue = issuer_of(asset) == tx.account
    total = ZERO
    for balance in sheet.balances:
        # An issuer's balance of its own token is what all its lines say together
        if balance.asset == asset or (own_issue and currency_of(balance.asset) == currency):
            total = EXACT.add(total, balance.delta)
    for change in sheet.changes:
        if change.consumed and change.account == tx.account:
            total = EXACT.add(total, change.gave if change.gives == asset else ZERO)
            total = EXACT.subtract(total, change.got if change.asks == asset else ZERO)
    if asset != XRP:
        return (total,)
    paid = fee_paid_by(tx, tx.account)
    fees = (0, tx.fee) if paid is None else (paid,)
    return tuple(EXACT.add(total, Decimal(fee)) for fee in fees)


def _most_fee(sheet: _Sheet, asset: str, gave: Decimal) -> Decimal:
    """Return the most that the issuer may have charged the owner on top of what the order gave."""
    if asset == XRP or issuer_of(asset) == sheet.tx.account:
        return ZERO
    most = RATIO.multiply(gave, _MOST_MPT_FEE if is_mpt(asset) else _MOST_TOKEN_FEE)
    return EXACT.add(most, _rounding(sheet, asset))


def _rounding(sheet: _Sheet, asset: str) -> Decimal:
    """Return how far the owner's balance may be off: not at all where amounts are whole numbers."""
    if is_whole(asset):
        return ZERO
    balances = (balance.after.balance for balance in sheet.balances if balance.asset == asset)
    each = max((last_place(balance) for balance in balances), default=ZERO)
    lines = line_rounding(sheet.tx, currency_of(asset))
    return EXACT.add(lines, fill_rounding(sheet.changes, asset, each))


def fill_rounding(changes: Iterable[OfferChange], asset: str, each: Decimal) -> Decimal:
    """Return how far the sum of the offers' fills of an asset may be off a balance, in decimal tokens.

    Each fill is added to the balance on its own (`each`: what its last digit is worth), and is itself a
    difference of two rounded amounts.
    """
    total = ZERO
    for change in changes:
        for traded, left in _sides(change, asset):
            total = exact_sum((total, each, last_place(left), last_place(EXACT.add(left, traded))))
    return total


def _sides(change: OfferChange, asset: str) -> Iterator[tuple[Decimal, Decimal]]:
    """Yield what an offer traded of an asset, and what is left of it there."""
    if change.consumed and change.gives == asset:
        yield change.gave, change.gets_left.value
    if change.consumed and change.asks == asset:
        yield change.got, change.pays_left.value
