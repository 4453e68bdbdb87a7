"""What an account can pay with, followed through metadata.

An offer whose owner has nothing left of what it gives stays listed until a transaction walks into it.
Whether the owner had anything left at that moment is in that transaction's own metadata where the
balance changed in it, and otherwise in the account's earlier transactions.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal

import msgspec

from offer_lifecycle.amounts import EXACT, XRP, ZERO, issuer_of, parse_amount, token
from offer_lifecycle.transaction import MalformedTransaction, Node, Reserves, Transaction

LOW_FREEZE, HIGH_FREEZE = 0x0040_0000, 0x0080_0000
"""lsfLowFreeze, lsfHighFreeze: that side of the trust line has frozen the other."""


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """One balance. For XRP in drops, with the number of objects the owner's reserve is counted by."""

    balance: Decimal
    owner_count: int = 0
    frozen: bool = False
    """The issuer has frozen the line: it counts as nothing."""


Holdings = Mapping[str, Holding]


class BalanceChange(msgspec.Struct, frozen=True, kw_only=True):
    """One transaction's change to one of an account's balances."""

    asset: str
    before: Holding
    after: Holding

    @property
    def delta(self) -> Decimal:
        """After minus before: drops for XRP, decimal tokens otherwise."""
        return EXACT.subtract(self.after.balance, self.before.balance)


def balance_changes(tx: Transaction, account: str) -> Iterator[BalanceChange]:
    """Yield what the transaction did to the account's XRP and trust lines.

    Raises:
        MalformedTransaction: naming transaction, node and field.

    """
    for node in tx.nodes:
        try:
            if node.entry_type == "AccountRoot" and node.fields.get("Account") == account:
                yield _xrp_change(node)
            elif node.entry_type == "RippleState" and node.fields:
                change = _line_change(node, account)
                if change is not None:
                    yield change
        except (msgspec.ValidationError, ValueError) as error:
            raise MalformedTransaction(
                f"transaction {tx.hash}: {node.entry_type} {node.index}: {error}"
            ) from error


class _Root(msgspec.Struct, rename="pascal"):
    balance: str | None = None
    owner_count: int | None = None


def _xrp_change(node: Node) -> BalanceChange:
    final, previous = msgspec.convert(node.fields, _Root), msgspec.convert(node.previous, _Root)
    nothing = Holding(balance=ZERO)
    shown = _xrp(final, nothing)
    before = nothing if node.kind == "CreatedNode" else _xrp(previous, shown)
    return BalanceChange(asset=XRP, before=before, after=nothing if node.kind == "DeletedNode" else shown)


def _xrp(root: _Root, unchanged: Holding) -> Holding:
    balance = unchanged.balance if root.balance is None else parse_amount(root.balance).value
    owners = unchanged.owner_count if root.owner_count is None else root.owner_count
    return Holding(balance=balance, owner_count=owners)


class _Limit(msgspec.Struct):
    currency: str
    issuer: str


class _Line(msgspec.Struct, rename="pascal"):
    low_limit: _Limit
    high_limit: _Limit
    balance: dict[str, str]
    flags: int = 0


class _LineBefore(msgspec.Struct, rename="pascal"):
    balance: dict[str, str] | None = None
    flags: int | None = None


def _line_change(node: Node, account: str) -> BalanceChange | None:
    final, previous = msgspec.convert(node.fields, _Line), msgspec.convert(node.previous, _LineBefore)
    if account not in {final.low_limit.issuer, final.high_limit.issuer}:
        return None
    is_low = final.low_limit.issuer == account
    peer = (final.high_limit if is_low else final.low_limit).issuer
    frozen_by_peer = HIGH_FREEZE if is_low else LOW_FREEZE

    def own(raw: Mapping[str, str]) -> Decimal:
        # Balance is written from the low account's side
        value = parse_amount(raw).value
        return value if is_low else -value

    flags_before = final.flags if previous.flags is None else previous.flags
    balance_before = ZERO if node.kind == "CreatedNode" else own(previous.balance or final.balance)
    return BalanceChange(
        asset=token(final.low_limit.currency, peer),
        before=Holding(balance=balance_before, frozen=bool(flags_before & frozen_by_peer)),
        after=Holding(balance=own(final.balance), frozen=bool(final.flags & frozen_by_peer)),
    )


def spendable(
    asset: str, account: str, holdings: Holdings | None, reserves: Reserves, owner_count: int | None = None
) -> Decimal | None:
    """Return what the account can give of an asset: drops or decimal tokens; None if that is not known.

    `owner_count` overrides the holding's own: an offer that is being removed still counts towards the
    reserve at the moment it is tried. An issuer can always give its own tokens: the answer is then None
    too, as no balance bounds it.
    """
    if holdings is None or issuer_of(asset) == account or asset.startswith("MPT."):
        return None
    holding = holdings.get(asset, Holding(balance=ZERO))
    if asset != XRP:
        return ZERO if holding.frozen else holding.balance
    owners = holding.owner_count if owner_count is None else owner_count
    return EXACT.subtract(holding.balance, Decimal(reserves.base + reserves.increment * owners))
