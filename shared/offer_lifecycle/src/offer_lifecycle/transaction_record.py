"""Records of transactions: every shape in which servers write one, and how it becomes a `Transaction`.

api_version 1 writes `tx`, or the fields on top, with `meta` or `metaData`; api_version 2 `tx_json` with the
hash beside it; the stream `transaction` or `tx_json`. They become one shape here, once, at the edge.
"""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import msgspec

from offer_lifecycle.amounts import WrittenAmount, read_drops
from offer_lifecycle.nodes import ABSENT, AffectedNode, UInt32
from offer_lifecycle.transaction import InnerTransaction, MalformedTransaction, Transaction


def read_transaction(
    record: Mapping[str, Any] | bytes | msgspec.Raw, *, ledger_index: int | None = None
) -> Transaction:
    """Read a transaction in any of the servers' shapes.

    `ledger_index` is needed where the record does not say it itself (inside an expanded `ledger`).
    A node that can't be read does not stop the others: see `Transaction.damaged`.

    Raises:
        MalformedTransaction: if a part is missing or of the wrong kind.

    """
    written: bytes | msgspec.Raw = b""
    try:
        written = record if isinstance(record, bytes | msgspec.Raw) else msgspec.json.encode(record)
        try:
            return _ANY_SHAPE.decode(written).transaction(ledger_index, written)
        except msgspec.ValidationError:  # some node can't be read, or another part
            return _NODES_UNREAD.decode(written).transaction(ledger_index, written)
    except (RecursionError, OverflowError, TypeError, ValueError) as error:
        raise MalformedTransaction(
            f"transaction {_name(written)}: expected a validated transaction with its metadata, "
            f"found: {error}"
        ) from error


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


NodesT = TypeVar("NodesT", msgspec.Raw, list[AffectedNode])


class _Meta(msgspec.Struct, Generic[NodesT], rename="pascal", gc=False):
    transaction_index: UInt32
    transaction_result: str
    affected_nodes: NodesT
    parent_batch: str | None = msgspec.field(name="ParentBatchID", default=None)


class TransactionRecord(msgspec.Struct, gc=False):
    """A transaction in the shape of api_version 2: what an answer to `account_tx` is decoded into."""

    hash: str
    tx_json: msgspec.Raw
    meta: _Meta[msgspec.Raw]
    """Its nodes are not read yet: between reading a history and folding it, its order is looked at first."""
    ledger_index: int | str | None = None

    def transaction(self) -> Transaction:
        """Return the transaction; raises ValueError if a part is missing or of the wrong kind."""
        body = _decode_body(self.tx_json)
        return _transaction(self.hash, self.ledger_index or body.ledger_index, body, self.meta, self.tx_json)


class _AnyShape(_Body, Generic[NodesT], gc=False):
    """A transaction in any shape."""

    tx_json: msgspec.Raw = msgspec.field(name="tx_json", default=ABSENT)
    tx: _Body | None = msgspec.field(name="tx", default=None)
    transaction_: _Body | None = msgspec.field(name="transaction", default=None)
    meta: _Meta[NodesT] | None = msgspec.field(name="meta", default=None)
    meta_data: _Meta[NodesT] | None = msgspec.field(name="metaData", default=None)

    def transaction(self, ledger_index: int | None, written: bytes | msgspec.Raw) -> Transaction:
        """Return the transaction; `ledger_index` where the record, `written`, does not say it itself."""
        body = _read_body(self.tx_json) if self.tx_json else self.tx or self.transaction_ or self
        meta = self.meta or self.meta_data
        name = self.hash or body.hash
        if meta is None or name is None:
            raise ValueError("no metadata or hash")
        place = self.ledger_index or body.ledger_index or ledger_index
        return _transaction(name, place, body, meta, self.tx_json or written)


_ARRAY = ord("[")
_decode_body = msgspec.json.Decoder(_Body).decode
_ANY_SHAPE = msgspec.json.Decoder(_AnyShape[list[AffectedNode]])
_NODES_UNREAD = msgspec.json.Decoder(_AnyShape[msgspec.Raw])


def _read_body(tx_json: msgspec.Raw) -> _Body:
    try:
        return _decode_body(tx_json)
    except msgspec.ValidationError as error:
        raise ValueError(f"tx_json: {error}") from error


def _transaction(
    name: str, ledger_index: int | str | None, body: _Body, meta: _Meta[Any], written: bytes | msgspec.Raw
) -> Transaction:
    kind, account, sequence, fee = body.transaction_type, body.account, body.sequence, body.fee
    if kind is None or account is None or sequence is None or fee is None:
        raise ValueError("no TransactionType, Account, Sequence or Fee")
    nodes = meta.affected_nodes
    if not isinstance(nodes, list) and memoryview(nodes)[0] != _ARRAY:
        raise ValueError("AffectedNodes: expected an array")
    # By place and not by name: Python passes more than 15 arguments by name four times as slowly
    return Transaction(
        name,
        int(ledger_index or 0),
        meta.transaction_index,
        kind,
        account,
        body.ticket_sequence or sequence,
        meta.transaction_result,
        read_drops(fee),
        body.flags,
        body.expiration,
        body.offer_sequence,
        body.taker_gets,
        body.taker_pays,
        body.destination,
        body.delegate,
        body.sponsor,
        body.sponsor_flags,
        body.domain,
        meta.parent_batch,
        tuple([_inner(one.raw) for one in body.raw_transactions]) if body.raw_transactions else (),
        nodes,
        written if kind == "OfferCreate" else b"",
    )


def _inner(raw: _Raw) -> InnerTransaction:
    return InnerTransaction(
        type=raw.transaction_type,
        account=raw.account,
        sequence=raw.ticket_sequence or raw.sequence,
        offer_sequence=raw.offer_sequence,
    )


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
