"""What an account can pay with, followed through metadata.

An offer whose owner has nothing left of what it gives stays listed until a transaction walks into it.
Whether the owner had anything left at that moment is in that transaction's own metadata where the
balance changed in it, and otherwise in the account's earlier transactions.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal

import msgspec

from offer_lifecycle.amounts import EXACT, XRP, ZERO, issuer_of, parse_amount, token
from offer_lifecycle.transaction import Node, Reserves, Transaction

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
    """Yield what the transaction did to the account's XRP and trust lines."""
    for node in tx.nodes:
        if node.entry_type == "AccountRoot" and node.fields.get("Account") == account:
            yield _xrp_change(node)
        elif node.entry_type == "RippleState":
            change = _line_change(node, account)
            if change is not None:
                yield change


def _xrp_change(node: Node) -> BalanceChange:
    deleted, created = node.kind == "DeletedNode", node.kind == "CreatedNode"
    balance = Decimal(node.fields.get("Balance", "0"))
    owners = int(node.fields.get("OwnerCount", 0))
    before = Holding(
        balance=ZERO if created else Decimal(node.previous.get("Balance", balance)),
        owner_count=0 if created else int(node.previous.get("OwnerCount", owners)),
    )
    after = Holding(balance=ZERO if deleted else balance, owner_count=0 if deleted else owners)
    return BalanceChange(asset=XRP, before=before, after=after)


def _line_change(node: Node, account: str) -> BalanceChange | None:
    low, high = node.fields.get("LowLimit"), node.fields.get("HighLimit")
    if not low or not high or account not in {low["issuer"], high["issuer"]}:
        return None
    is_low = low["issuer"] == account
    peer = (high if is_low else low)["issuer"]
    flags = int(node.fields.get("Flags", 0))
    frozen_by_peer = HIGH_FREEZE if is_low else LOW_FREEZE

    def own(raw: Mapping[str, str] | None) -> Decimal:
        # Balance is written from the low account's side
        value = parse_amount(raw).value if raw else ZERO
        return value if is_low else -value

    after = own(node.fields.get("Balance"))
    before = (
        ZERO if node.kind == "CreatedNode" else own(node.previous.get("Balance", node.fields.get("Balance")))
    )
    previous_flags = int(node.previous.get("Flags", flags))
    return BalanceChange(
        asset=token(low["currency"], peer),
        before=Holding(balance=before, frozen=bool(previous_flags & frozen_by_peer)),
        after=Holding(balance=after, frozen=bool(flags & frozen_by_peer)),
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
