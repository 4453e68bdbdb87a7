"""Balance flows: the sources of the change of an account's balances in one transaction.

The flows of an asset add up to its change, exactly. Each is booked only on evidence: a fill on the offer
that gave and got it, the taker's on the offers and pools on the other side, a payment on the account being
its sender or Destination. What is left is rounding where it is no more than the ledger's own, and else
drift. Nobody's XRP is ever rounded.

What a type that the kernel does not know moves is UNKNOWN.

A trust line holds two assets, of which one is always nothing: what the account holds is `<currency>.<peer>`,
what it owes is `<currency>.<account>`, its own issue, on whichever lines.
"""

from collections.abc import Iterator, Mapping
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum

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
    token_asset,
)
from offer_lifecycle.balances import balance_changes, line_rounding, pool_accounts
from offer_lifecycle.changes import offer_changes, ordered_amounts
from offer_lifecycle.counterparts import fill_rounding, taken_at_once
from offer_lifecycle.fees import fee_paid_by
from offer_lifecycle.formats import MOVES_NOTHING, TRADES, TRANSACTIONS
from offer_lifecycle.transaction import Transaction


class Source(StrEnum):
    """What changed a balance."""

    FEE = "fee"
    """The transaction's Fee, in drops: less where less was left."""
    FILL = "fill"
    """What the account's offers gave and got, resting or at once."""
    TRANSFER_FEE = "transfer_fee"
    """The issuer's TransferRate: paid on top of what an offer gave, or kept by the issuer."""
    PAYMENT = "payment"
    """A Payment that the account sent or received."""
    RIPPLED = "rippled"
    """One line of the account against another of the same currency, in somebody's payment."""
    OTHER = "other"
    """A type that itself moves balances (escrow, check, pool, vault, loan), and a pool's own trades."""
    UNKNOWN = "unknown"
    """A type that the kernel does not know: it may move anything, and nothing is concluded."""
    ROUNDING = "rounding"
    """The ledger's own rounding of token balances to 16 digits."""
    DRIFT = "drift"
    """None of these explains it."""


class Flow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A part of a balance's change: drops for XRP, decimal tokens otherwise."""

    asset: str
    source: Source
    amount: Decimal


_RATE = Decimal(1_000_000_000)
"""A TransferRate is a whole number of billionths; the fee is at most what is given."""


def balance_flows(
    tx: Transaction, account: str, held: Mapping[str, Decimal] | None = None
) -> tuple[Flow, ...]:
    """Return what changed the account's balances in a transaction, and by how much.

    `held` are its balances before, by trust line, as far as they are known: a fill too small for a
    balance's last digit leaves no trace in the metadata.

    Raises:
        MalformedTransaction: naming transaction, node and field.

    """
    sheet = _Sheet(tx, account, held or {})
    sheet.book_fee()
    if tx.result == "tesSUCCESS":
        sheet.book_fills()
        sheet.book_rest()
    for asset, left in tuple(sheet.left.items()):
        sheet.book(asset, Source.DRIFT, left)
    return tuple(sheet.flows)


def held_and_owed(
    asset: str, account: str, before: Decimal, after: Decimal
) -> Iterator[tuple[str, Decimal, Decimal]]:
    """Yield (asset, before, after) of what a balance means: what is held, and what the account owes."""
    if is_whole(asset):
        yield asset, before, after
        return
    if before > 0 or after > 0:
        yield asset, max(before, ZERO), max(after, ZERO)
    if before < 0 or after < 0:
        yield token_asset(currency_of(asset), account), min(before, ZERO), min(after, ZERO)


