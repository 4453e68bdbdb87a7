"""One validated transaction with its metadata, in one shape for all that servers write.

Servers write the same transaction in several shapes: api_version 1 (`tx`, or the fields on top, with
`meta` or `metaData`), api_version 2 (`tx_json` with the hash beside it) and the stream (`transaction`
or `tx_json`). They become one shape here, once, at the edge. Most of a transaction is entries that
nobody asks for (directories, other people's trust lines): what a node holds is decoded only on demand.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from functools import cached_property
from itertools import chain
from typing import Annotated, Any, ClassVar

import msgspec

from offer_lifecycle.amounts import WrittenAmount, value_of
from offer_lifecycle.formats import unknown_order_fields

RIPPLE_EPOCH = 946_684_800
"""2000-01-01T00:00:00Z in Unix seconds: the ledger counts its seconds from there."""

BALANCES = frozenset({"AccountRoot", "RippleState", "MPToken", "MPTokenIssuance"})
"""The types of ledger entries that hold an account's balances (LedgerEntryType)."""
SPONSOR_PAYS_FEE = 0x0000_0001
"""spfSponsorFee, of SponsorFlags."""


UInt32 = Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
"""Sequences, times, flags and counts, as the ledger holds them."""

HashText = Annotated[str, msgspec.Meta(max_length=64)]
"""A hash of 32 bytes in hexadecimal."""

_ABSENT = msgspec.Raw()
_NOTHING_CHANGED = {b"", b"{}"}


class MalformedTransaction(ValueError):
    """A record that is no validated transaction: says the transaction, the node and the field."""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What a validated ledger's header says; times in seconds since the ripple epoch."""

    ledger_index: UInt32
    ledger_hash: HashText
    parent_hash: HashText
    close_time: UInt32
    parent_close_time: UInt32


class Reserves(msgspec.Struct, frozen=True, kw_only=True):
    """What an account must keep, in drops: `base`, and `increment` for each object that it owns."""

    base: int
    increment: int


class Kind(StrEnum):
    """What happened to an entry."""

    CREATED = "created"
    MODIFIED = "modified"
    DELETED = "deleted"


class Node(msgspec.Struct, frozen=True, gc=False):
    """One entry of `AffectedNodes`: what the transaction did to one ledger entry."""

    kind: ClassVar[Kind]
    entry_type: str = msgspec.field(name="LedgerEntryType")
    index: str = msgspec.field(name="LedgerIndex")
    fields: msgspec.Raw = msgspec.field(name="FinalFields", default=_ABSENT)
    """NewFields of a created entry, FinalFields of any other (empty where absent)."""
    previous: msgspec.Raw = msgspec.field(name="PreviousFields", default=_ABSENT)
    """PreviousFields: what changed, as it was; a field that is absent did not change."""
    previous_txn_id: str | None = msgspec.field(name="PreviousTxnID", default=None)
    """The transaction that touched the entry before this one, where it stands beside the fields."""

    def check_told(self) -> None:
        """Let a node without fields pass only if nothing of its entry changed but the link to the past.

        Raises:
            ValueError: naming the field.

        """
        if self.kind is not Kind.MODIFIED or bytes(self.previous) not in _NOTHING_CHANGED:
            name = "NewFields" if self.kind is Kind.CREATED else "FinalFields"
            raise ValueError(f"{name}: expected the entry's fields, found none")


class _Created(Node, frozen=True, gc=False):
    kind = Kind.CREATED
    fields: msgspec.Raw = msgspec.field(name="NewFields", default=_ABSENT)


class _Modified(Node, frozen=True, gc=False):
    kind = Kind.MODIFIED


class _Deleted(Node, frozen=True, gc=False):
    kind = Kind.DELETED


class InnerTransaction(msgspec.Struct, frozen=True, kw_only=True):
    """One of a Batch's RawTransactions: what the Batch was to do. Applied, it is a transaction of its own."""

    type: str
    account: str
    sequence: int
    """Its Sequence, or its TicketSequence where it uses a ticket."""
    offer_sequence: int | None = None
    """OfferSequence: the offer that it was to cancel or replace."""


