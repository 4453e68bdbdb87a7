"""Changes of offers: what one transaction did to the offers on the book.

An offer has at most one node in a transaction's metadata. The difference between its amounts before
and after is what it gave and got, each side on its own: a side that is absent from PreviousFields did
not change.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import NoReturn

import msgspec

from offer_lifecycle.amounts import EXACT, ZERO, WrittenAmount, named_amount
from offer_lifecycle.computed_once import computed_once
from offer_lifecycle.entries import EntryReader
from offer_lifecycle.nodes import ABSENT, OFFER, Kind, Node, UInt32
from offer_lifecycle.transaction import MalformedTransaction, Transaction
from order_events import Amount

OnDamage = Callable[[MalformedTransaction], None]
"""What to do about a node that can't be read; the others go on."""


def raise_damage(damage: MalformedTransaction) -> NoReturn:
    """Take no transaction with a node that can't be read."""
    raise damage


@computed_once
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


class _Fields(msgspec.Struct, rename="pascal", frozen=True, gc=False):
    account: str
    sequence: UInt32
    taker_gets: WrittenAmount
    taker_pays: WrittenAmount
    expiration: UInt32 | None = None
    domain: str | None = msgspec.field(name="DomainID", default=None)
    additional_books: msgspec.Raw = ABSENT
    previous_txn_id: str | None = msgspec.field(name="PreviousTxnID", default=None)


class _Previous(msgspec.Struct, rename="pascal", frozen=True, gc=False):
    taker_gets: WrittenAmount | None = None
    taker_pays: WrittenAmount | None = None


class OfferChange(msgspec.Struct, frozen=True, kw_only=True):
    """One transaction's change to one offer."""

    kind: Kind
    entry: str
    account: str
    sequence: int
    gets_left: Amount
    """TakerGets after it: what the offer still had to give (of a deleted one: what it never gave)."""
    pays_left: Amount
    """TakerPays after it."""
    consumed: bool
    """Whether an amount changed: the offer traded."""
    gave: Decimal
    """What was taken of TakerGets: drops or decimal tokens."""
    got: Decimal
    """What was paid of TakerPays: drops or decimal tokens."""
    expiration: int | None
    """Ripple seconds."""
    domain: str | None
    """DomainID: the permissioned domain whose book it is in."""
    is_hybrid: bool
    """Whether it stands in the open book too (AdditionalBooks)."""
    previous_txn_id: str | None
    unknown_fields: tuple[str, ...] = ()
    """Fields of its entry that the kernel does not know: nothing is concluded from such a change."""

    @property
    def gives(self) -> str:
        """The asset of TakerGets."""
        return self.gets_left.asset

    @property
    def asks(self) -> str:
        """The asset of TakerPays."""
        return self.pays_left.asset

    @property
    def used_up(self) -> bool:
        """Whether the offer traded until nothing was left on one side."""
        # The other side may keep dust that this one can no longer pay for
        return self.consumed and not (self.gets_left.value and self.pays_left.value)


def offer_changes(
    tx: Transaction, account: str | None = None, on_damage: OnDamage = raise_damage
) -> Iterator[OfferChange]:
    """Yield the transaction's changes to offers (of one account), in the metadata's order.

    A node that can't be read goes to `on_damage` as MalformedTransaction (transaction, node and field);
    by default that is raised. With an account, it does so only if it names the account.
    """
    name = None if account is None else account.encode()
    for node, change in _changes(tx):
        if isinstance(change, MalformedTransaction):
            if name is None or node.names(name):
                on_damage(change)
        elif change is not None and account in {None, change.account}:
            yield change


@computed_once
def _changes(tx: Transaction) -> list[tuple[Node, OfferChange | MalformedTransaction | None]]:
    """Return the offers' nodes with what each shows, read once for all accounts."""
    found: list[tuple[Node, OfferChange | MalformedTransaction | None]] = []
    for node in tx.offers:
        try:
            found.append((node, offer_change(node)))
        except ValueError as error:
            found.append((node, node_damage(tx, node, error)))
    return found


def offer_change(node: Node) -> OfferChange | None:
    """Read one Offer node; None where it shows no field of the offer, so that nothing of it changed.

    Raises:
        ValueError: naming the field.

    """
    if not node.fields:
        node.check_told()
        return None
    fields = _FIELDS.read(node.fields)
    before = _PREVIOUS.decode(node.previous) if node.previous else _UNCHANGED
    gets_left = named_amount("TakerGets", fields.taker_gets)
    pays_left = named_amount("TakerPays", fields.taker_pays)
    return OfferChange(
        kind=node.kind,
        entry=node.index,
        account=fields.account,
        sequence=fields.sequence,
        gets_left=gets_left,
        pays_left=pays_left,
        consumed=before.taker_gets is not None or before.taker_pays is not None,
        gave=ZERO if before.taker_gets is None else _given("TakerGets", before.taker_gets, gets_left),
        got=ZERO if before.taker_pays is None else _given("TakerPays", before.taker_pays, pays_left),
        expiration=fields.expiration,
        domain=fields.domain,
        is_hybrid=bool(fields.additional_books),
        # A deleted entry carries the link inside its last fields
        previous_txn_id=node.previous_txn_id or fields.previous_txn_id,
        unknown_fields=_FIELDS.unknown_fields(fields, node.fields),
    )


_FIELDS = EntryReader(OFFER, _Fields)
_PREVIOUS = msgspec.json.Decoder(_Previous)
_UNCHANGED = _Previous()


def _given(name: str, before: WrittenAmount, left: Amount) -> Decimal:
    was = named_amount(name, before)
    if was.asset != left.asset or not 0 <= left.value <= was.value:
        # An offer that never trades may well be of negative amounts: the ledger of 2013 holds such
        raise ValueError(
            f"{name}: expected 0 to {was.value} of {was.asset}, found {left.value} of {left.asset}"
        )
    return EXACT.subtract(was.value, left.value)