class _Sheet:
    """One account in one transaction: what is booked, and what is left to be explained."""

    def __init__(self, tx: Transaction, account: str, held: Mapping[str, Decimal]) -> None:
        self._tx = tx
        self._account = account
        self._held = held
        self._charged: dict[str, Decimal] = {}
        self._lines: dict[str, list[tuple[Decimal, Decimal]]] = {}
        self._balances = list(balance_changes(tx, account))
        self.flows: list[Flow] = []
        self.left: dict[str, Decimal] = {}
        for change in self._balances:
            balances = change.before.balance, change.after.balance
            for asset, before, after in held_and_owed(change.asset, account, *balances):
                self._lines.setdefault(asset, []).append((before, after))
                self._leave(asset, EXACT.subtract(after, before))

    def _leave(self, asset: str, amount: Decimal) -> None:
        left = EXACT.add(self.left.pop(asset, ZERO), amount)
        if left:
            self.left[asset] = left

    def book(self, asset: str, source: Source, amount: Decimal) -> None:
        """Explain an amount of an asset's change."""
        if amount:
            self.flows.append(Flow(asset=asset, source=source, amount=amount))
            self._leave(asset, amount.copy_negate())

    def book_fee(self) -> None:
        """Book the fee: a failed transaction takes what there is, if that is less."""
        there = exact_sum(before for before, _ in self._lines.get(XRP, ()))
        paid = fee_paid_by(self._tx, self._account) or 0
        self.book(XRP, Source.FEE, -min(Decimal(paid), there))

    def book_fills(self) -> None:
        """Book what the account's offers gave and got: resting ones, and the one that it placed."""
        if self._is_taker:
            self._book_taken()
        for change in offer_changes(self._tx, self._account):
            if change.consumed:
                self._book_fill(change.gives, change.gave.copy_negate())
                self._book_fill(change.asks, change.got)

    @property
    def _is_taker(self) -> bool:
        return self._tx.type == "OfferCreate" and self._tx.account == self._account

    def _book_taken(self) -> None:
        changes = list(offer_changes(self._tx))
        gets, pays = (side.asset for side in ordered_amounts(self._tx))
        taken = taken_at_once(self._tx, changes, self._balances)
        self._book_fill(gets, taken.gave.copy_negate())
        self._book_fill(pays, taken.got)
        for change in changes:
            if change.consumed and change.asks == gets and change.account == issuer_of(gets):
                self._charge(gets, change.got.copy_negate())  # what goes back to its issuer is no transfer

    def _book_fill(self, asset: str, amount: Decimal) -> None:
        self.book(asset, Source.FILL, amount)
        self._charge(asset, max(amount.copy_negate(), ZERO))

    def _charge(self, asset: str, given: Decimal) -> None:
        """Count what is given as what the issuer takes its transfer fee of."""
        self._charged[asset] = EXACT.add(self._charged.get(asset, ZERO), given)

    def book_rest(self) -> None:
        """Book what fee and fills leave of each asset, as far as the transaction accounts for it."""
        for asset, left in tuple(self.left.items()):
            source = self._source(asset, left)
            if source is not None:
                self.book(asset, source, left)
        self._book_rippling()

    def _source(self, asset: str, left: Decimal) -> Source | None:
        """Say what the rest of an asset's change is; the first that fits."""
        if self._tx.type in MOVES_NOTHING:
            return None
        if self._pays(left):
            return Source.PAYMENT
        if left.copy_abs() <= self._rounding(asset):
            return Source.ROUNDING
        if self._is_transfer_fee(asset, left):
            return Source.TRANSFER_FEE
        if self._tx.type in TRADES and self._account not in pool_accounts(self._tx):
            return None
        return Source.OTHER if self._tx.type in TRANSACTIONS else Source.UNKNOWN

    def _pays(self, left: Decimal) -> bool:
        sender, receiver = self._account == self._tx.account, self._account == self._tx.destination
        return self._tx.type == "Payment" and ((sender and left < 0) or (receiver and left > 0))

    def _is_transfer_fee(self, asset: str, left: Decimal) -> bool:
        if is_mpt(asset):
            return self._is_mpt_fee(asset, left)
        if issuer_of(asset) == self._account:
            # The issuer owes so much less: no more than half of what came back to it
            deltas = (EXACT.subtract(after, before) for before, after in self._lines.get(asset, ()))
            return 0 < left <= EXACT.divide(exact_sum(max(delta, ZERO) for delta in deltas), Decimal(2))
        given = self._charged.get(asset, ZERO)
        if self._tx.type != "OfferCreate" or left > 0 or given <= 0:
            return False
        billionths = RATIO.divide(RATIO.multiply(left.copy_abs(), _RATE), given).to_integral_value()
        fee = RATIO.divide(RATIO.multiply(given, billionths), _RATE)
        return 0 < billionths <= _RATE and RATIO.add(left, fee).copy_abs() <= self._rounding(asset)

    def _is_mpt_fee(self, asset: str, left: Decimal) -> bool:
        """Return whether it is an MPT's TransferFee, at most half of what is given; the issuer owes less."""
        if issuer_of(asset) == self._account:
            return left > 0 and self._tx.type in TRADES
        fees = RATIO.divide(self._charged.get(asset, ZERO), Decimal(2)).to_integral_value(ROUND_CEILING)
        return self._tx.type == "OfferCreate" and 0 < left.copy_negate() <= fees

    def _book_rippling(self) -> None:
        currencies: dict[str, list[str]] = {}
        for asset in self.left:
            if asset != XRP:
                currencies.setdefault(currency_of(asset), []).append(asset)
        for assets in currencies.values():
            net = exact_sum(self.left[asset] for asset in assets)
            slack = exact_sum(self._rounding(asset) for asset in assets)
            back = exact_sum(max(self.left[asset], ZERO) for asset in assets)
            if len(assets) > 1 and -slack <= net <= max(slack, EXACT.divide(back, Decimal(2))):
                for asset in assets:
                    self.book(asset, Source.RIPPLED, self.left[asset])

    def _rounding(self, asset: str) -> Decimal:
        """Return how much of an asset's change the ledger's rounding can make; of whole numbers nothing."""
        if is_whole(asset):
            return ZERO
        held = self._held.get(asset, ZERO)
        lines = self._lines.get(asset, [(held, held)])
        total = exact_sum(_step(before, after) for before, after in lines)
        each = max(last_place(balance) for line in lines for balance in line)
        party = None if self._is_taker or issuer_of(asset) == self._account else self._account
        total = EXACT.add(total, fill_rounding(offer_changes(self._tx, party), asset, each))
        if self._is_taker:
            total = EXACT.add(total, line_rounding(self._tx, currency_of(asset)))
        return total


def _step(before: Decimal, after: Decimal) -> Decimal:
    # A balance that comes down to ten or less in its last digit becomes nothing
    return EXACT.add(last_place(before).scaleb(0 if after else 1), last_place(after))
