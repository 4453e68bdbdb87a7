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
    body = record.get("tx_json") or record.get("tx") or record.get("transaction") or record
    meta = record.get("meta") or record.get("metaData")
    name = record.get("hash") or body.get("hash")
    try:
        return Transaction(
            hash=_text(name, "hash"),
            ledger_index=int(record.get("ledger_index") or body.get("ledger_index") or ledger_index or 0),
            index=meta["TransactionIndex"],  # type: ignore[index]
            type=body["TransactionType"],
            account=body["Account"],
            sequence=body.get("TicketSequence") or body["Sequence"],
            result=meta["TransactionResult"],  # type: ignore[index]
            fee=int(body["Fee"]),
            fields=body,
            nodes=tuple(_nodes(meta["AffectedNodes"])),  # type: ignore[index]
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MalformedTransaction(
            f"transaction {name}: expected a validated transaction with metadata, found {error!r}"
        ) from error


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name}: expected text, found {value!r}")
    return value


def _nodes(affected: list[Mapping[str, Any]]) -> Iterator[Node]:
    kinds: tuple[NodeKind, ...] = ("CreatedNode", "ModifiedNode", "DeletedNode")
    for wrapper in affected:
        for kind in kinds:
            entry = wrapper.get(kind)
            if entry is None:
                continue
            fields = entry.get("NewFields" if kind == "CreatedNode" else "FinalFields") or {}
            yield Node(
                kind=kind,
                entry_type=entry["LedgerEntryType"],
                index=entry["LedgerIndex"],
                fields=fields,
                previous=entry.get("PreviousFields") or {},
                previous_txn_id=entry.get("PreviousTxnID") or fields.get("PreviousTxnID"),
            )
