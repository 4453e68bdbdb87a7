"""What one transaction did to the offers on the book.

An offer has at most one node in a transaction's metadata. The difference between its amounts before
and after is what it gave and got, each side on its own: a side that is absent from PreviousFields did
not change.
"""

from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum

import msgspec

from offer_lifecycle.amounts import EXACT, ZERO, amount_field
from offer_lifecycle.transaction import MalformedTransaction, Node, Transaction
from order_events import Amount


def ordered(tx: Transaction) -> tuple[Amount, Amount]:
    """Return what an OfferCreate orders: (TakerGets, TakerPays), what it gives and what it asks.

    Raises:
        MalformedTransaction: naming transaction and field.

    """
    try:
        return amount_field(tx.fields, "TakerGets"), amount_field(tx.fields, "TakerPays")
    except ValueError as error:
        raise MalformedTransaction(f"transaction {tx.hash}: {error}") from error


class Kind(StrEnum):
    """What happened to the entry."""

    CREATED = "created"
    MODIFIED = "modified"
    DELETED = "deleted"


class OfferChange(msgspec.Struct, frozen=True, kw_only=True):
    """One transaction's change to one offer."""

    kind: Kind
    entry: str
    account: str
    sequence: int
    gets_left: Amount
    """TakerGets after it: what the offer still had to give (of a deleted one: what it never gave)."""
    pays_left: Amount
    gave: Decimal
    got: Decimal
    consumed: bool
    """An amount changed: the offer traded."""
    expiration: int | None
    previous_txn_id: str | None


def offer_changes(tx: Transaction) -> Iterator[OfferChange]:
    """Yield the transaction's changes to offers, in the metadata's order (which means nothing).

    Raises:
        MalformedTransaction: naming transaction, node and field.

    """
    for node in tx.nodes:
        if node.entry_type != "Offer" or "Account" not in node.fields:
            continue  # an entry may be modified without FinalFields: then nothing of it is known or changed
        try:
            yield _change(node)
        except (msgspec.ValidationError, ValueError) as error:
            raise MalformedTransaction(f"transaction {tx.hash}: offer {node.index}: {error}") from error


class _Fields(msgspec.Struct, rename="pascal"):
    account: str
    sequence: int
    expiration: int | None = None


def _change(node: Node) -> OfferChange:
    fields = msgspec.convert(node.fields, _Fields)
    gets, pays = amount_field(node.fields, "TakerGets"), amount_field(node.fields, "TakerPays")
    return OfferChange(
        kind=_KINDS[node.kind],
        entry=node.index,
        account=fields.account,
        sequence=fields.sequence,
        gets_left=gets,
        pays_left=pays,
        gave=_given(node, "TakerGets", gets),
        got=_given(node, "TakerPays", pays),
        consumed="TakerGets" in node.previous or "TakerPays" in node.previous,
        expiration=fields.expiration,
        previous_txn_id=node.previous_txn_id,
    )


_KINDS = {"CreatedNode": Kind.CREATED, "ModifiedNode": Kind.MODIFIED, "DeletedNode": Kind.DELETED}


def _given(node: Node, side: str, left: Amount) -> Decimal:
    if side not in node.previous:
        return ZERO
    return EXACT.subtract(amount_field(node.previous, side).value, left.value)
