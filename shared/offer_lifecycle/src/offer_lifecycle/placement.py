"""Decision what became of an order in its own OfferCreate: rested, traded, dropped or refused.

What it traded at once shows in no node of its own: it is the owner's balance changes, less the fee and
less what the owner's other offers traded in the same transaction (a bridge through XRP may consume
them). A transfer fee, which the owner pays on top of what the offer gives, is kept out by what the
other side received.
"""

from decimal import Decimal

import msgspec

from offer_lifecycle.amounts import EXACT, RATIO, XRP, ZERO, issuer_of
from offer_lifecycle.changes import OfferChange, ordered_amounts
from offer_lifecycle.funds import BalanceChange, balance_changes, line_rounding, pool_accounts
from offer_lifecycle.transaction import Kind, MalformedTransaction, Reserves, Transaction
from order_events import Amount, OrderStatus, RemovalReason

IMMEDIATE_OR_CANCEL, FILL_OR_KILL, SELL = 0x0002_0000, 0x0004_0000, 0x0008_0000
"""tfImmediateOrCancel, tfFillOrKill, tfSell."""


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an order in the transaction that placed it."""

    gets: Amount
    pays: Amount
    gave: Decimal
    got: Decimal
    entry: OfferChange | None
    """The entry it left on the book."""
    status: OrderStatus
    reason: RemovalReason | None
    evidence: str

    @property
    def traded(self) -> bool:
        """Some of it was taken at once."""
        return bool(self.gave or self.got)


def decide_placement(
    tx: Transaction, changes: list[OfferChange], balances: list[BalanceChange], reserves: Reserves
) -> Placement:
    """Say what became of the order that `tx`, a validated OfferCreate, placed.

    `changes` and `balances` are the transaction's own (the balances: of its sender).

    Raises:
        MalformedTransaction: naming transaction, node and field.

    """
    gets, pays = ordered_amounts(tx)
    if tx.result != "tesSUCCESS":
        return _placement(tx, gets, pays, OrderStatus.REJECTED, evidence=f"result {tx.result}")
    if not any(balance.asset == XRP for balance in balances):
        # Its Sequence or its tickets changed, so it is there; without it the fee would look like a trade
        raise MalformedTransaction(f"transaction {tx.hash}: expected the sender's AccountRoot, found none")
    gave, got = taken_at_once(tx, changes, balances)
    entry = next((c for c in changes if c.kind is Kind.CREATED and c.account == tx.account), None)
    if entry is not None:
        status = OrderStatus.PARTIALLY_FILLED if gave or got else OrderStatus.ACCEPTED
        evidence = "CreatedNode of its offer"
        return _placement(tx, gets, pays, status, evidence=evidence, gave=gave, got=got, entry=entry)
    if not (gave or got):
        evidence = f"result {tx.result}, no offer created and nothing traded"
        return _placement(tx, gets, pays, OrderStatus.REJECTED, evidence=evidence)
    status, reason, evidence = _never_rested(tx, gave, got, balances, reserves)
    return _placement(tx, gets, pays, status, reason=reason, evidence=evidence, gave=gave, got=got)


def taken_at_once(
    tx: Transaction, changes: list[OfferChange], balances: list[BalanceChange]
) -> tuple[Decimal, Decimal]:
    """Return what the order of a successful OfferCreate gave and got in that same transaction.

    `changes` and `balances` are the transaction's own (the balances: of its sender).
    """
    gets, pays = ordered_amounts(tx)
    gave = _gave(tx, gets, changes, balances)
    return gave, max(_taken(tx, pays.asset, changes, balances), ZERO)


def taken_by_others(tx: Transaction, asset: str, changes: list[OfferChange]) -> tuple[Decimal, Decimal]:
    """Return what the offers and pools that `tx` traded with gave and got of an asset."""
    gave, got = ZERO, ZERO
    for change in changes:
        if change.gives == asset:
            gave = EXACT.add(gave, change.gave)
        if change.asks == asset:
            got = EXACT.add(got, change.got)
    for pool in pool_accounts(tx):
        for balance in balance_changes(tx, pool):
            if balance.asset == asset:
                gave = EXACT.subtract(gave, min(balance.delta, ZERO))
                got = EXACT.add(got, max(balance.delta, ZERO))
    return gave, got


def _placement(  # noqa: PLR0913 - the fields of one record, most of them named
    tx: Transaction,
    gets: Amount,
    pays: Amount,
    status: OrderStatus,
    *,
    evidence: str,
    reason: RemovalReason | None = None,
    gave: Decimal = ZERO,
    got: Decimal = ZERO,
    entry: OfferChange | None = None,
) -> Placement:
    return Placement(
        gets=gets,
        pays=pays,
        gave=gave,
        got=got,
        entry=entry,
        status=status,
        reason=reason,
        evidence=f"OfferCreate {tx.hash}: {evidence}",
    )


def _taken(tx: Transaction, asset: str, changes: list[OfferChange], balances: list[BalanceChange]) -> Decimal:
    """Return what the order itself added to the owner's balance of `asset`; negative: what it took."""
    currency = asset.partition(".")[0]
    total = Decimal(tx.fee) if asset == XRP and tx.pays_fee(tx.account) else ZERO
    for balance in balances:
        # An issuer's balance of its own token is what all its lines say together
        own_issue = issuer_of(asset) == tx.account and balance.asset.partition(".")[0] == currency
        if own_issue or balance.asset == asset:
            total = EXACT.add(total, balance.delta)
    for change in changes:
        if change.consumed and change.account == tx.account:
            total = EXACT.add(total, change.gave if change.gives == asset else ZERO)
            total = EXACT.subtract(total, change.got if change.asks == asset else ZERO)
    return total


