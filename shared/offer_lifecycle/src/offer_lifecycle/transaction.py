"""One validated transaction with its metadata, whichever way the server wrote it.

Servers write the same transaction in several shapes: api_version 1 (`tx`, or the fields on top, with
`meta` or `metaData`), api_version 2 (`tx_json` with the hash beside it) and the stream (`transaction`
or `tx_json`). They become one shape here, once, at the edge.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

RIPPLE_EPOCH = 946_684_800
"""2000-01-01T00:00:00Z in Unix seconds: the ledger counts its seconds from there."""

NodeKind = Literal["CreatedNode", "ModifiedNode", "DeletedNode"]
Fields = Mapping[str, Any]


class MalformedTransaction(ValueError):
    """A record that is no validated transaction: says the transaction, the node and the field."""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What a validated ledger's header says; times in seconds since the ripple epoch."""

    ledger_index: int
    ledger_hash: str
    parent_hash: str
    close_time: int
    parent_close_time: int


class Reserves(msgspec.Struct, frozen=True, kw_only=True):
    """What an account must keep, in drops: `base`, and `increment` for each object that it owns."""

    base: int
    increment: int


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of `AffectedNodes`: what the transaction did to one ledger entry."""

    kind: NodeKind
    entry_type: str
    index: str
    fields: Fields
    """NewFields of a created entry, FinalFields of any other (empty where absent)."""
    previous: Fields
    """PreviousFields: what changed, as it was; a field that is absent did not change."""
    previous_txn_id: str | None
    """The transaction that touched the entry before this one."""


class Transaction(msgspec.Struct, frozen=True, kw_only=True):
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
    """Drops, paid by `account`."""
    flags: int
    expiration: int | None
    """Of an OfferCreate, in ripple seconds."""
    offer_sequence: int | None
    """OfferSequence: the offer that it cancels or replaces."""
    fields: Fields
    nodes: tuple[Node, ...]


class LedgerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One validated ledger, as far as one account is concerned."""

    header: Header
    reserves: Reserves
    transactions: tuple[Transaction, ...]
    """Those that touch the account, by TransactionIndex; others do no harm."""


def normalise(record: Mapping[str, Any], *, ledger_index: int | None = None) -> Transaction:
    """Read a transaction in any of the servers' shapes.

    `ledger_index` is needed where the record does not say it itself (inside an expanded `ledger`).

    Raises:
        MalformedTransaction: if a part is missing or of the wrong kind.

    """
    raw = record.get("tx_json") or record.get("tx") or record.get("transaction") or record
    name = record.get("hash") or raw.get("hash")
    try:
        body = msgspec.convert(raw, _Body)
        meta = msgspec.convert(record.get("meta") or record.get("metaData"), _Meta)
        return Transaction(
            hash=msgspec.convert(name, str),
            ledger_index=int(record.get("ledger_index") or raw.get("ledger_index") or ledger_index or 0),
            index=meta.transaction_index,
            type=body.transaction_type,
            account=body.account,
            sequence=body.ticket_sequence or body.sequence,
            result=meta.transaction_result,
            fee=int(body.fee),
            flags=body.flags,
            expiration=body.expiration,
            offer_sequence=body.offer_sequence,
            fields=raw,
            nodes=tuple(_nodes(meta.affected_nodes)),
        )
    except (msgspec.ValidationError, TypeError, ValueError, AttributeError) as error:
        raise MalformedTransaction(
            f"transaction {name}: expected a validated transaction with its metadata, found: {error}"
        ) from error


class _Body(msgspec.Struct, rename="pascal"):
    transaction_type: str
    account: str
    sequence: int
    fee: str
    ticket_sequence: int | None = None
    flags: int = 0
    expiration: int | None = None
    offer_sequence: int | None = None


class _Meta(msgspec.Struct, rename="pascal"):
    transaction_index: int
    transaction_result: str
    affected_nodes: list[dict[NodeKind, "_Entry"]]


class _Entry(msgspec.Struct, rename={"previous_txn_id": "PreviousTxnID"}):
    entry_type: str = msgspec.field(name="LedgerEntryType")
    index: str = msgspec.field(name="LedgerIndex")
    new: dict[str, Any] = msgspec.field(name="NewFields", default_factory=dict)
    final: dict[str, Any] = msgspec.field(name="FinalFields", default_factory=dict)
    previous: dict[str, Any] = msgspec.field(name="PreviousFields", default_factory=dict)
    previous_txn_id: str | None = None


def _nodes(affected: list[dict[NodeKind, _Entry]]) -> Iterator[Node]:
    for wrapper in affected:
        for kind, entry in wrapper.items():
            fields = entry.new if kind == "CreatedNode" else entry.final
            # A deleted entry carries the link inside its last fields
            link = entry.previous_txn_id or fields.get("PreviousTxnID")
            yield Node(
                kind=kind,
                entry_type=entry.entry_type,
                index=entry.index,
                fields=fields,
                previous=entry.previous,
                previous_txn_id=link if isinstance(link, str) else None,
            )
