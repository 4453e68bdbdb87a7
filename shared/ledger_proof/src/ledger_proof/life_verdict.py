"""What the kernel says of an order from the proven transactions alone."""

from collections.abc import Mapping, Sequence
from itertools import groupby

import msgspec

from ledger_proof.header import LedgerHeader
from ledger_proof.life_document import LifeProof
from ledger_proof.whole_ledger import kernel_header
from offer_lifecycle import (
    LedgerFacts,
    Order,
    Reserves,
    Transaction,
    adopt_without_snapshot,
    fold_ledger,
)
from order_events import OrderEvent

_RESERVES = (
    (685_411_200, Reserves(base=20_000_000, increment=5_000_000)),
    (786_412_800, Reserves(base=10_000_000, increment=2_000_000)),
)
"""Mainnet's reserves in drops, by the ledger's close time: until September 2021, until December 2024.

They are no part of a proof, as they stand in the ledger's state. Only the cause of an end hangs on them,
never a fill.
"""
_RESERVES_NOW = Reserves(base=1_000_000, increment=200_000)


class OrderVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """The order after its last proven step, and its events, as the kernel tells them."""

    order: Order | None
    """None: the transaction that used the sequence placed no order."""
    events: tuple[OrderEvent, ...]
    reserves: Reserves
    """By which it was judged: they are the one thing that is taken on trust."""


def judge_life(
    proof: LifeProof,
    transactions: Sequence[Transaction],
    headers: Mapping[int, LedgerHeader],
    anchor: LedgerHeader,
    reserves: Reserves | None,
) -> OrderVerdict:
    """Fold the proven transactions of an order, by ledger, and then time up to the anchor's close.

    `reserves`: the network's; None: mainnet's of the time.
    """
    first = headers[transactions[0].ledger_index]
    before = msgspec.structs.replace(first, ledger_index=first.ledger_index - 1)
    state = adopt_without_snapshot(network_id=0, account=proof.account, header=kernel_header(before))
    used = reserves or reserves_at(first.close_time)
    order: Order | None = None
    events: list[OrderEvent] = []
    ledgers = [
        (headers[index], tuple(group))
        for index, group in groupby(transactions, key=lambda transaction: transaction.ledger_index)
    ]
    if anchor.ledger_index > ledgers[-1][0].ledger_index:
        ledgers.append((anchor, ()))
    for header, group in ledgers:
        used = reserves or reserves_at(header.close_time)
        facts = LedgerFacts(header=kernel_header(header), reserves=used, transactions=group)
        outcome = fold_ledger(state, facts)
        events += [event for event in outcome.events if getattr(event, "sequence", None) == proof.sequence]
        order = outcome.changed.get(proof.sequence, order)
        state.apply(outcome)
    return OrderVerdict(order=order, events=tuple(events), reserves=used)


def reserves_at(close_time: int) -> Reserves:
    """Return mainnet's reserves when a ledger closed (ripple seconds)."""
    return next((amounts for until, amounts in _RESERVES if close_time < until), _RESERVES_NOW)
