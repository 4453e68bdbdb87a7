"""Changes of offers: what one transaction did to the offers on the book.

An offer has at most one node in a transaction's metadata. The difference between its amounts before
and after is what it gave and got, each side on its own: a side that is absent from PreviousFields did
not change.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cached_property
from typing import NoReturn

import msgspec

from offer_lifecycle.amounts import EXACT, ZERO, WrittenAmount, asset_of, named_amount
from offer_lifecycle.formats import unknown_entry_fields
from offer_lifecycle.nodes import Kind, Node, UInt32
from offer_lifecycle.transaction import MalformedTransaction, Transaction
from order_events import Amount

OnDamage = Callable[[MalformedTransaction], None]
"""What to do about a node that can't be read; the others go on."""


def raise_damage(damage: MalformedTransaction) -> NoReturn:
    """Take no transaction with a node that can't be read."""
    raise damage


def ordered_amounts(tx: Transaction) -> tuple[Amount, Amount]:
    """Return what an OfferCreate orders: (TakerGets, TakerPays), what it gives and what it asks.

    Raises:
        MalformedTransaction: naming transaction and field.

    """
    try:
        return named_amount("TakerGets", tx.taker_gets), named_amount("TakerPays", tx.taker_pays)
    except ValueError as error:
        raise MalformedTransaction(f"transaction {tx.hash}: {error}") from error


def node_damage(tx: Transaction, node: Node, error: Exception) -> MalformedTransaction:
    """Name the transaction, the node and the field (in `error`) that can't be read."""
    return MalformedTransaction(f"transaction {tx.hash}: {node.entry_type} {node.index}: {error}")


_ABSENT = msgspec.Raw()


class _Fields(msgspec.Struct, rename="pascal", frozen=True, gc=False):
    account: str
    sequence: UInt32
    taker_gets: WrittenAmount
    taker_pays: WrittenAmount
    expiration: UInt32 | None = None
    domain: str | None = msgspec.field(name="DomainID", default=None)
    additional_books: msgspec.Raw = _ABSENT
    previous_txn_id: str | None = msgspec.field(name="PreviousTxnID", default=None)


class _AllFields(_Fields, forbid_unknown_fields=True, frozen=True, gc=False):
    """Every field of an Offer that the kernel knows: any other makes the change unresolved."""

    book_directory: msgspec.Raw = _ABSENT
    book_node: msgspec.Raw = _ABSENT
    entry_type: msgspec.Raw = msgspec.field(name="LedgerEntryType", default=_ABSENT)
    flags: msgspec.Raw = _ABSENT
    owner_node: msgspec.Raw = _ABSENT
    previous_txn_ledger: msgspec.Raw = msgspec.field(name="PreviousTxnLgrSeq", default=_ABSENT)
    sponsor: msgspec.Raw = _ABSENT


class _Previous(msgspec.Struct, rename="pascal", frozen=True, gc=False):
    taker_gets: WrittenAmount | None = None
    taker_pays: WrittenAmount | None = None


class OfferChange(msgspec.Struct, frozen=True, dict=True):
    """One transaction's change to one offer. Its amounts are read once, when they are asked for.

    Each of those raises ValueError, naming the field, for what is no amount; a change out of
    `offer_changes` has been asked already.
    """

    kind: Kind
    entry: str
    account: str
    sequence: int
    _fields: _Fields
    _before: _Previous
    previous_txn_id: str | None
    unknown_fields: tuple[str, ...] = ()
    """Fields of its entry that the kernel does not know: nothing is concluded from such a change."""

    @cached_property
    def gives(self) -> str:
        """The asset of TakerGets."""
        return asset_of(self._fields.taker_gets)

    @cached_property
    def asks(self) -> str:
        """The asset of TakerPays."""
        return asset_of(self._fields.taker_pays)

    @cached_property
    def gets_left(self) -> Amount:
        """TakerGets after it: what the offer still had to give (of a deleted one: what it never gave)."""
        return named_amount("TakerGets", self._fields.taker_gets)

    @cached_property
    def pays_left(self) -> Amount:
        """TakerPays after it."""
        return named_amount("TakerPays", self._fields.taker_pays)

    @cached_property
    def gave(self) -> Decimal:
        """What was taken of TakerGets: drops or decimal tokens."""
        return _given("TakerGets", self._before.taker_gets, self.gets_left)

    @cached_property
    def got(self) -> Decimal:
        """What was paid of TakerPays: drops or decimal tokens."""
        return _given("TakerPays", self._before.taker_pays, self.pays_left)

    @property
    def consumed(self) -> bool:
        """Whether an amount changed: the offer traded."""
        return self._before.taker_gets is not None or self._before.taker_pays is not None

    @property
    def expiration(self) -> int | None:
        """Ripple seconds."""
        return self._fields.expiration

    @property
    def domain(self) -> str | None:
        """DomainID: the permissioned domain whose book it is in."""
        return self._fields.domain

    @property
    def is_hybrid(self) -> bool:
        """Whether it stands in the open book too (AdditionalBooks)."""
        return bool(self._fields.additional_books)


def offer_changes(
    tx: Transaction, account: str | None = None, on_damage: OnDamage = raise_damage
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
            change = offer_change(node)
            if change is not None:
                _ = (change.gave, change.got)  # all its amounts can be read
        except (msgspec.ValidationError, ValueError) as error:
            on_damage(node_damage(tx, node, error))
            continue
        if change is not None and account in {None, change.account}:
            yield change


def offer_change(node: Node) -> OfferChange | None:
    """Read one Offer node; None where it shows no field of the offer, so that nothing of it changed.

    Raises:
        msgspec.ValidationError, ValueError: naming the field.

    """
    if not node.fields:
        node.check_told()
        return None
    unknown: tuple[str, ...] = ()
    try:
        fields: _Fields = _ALL_FIELDS.decode(node.fields)
    except msgspec.ValidationError:
        fields = _FIELDS.decode(node.fields)
        unknown = unknown_entry_fields(node.entry_type, node.fields)
    before = _PREVIOUS.decode(node.previous) if node.previous else _UNCHANGED
    # A deleted entry carries the link inside its last fields
    link = node.previous_txn_id or fields.previous_txn_id
    return OfferChange(node.kind, node.index, fields.account, fields.sequence, fields, before, link, unknown)


_FIELDS, _ALL_FIELDS = msgspec.json.Decoder(_Fields), msgspec.json.Decoder(_AllFields)
_PREVIOUS = msgspec.json.Decoder(_Previous)
_UNCHANGED = _Previous()


def _given(name: str, before: WrittenAmount | None, left: Amount) -> Decimal:
    if before is None:
        return ZERO
    was = named_amount(name, before)
    if was.asset != left.asset or not 0 <= left.value <= was.value:
        # An offer that never trades may well be of negative amounts: the ledger of 2013 holds such
        raise ValueError(
            f"{name}: expected 0 to {was.value} of {was.asset}, found {left.value} of {left.asset}"
        )
    return EXACT.subtract(was.value, left.value)
