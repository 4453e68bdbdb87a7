"""Decision what became of an order in its own OfferCreate: rested, traded, dropped or refused.

What it traded at once shows in no node of its own: it is what its counterparts gave and got (see
`counterparts`). Where the two sides do not meet, nothing is told of a trade: the order is unresolved.
"""

from decimal import Decimal

import msgspec

from offer_lifecycle.amounts import EXACT, RATIO, XRP, ZERO, currency_of, is_whole
from offer_lifecycle.balances import BalanceChange, line_rounding
from offer_lifecycle.changes import OfferChange, ordered_amounts
from offer_lifecycle.counterparts import taken_at_once
from offer_lifecycle.funds import Reserves, reserve_of, spendable
from offer_lifecycle.nodes import Kind
from offer_lifecycle.transaction import MalformedTransaction, Transaction
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
    result: str
    """TransactionResult of the order's own transaction."""
    problem: str | None = None
    """Why it is not known what was taken of it at once; None: it is known."""

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
    taken = taken_at_once(tx, changes, balances)
    gave, got = taken.gave, taken.got
    entry = next((c for c in changes if c.kind is Kind.CREATED and c.account == tx.account), None)
    # It gave something if and only if it got something: else `taken` has a problem, and both are 0
    if entry is not None:
        status = OrderStatus.PARTIALLY_FILLED if gave else OrderStatus.ACCEPTED
        evidence = "CreatedNode of its offer"
        placed = _placement(tx, gets, pays, status, evidence=evidence, gave=gave, got=got, entry=entry)
    elif gave:
        status, reason, evidence = _never_rested(tx, gave, got, balances, reserves)
        placed = _placement(tx, gets, pays, status, reason=reason, evidence=evidence, gave=gave, got=got)
    else:
        evidence = f"result {tx.result}, no offer created and nothing traded"
        placed = _placement(tx, gets, pays, OrderStatus.REJECTED, evidence=evidence)
    return placed if taken.problem is None else without_trade(placed, taken.problem)


def without_trade(placement: Placement, problem: str) -> Placement:
    """Return the placement with nothing told of a trade, since `problem` leaves open whether it traded.

    A refused order stays refused: its transaction did nothing but take the fee.
    """
    if placement.status is OrderStatus.REJECTED and placement.result != "tesSUCCESS":
        return placement
    rests = placement.entry is not None
    return msgspec.structs.replace(
        placement,
        gave=ZERO,
        got=ZERO,
        status=OrderStatus.ACCEPTED if rests else OrderStatus.REMOVED,
        reason=None if rests else RemovalReason.UNEXPLAINED,
        evidence=placement.evidence if rests else f"it is not known whether it traded: {problem}",
        problem=problem,
    )


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
        result=tx.result,
    )


def _rounding(tx: Transaction, asset: str) -> Decimal:
    return ZERO if is_whole(asset) else line_rounding(tx, currency_of(asset))


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
        return gets_left <= 0 or (is_whole(pays.asset) and _scaled(gets_left, gets, pays) < 1)
    return pays_left <= 0 or gets_left <= 0 or (is_whole(gets.asset) and _scaled(pays_left, pays, gets) < 1)


def _scaled(rest: Decimal, side: Amount, other: Amount) -> Decimal:
    return RATIO.divide(RATIO.multiply(rest, other.value), side.value)


def _shortage(tx: Transaction, balances: list[BalanceChange], reserves: Reserves) -> str | None:
    """Say what the owner lacked to leave the rest on the book: funds, or the reserve for one more object."""
    gets, _ = ordered_amounts(tx)
    held = {change.asset: change for change in balances}
    paying, xrp = held.get(gets.asset), held[XRP]
    left = None if paying is None else spendable(gets.asset, tx.account, paying.after, reserves)
    if gets.asset != XRP and left is not None and left <= _rounding(tx, gets.asset):
        return f"nothing is left of {gets.asset}"
    if gets.asset == XRP and xrp.after.balance <= reserve_of(xrp.after, reserves):
        return "no XRP is left above the reserve"
    # The balance before the fee is what the ledger holds against the reserve
    if xrp.before.balance < reserve_of(xrp.after, reserves, xrp.after.owner_count + 1):
        return "the reserve for one more object is not covered"
    return None
