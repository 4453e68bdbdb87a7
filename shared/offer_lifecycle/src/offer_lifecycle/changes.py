"""What one transaction did to the offers on the book.

An offer has at most one node in a transaction's metadata. The difference between its amounts before
and after is what it gave and got, each side on its own: a side that is absent from PreviousFields did
not change.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import NoReturn

import msgspec

from offer_lifecycle.amounts import EXACT, ZERO, WrittenAmount, named_amount
from offer_lifecycle.transaction import Kind, MalformedTransaction, Node, Transaction
from order_events import Amount

OnDamage = Callable[[MalformedTransaction], None]
"""What to do about a node that can't be read; the others go on."""


def refuse(damage: MalformedTransaction) -> NoReturn:
    """Take no transaction with a node that can't be read."""
    raise damage


def ordered(tx: Transaction) -> tuple[Amount, Amount]:
    """Return what an OfferCreate orders: (TakerGets, TakerPays), what it gives and what it asks.

    Raises:
        ValueError: if it is another kind of transaction.

    """
    if tx.gets is None or tx.pays is None:
        raise ValueError(f"transaction {tx.hash}: expected an OfferCreate, found {tx.type}")
    return tx.gets, tx.pays


class OfferChange(msgspec.Struct, frozen=True, kw_only=True, gc=False):
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
    domain: str | None
    """DomainID: the permissioned domain whose book it is in."""
    previous_txn_id: str | None


def offer_changes(
    tx: Transaction, account: str | None = None, on_damage: OnDamage = refuse
) -> Iterator[OfferChange]:
    """Yield the transaction's changes to offers (of one account), in the metadata's order.

    A node that can't be read goes to `on_damage` as MalformedTransaction (transaction, node and field);
    by default that is raised.
    """
    owner = None if account is None else account.encode()
    for node in tx.offers:
        if owner is not None and owner not in bytes(node.fields):
            continue
        try:
            change = _change(node)
        except (msgspec.ValidationError, ValueError) as error:
            on_damage(MalformedTransaction(f"transaction {tx.hash}: Offer {node.index}: {error}"))
            continue
        if change is not None and account in {None, change.account}:
            yield change


class _Fields(msgspec.Struct, rename="pascal", gc=False):
    account: str | None = None
    sequence: int | None = None
    taker_gets: WrittenAmount | None = None
    taker_pays: WrittenAmount | None = None
    expiration: int | None = None
    domain: str | None = msgspec.field(name="DomainID", default=None)
    previous_txn_id: str | None = msgspec.field(name="PreviousTxnID", default=None)


class _Previous(msgspec.Struct, rename="pascal", gc=False):
    taker_gets: WrittenAmount | None = None
    taker_pays: WrittenAmount | None = None


_FIELDS = msgspec.json.Decoder(_Fields)
_PREVIOUS = msgspec.json.Decoder(_Previous)
_UNCHANGED = _Previous()


def _change(node: Node) -> OfferChange | None:
    if not node.fields:
        return None  # an entry may be modified without FinalFields: then nothing of it is known or changed
    fields = _FIELDS.decode(node.fields)
    if fields.account is None or fields.sequence is None:
        raise ValueError("expected Account and Sequence, found no such fields")
    before = _PREVIOUS.decode(node.previous) if node.previous else _UNCHANGED
    gets, pays = named_amount("TakerGets", fields.taker_gets), named_amount("TakerPays", fields.taker_pays)
    return OfferChange(
        kind=node.kind,
        entry=node.index,
        account=fields.account,
        sequence=fields.sequence,
        gets_left=gets,
        pays_left=pays,
        gave=_given("TakerGets", before.taker_gets, gets),
        got=_given("TakerPays", before.taker_pays, pays),
        consumed=before.taker_gets is not None or before.taker_pays is not None,
        expiration=fields.expiration,
        domain=fields.domain,
        # A deleted entry carries the link inside its last fields
        previous_txn_id=node.previous_txn_id or fields.previous_txn_id,
    )


def _given(name: str, before: WrittenAmount | None, left: Amount) -> Decimal:
    if before is None:
        return ZERO
    given = EXACT.subtract(named_amount(name, before).value, left.value)
    if given < 0:
        raise ValueError(f"{name}: expected no more than before, found {left.value} after {before}")
    return given