def _gave(
    tx: Transaction, gets: Amount, changes: list[OfferChange], balances: list[BalanceChange]
) -> Decimal:
    debited = max(-_taken(tx, gets.asset, changes, balances), ZERO)
    if gets.asset == XRP or not debited:
        return debited
    _, received = taken_by_others(tx, gets.asset, changes)
    # Beyond what rounding balances can do, the difference is the issuer's transfer fee
    if received and EXACT.subtract(debited, received) > _rounding(tx, gets.asset):
        return received
    return debited


def _rounding(tx: Transaction, asset: str) -> Decimal:
    return line_rounding(tx, asset.partition(".")[0])


def _never_rested(
    tx: Transaction, gave: Decimal, got: Decimal, balances: list[BalanceChange], reserves: Reserves
) -> tuple[OrderStatus, RemovalReason, str]:
    if _nothing_left(tx, gave, got):
        return OrderStatus.FILLED, RemovalReason.FILLED, "all of it was taken at once"
    shortage = _shortage(tx, balances, reserves)
    if tx.flags & (IMMEDIATE_OR_CANCEL | FILL_OR_KILL):
        # A fill-or-kill order is killed whole, unless its owner's funds run out while it trades
        because = "" if shortage is None else f": {shortage}"
        return (
            OrderStatus.CANCELED,
            RemovalReason.KILLED,
            f"a part was taken at once, the rest dropped{because}",
        )
    if shortage is not None:
        return OrderStatus.REMOVED, RemovalReason.UNFUNDED, f"a part was taken at once; {shortage}"
    evidence = "a part was taken at once, and its metadata does not say why the rest is gone"
    return OrderStatus.REMOVED, RemovalReason.UNEXPLAINED, evidence


def _nothing_left(tx: Transaction, gave: Decimal, got: Decimal) -> bool:
    gets, pays = ordered_amounts(tx)
    gets_left = EXACT.subtract(EXACT.subtract(gets.value, gave), _rounding(tx, gets.asset))
    pays_left = EXACT.subtract(EXACT.subtract(pays.value, got), _rounding(tx, pays.asset))
    # The rest is scaled to the limit price, whatever better one was paid; less than a drop is no offer
    if tx.flags & SELL:
        return gets_left <= 0 or (pays.asset == XRP and _scaled(gets_left, gets, pays) < 1)
    return pays_left <= 0 or gets_left <= 0 or (gets.asset == XRP and _scaled(pays_left, pays, gets) < 1)


def _scaled(rest: Decimal, side: Amount, other: Amount) -> Decimal:
    return RATIO.divide(RATIO.multiply(rest, other.value), side.value)


def _shortage(tx: Transaction, balances: list[BalanceChange], reserves: Reserves) -> str | None:
    """Say what the owner lacked to leave the rest on the book: funds, or the reserve for one more object."""
    gets, _ = ordered_amounts(tx)
    held = {change.asset: change for change in balances}
    paying, xrp = held.get(gets.asset), held[XRP]
    if gets.asset != XRP and paying is not None and paying.after.balance <= _rounding(tx, gets.asset):
        return f"nothing is left of {gets.asset}"
    reserve = reserves.base + reserves.increment * (xrp.after.owner_count + 1)
    if gets.asset == XRP and xrp.after.balance <= reserve - reserves.increment:
        return "no XRP is left above the reserve"
    if xrp.before.balance < reserve:  # the balance before the fee is what the ledger holds against it
        return "the reserve for one more object is not covered"
    return None
