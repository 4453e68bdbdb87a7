"""Who was on the other side of a trade, as far as the transaction's metadata shows it.

Of a transaction that took a resting order: who sent it (of a Payment, whom it paid too), and on a path of
several steps the offers and pools next to the order. Of an order that took others at once: the owners of
those offers, and the pools. Other makers on the order's own side are no counterparties.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec

from offer_lifecycle import (
    ZERO,
    MalformedTransaction,
    OfferChange,
    Transaction,
    balance_changes,
    offer_changes,
    pool_accounts,
)


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """One account on the other side."""

    account: str
    role: Literal["taker", "sender", "destination", "offer", "amm"]
    """Who sent the OfferCreate, the Payment; whom the Payment paid; whose offer or pool it was."""
    sequence: int | None = None
    """Of an offer: its order's sequence."""


def counterparties(tx: Transaction, account: str, sequence: int, gives: str, asks: str) -> tuple[Party, ...]:
    """Return who traded with the order in a transaction in which it gave `gives` and got `asks` (assets)."""
    placement = tx.account == account and tx.sequence == sequence
    found = [] if placement else list(_senders(tx))
    found += _offers(tx, (account, sequence), gives, asks)
    found += _pools(tx, gives, asks)
    return tuple(dict.fromkeys(found))


def _senders(tx: Transaction) -> Iterator[Party]:
    if tx.type != "Payment":
        yield Party(account=tx.account, role="taker")
        return
    yield Party(account=tx.account, role="sender")
    if tx.destination is not None and tx.destination != tx.account:
        yield Party(account=tx.destination, role="destination")


def _offers(tx: Transaction, order: tuple[str, int], gives: str, asks: str) -> Iterator[Party]:
    # One of its owner's other orders may be among them: a bridge through XRP can lead over both
    readable = offer_changes(tx, on_damage=_left_out)
    for owner, sequence in sorted(
        (change.account, change.sequence)
        for change in readable
        if change.consumed and _opposite(change, gives, asks)
    ):
        if (owner, sequence) != order:
            yield Party(account=owner, role="offer", sequence=sequence)


def _opposite(change: OfferChange, gives: str, asks: str) -> bool:
    return change.gives == asks or change.asks == gives


def _pools(tx: Transaction, gives: str, asks: str) -> Iterator[Party]:
    try:
        accounts = pool_accounts(tx)
    except MalformedTransaction:
        return
    for pool in accounts:
        moved = {change.asset: change.delta for change in balance_changes(tx, pool, on_damage=_left_out)}
        if moved.get(gives, ZERO) > 0 or moved.get(asks, ZERO) < 0:
            yield Party(account=pool, role="amm")


def _left_out(_: MalformedTransaction) -> None:
    """Name nobody by a node that can't be read."""