class Transaction(msgspec.Struct, frozen=True, kw_only=True, eq=False, dict=True):
    """A validated transaction."""

    hash: str
    ledger_index: int
    index: int
    """TransactionIndex: its place in the ledger."""
    type: str
    account: str
    sequence: int
    """Its Sequence, or its TicketSequence where a ticket was used."""
    result: str
    fee: int
    """Drops: see `fees.fee_paid_by`."""
    flags: int
    expiration: int | None
    """Of an OfferCreate, in ripple seconds."""
    offer_sequence: int | None
    """OfferSequence: the offer that it cancels or replaces."""
    taker_gets: WrittenAmount | None
    """Of an OfferCreate, as written: see `changes.ordered`."""
    taker_pays: WrittenAmount | None
    destination: str | None
    """Of a Payment."""
    delegate: str | None
    """The account that signed it in the account's place."""
    sponsor: str | None = None
    """The account that pays its fee, or the reserve of what it creates (see `sponsor_flags`)."""
    sponsor_flags: int = 0
    domain: str | None = None
    """DomainID: the permissioned domain whose book it walks; None: the open book."""
    parent_batch: str | None = None
    """ParentBatchID: the Batch of which it is an inner transaction."""
    inner: tuple[InnerTransaction, ...] = ()
    """RawTransactions of a Batch."""
    affected: "list[_Wrapper]"
    """AffectedNodes, in the metadata's order (which means nothing)."""
    damaged: tuple[str, ...] = ()
    """The nodes that are broken in themselves, each with its place and what was found: see `unread`."""
    order_record: bytes | msgspec.Raw = b""
    """Of an OfferCreate: its record as a server wrote it, whatever the shape (see `unknown_fields`)."""

    def __eq__(self, other: object) -> bool:
        """Compare all but the record, which is written otherwise by other servers."""
        if not isinstance(other, Transaction):
            return NotImplemented
        names = (name for name in self.__struct_fields__ if name != "order_record")
        return all(getattr(self, name) == getattr(other, name) for name in names)

    def __hash__(self) -> int:
        """Return the hash of what names it."""
        return hash(self.hash)

    @property
    def unknown_fields(self) -> tuple[str, ...]:
        """Fields of an OfferCreate that the kernel does not know; looked for only when they are asked for."""
        return unknown_order_fields(self.order_record) if self.order_record else ()

    @cached_property
    def nodes(self) -> list[Node]:
        """The entries that it touched."""
        nodes = [one.modified or one.deleted or one.created for one in self.affected]
        return [node for node in nodes if node is not None]

    @cached_property
    def offers(self) -> list[Node]:
        """The offers that it touched."""
        return [node for node in self.nodes if node.entry_type == "Offer"]

    @cached_property
    def balances(self) -> list[Node]:
        """The accounts, trust lines, MPTs and MPT issuances that it touched."""
        return [node for node in self.nodes if node.entry_type in BALANCES]

    def unread(self) -> Iterator[str]:
        """Yield the nodes that could not be read at all, each with its place and what was found."""
        yield from self.damaged
        if len(self.nodes) == len(self.affected):
            return
        for place, one in enumerate(self.affected):
            if not (one.modified or one.deleted or one.created):
                yield f"AffectedNodes[{place}]: expected ModifiedNode, DeletedNode or CreatedNode, found none"

    def touches(self, account: str) -> bool:
        """Whether it is the account's own or was to do something for it, or changed an entry of it."""
        if account == self.account or any(account == one.account for one in self.inner):
            return True
        name = account.encode()
        return any(name in bytes(node.fields) for node in chain(self.balances, self.offers))


def sort_transactions(transactions: Iterable[Transaction]) -> tuple[Transaction, ...]:
    """Return each transaction once, as the ledgers applied them: by ledger and TransactionIndex."""
    once = {tx.hash: tx for tx in transactions}
    return tuple(sorted(once.values(), key=lambda tx: (tx.ledger_index, tx.index)))


def read_transaction(
    record: Mapping[str, Any] | bytes | msgspec.Raw, *, ledger_index: int | None = None
) -> Transaction:
    """Read a transaction in any of the servers' shapes.

    `ledger_index` is needed where the record does not say it itself (inside an expanded `ledger`).
    A node that can't be read does not stop the others: it is named in `damaged`.

    Raises:
        MalformedTransaction: if a part is missing or of the wrong kind.

    """
    written: bytes | msgspec.Raw = b""
    damaged: list[str] = []
    try:
        written = record if isinstance(record, bytes | msgspec.Raw) else msgspec.json.encode(record)
        try:
            read = _RECORD.decode(written)
        except msgspec.ValidationError:
            read = _without_damaged_nodes(written, damaged)
        return read.transaction(ledger_index, tuple(damaged), written)
    except (msgspec.DecodeError, RecursionError, OverflowError, TypeError, ValueError) as error:
        raise MalformedTransaction(
            f"transaction {_name(written)}: expected a validated transaction with its metadata, "
            f"found: {error}"
        ) from error


def _inner(raw: "_Raw") -> InnerTransaction:
    return InnerTransaction(
        type=raw.transaction_type,
        account=raw.account,
        sequence=raw.ticket_sequence or raw.sequence,
        offer_sequence=raw.offer_sequence,
    )


class _Raw(msgspec.Struct, rename="pascal", gc=False):
    transaction_type: str
    account: str
    sequence: UInt32
    ticket_sequence: UInt32 | None = None
    offer_sequence: UInt32 | None = None


class _RawWrapper(msgspec.Struct, gc=False):
    raw: _Raw = msgspec.field(name="RawTransaction")


