"""What shows the cause of an order's end: the nodes and fields of metadata, and the ledger before."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from console.explain.life import Life
from offer_lifecycle import XRP, Node, OfferChange, Order, StateAnswer, Transaction, issuer_of, offer_changes
from order_events import RemovalReason

NEEDS_FUNDS = frozenset({RemovalReason.UNFUNDED, RemovalReason.TINY, RemovalReason.UNEXPLAINED})
"""Ends for which the owner's reserve and balances count."""


class EvidenceNode(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of a transaction's metadata that shows the cause, as the ledger wrote it."""

    transaction: str
    """Its hash: the one that ended the order, or the one that left its owner nothing to give."""
    kind: str
    """`CreatedNode`, `ModifiedNode` or `DeletedNode`."""
    entry_type: str
    index: str
    fields: dict[str, Any]
    """FinalFields (of a created entry: NewFields)."""
    previous_fields: dict[str, Any]


class EvidenceState(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the ledger before, which was asked for because the metadata left the cause open."""

    ledger_index: int
    entry: dict[str, Any]
    why: str
    fields: dict[str, Any] | None
    """null: the ledger had no such entry."""


def nodes(order: Order, life: Life, since: Transaction | None) -> Iterator[EvidenceNode]:
    """Yield the nodes that show the end: the order's entry, and the owner's balances where they count.

    `since`: the transaction that left the owner nothing to give, which may be an earlier one.
    """
    ending = next((touch.tx for touch in life.touches if touch.tx.hash == order.removed_by), None)
    if ending is None:
        return
    change = change_to(order, ending)
    if change is None:  # it never rested: what it traded at once shows in balances alone
        yield from _balances(ending, order.account, order.gets.asset, order.pays.asset)
        return
    yield from (_evidence(ending, node) for node in ending.offers if node.index == change.entry)
    if order.removal_reason in NEEDS_FUNDS:
        yield from _balances(ending, order.account, order.gets.asset)
    if since is not None and since.hash != ending.hash:
        yield from _balances(since, order.account, order.gets.asset)


def states(answers: Iterable[StateAnswer]) -> Iterator[EvidenceState]:
    """Yield what the node said of the ledger before."""
    for answer in answers:
        yield EvidenceState(
            ledger_index=answer.request.ledger_index,
            entry=answer.request.entry,
            why=answer.request.why,
            fields=None if answer.fields is None else dict(answer.fields),
        )


def change_to(order: Order, tx: Transaction) -> OfferChange | None:
    """Return what the transaction did to the order's entry; None: nothing, or nothing that can be read."""
    readable = offer_changes(tx, order.account, on_damage=lambda _: None)
    return next((change for change in readable if change.sequence == order.sequence), None)


def _balances(tx: Transaction, account: str, *assets: str) -> Iterator[EvidenceNode]:
    for node in tx.balances:
        if any(_holds(node, account, asset) for asset in assets):
            yield _evidence(tx, node)


def _holds(node: Node, account: str, asset: str) -> bool:
    """Whether the entry is the account's balance of the asset."""
    names = [account] if asset == XRP else [account, issuer_of(asset) or "", asset.partition(".")[0]]
    entry_type = "AccountRoot" if asset == XRP else "RippleState"
    written = bytes(node.fields)
    return node.entry_type == entry_type and all(f'"{name}"'.encode() in written for name in names)


def _evidence(tx: Transaction, node: Node) -> EvidenceNode:
    return EvidenceNode(
        transaction=tx.hash,
        kind=f"{node.kind.title()}Node",
        entry_type=node.entry_type,
        index=node.index,
        fields=msgspec.json.decode(node.fields or b"{}"),
        previous_fields=msgspec.json.decode(node.previous or b"{}"),
    )