class _Body(msgspec.Struct, rename="pascal", gc=False):
    """The transaction's own fields; all optional, as they may stand on top of the record or inside."""

    transaction_type: str | None = None
    account: str | None = None
    sequence: UInt32 | None = None
    fee: str | None = None
    ticket_sequence: UInt32 | None = None
    flags: UInt32 = 0
    expiration: UInt32 | None = None
    offer_sequence: UInt32 | None = None
    taker_gets: WrittenAmount | None = None
    taker_pays: WrittenAmount | None = None
    destination: str | None = None
    delegate: str | None = None
    sponsor: str | None = None
    sponsor_flags: UInt32 = 0
    domain: str | None = msgspec.field(name="DomainID", default=None)
    raw_transactions: list[_RawWrapper] = []
    hash: str | None = msgspec.field(name="hash", default=None)
    ledger_index: int | str | None = msgspec.field(name="ledger_index", default=None)


class _Wrapper(msgspec.Struct, gc=False):
    modified: _Modified | None = msgspec.field(name="ModifiedNode", default=None)
    deleted: _Deleted | None = msgspec.field(name="DeletedNode", default=None)
    created: _Created | None = msgspec.field(name="CreatedNode", default=None)


class _Meta(msgspec.Struct, rename="pascal", gc=False):
    transaction_index: UInt32
    transaction_result: str
    affected_nodes: list[_Wrapper]
    parent_batch: str | None = msgspec.field(name="ParentBatchID", default=None)


class TransactionRecord(_Body, gc=False):
    """A transaction as a server wrote it, in any of its shapes: what an answer is decoded into."""

    tx_json: msgspec.Raw = msgspec.field(name="tx_json", default=_ABSENT)
    tx: _Body | None = msgspec.field(name="tx", default=None)
    transaction_: _Body | None = msgspec.field(name="transaction", default=None)
    meta: _Meta | None = msgspec.field(name="meta", default=None)
    meta_data: _Meta | None = msgspec.field(name="metaData", default=None)

    def transaction(
        self,
        ledger_index: int | None = None,
        damaged: tuple[str, ...] = (),
        written: bytes | msgspec.Raw = b"",
    ) -> Transaction:
        """Return the transaction; `ledger_index` where the record does not say it itself.

        `written` is the record as the server wrote it: an order without `tx_json` stands in it.

        Raises:
            ValueError: if a part is missing.

        """
        body = self._body()
        meta = self.meta or self.meta_data
        name = self.hash or body.hash
        if meta is None or name is None or body.account is None or body.transaction_type is None:
            raise ValueError("no metadata, hash, Account or TransactionType")
        if body.sequence is None or body.fee is None:
            raise ValueError("no Sequence or Fee")
        return Transaction(
            hash=name,
            ledger_index=int(self.ledger_index or body.ledger_index or ledger_index or 0),
            index=meta.transaction_index,
            type=body.transaction_type,
            account=body.account,
            sequence=body.ticket_sequence or body.sequence,
            result=meta.transaction_result,
            fee=int(value_of(body.fee)),
            flags=body.flags,
            expiration=body.expiration,
            offer_sequence=body.offer_sequence,
            taker_gets=body.taker_gets,
            taker_pays=body.taker_pays,
            destination=body.destination,
            delegate=body.delegate,
            sponsor=body.sponsor,
            sponsor_flags=body.sponsor_flags,
            domain=body.domain,
            parent_batch=meta.parent_batch,
            inner=tuple([_inner(one.raw) for one in body.raw_transactions]),
            affected=meta.affected_nodes,
            damaged=damaged,
            order_record=(self.tx_json or written) if body.transaction_type == "OfferCreate" else b"",
        )

    def _body(self) -> _Body:
        if not self.tx_json:
            return self.tx or self.transaction_ or self
        try:
            return _BODY.decode(self.tx_json)
        except msgspec.ValidationError as error:
            raise ValueError(f"tx_json: {error}") from error


_BODY, _RECORD = msgspec.json.Decoder(_Body), msgspec.json.Decoder(TransactionRecord)
_WRAPPER = msgspec.json.Decoder(_Wrapper)


def _without_damaged_nodes(written: bytes | msgspec.Raw, damaged: list[str]) -> "TransactionRecord":
    """Read the record node by node, leaving out those that can't be read: they go to `damaged`."""
    parts = msgspec.json.decode(written, type=dict[str, msgspec.Raw])
    for name in ("meta", "metaData"):
        if name not in parts:
            continue
        meta = msgspec.json.decode(parts[name], type=dict[str, msgspec.Raw])
        sound = []
        affected = msgspec.json.decode(meta.get("AffectedNodes", _ABSENT), type=list[msgspec.Raw])
        for place, wrapper in enumerate(affected):
            try:
                _WRAPPER.decode(wrapper)
                sound.append(wrapper)
            except msgspec.ValidationError as error:
                damaged.append(f"AffectedNodes[{place}]: {error}")
        parts[name] = msgspec.Raw(msgspec.json.encode({**meta, "AffectedNodes": sound}))
    return _RECORD.decode(msgspec.json.encode(parts))


def _name(written: bytes | msgspec.Raw) -> str | None:
    """Return the hash of a record of which perhaps nothing else can be read."""
    try:
        parts = msgspec.json.decode(written, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    for part in (parts, *(parts.get(key) for key in ("tx_json", "tx", "transaction"))):
        if isinstance(part, dict) and isinstance(part.get("hash"), str):
            return str(part["hash"])
    return None
