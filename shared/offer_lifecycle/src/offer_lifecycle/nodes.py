"""Nodes: what a transaction's metadata says of the ledger entries that it touched (AffectedNodes).

Most of a transaction is entries that nobody asks for (directories, other people's trust lines), so that an
entry's fields stay as the server wrote them until they are read, and are then read once.
"""

import contextlib
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any, ClassVar, cast

import msgspec

UInt32 = Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
"""Sequences, times, flags and counts, as the ledger holds them."""
OFFER = "Offer"
BALANCES = frozenset({"AccountRoot", "RippleState", "MPToken", "MPTokenIssuance"})
"""The types of ledger entries that hold an account's balances (LedgerEntryType)."""

ABSENT = msgspec.Raw()
"""A part that the server did not write."""
_NOTHING_CHANGED = {b"", b"{}"}


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
    fields: msgspec.Raw = msgspec.field(name="FinalFields", default=ABSENT)
    """NewFields of a created entry, FinalFields of any other (empty where absent)."""
    previous: msgspec.Raw = msgspec.field(name="PreviousFields", default=ABSENT)
    """PreviousFields: what changed, as it was; a field that is absent did not change."""
    previous_txn_id: str | None = msgspec.field(name="PreviousTxnID", default=None)
    """The transaction that touched the entry before this one, where it stands beside the fields."""

    def names(self, account: bytes) -> bool:
        """Whether the address stands in the entry's fields: else the entry is none of the account's."""
        return account in bytes(self.fields)

    def names_any(self, accounts: Iterable[bytes]) -> bool:
        """Whether one of the addresses stands in the entry's fields."""
        return any(map(bytes(self.fields).__contains__, accounts))

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
    fields: msgspec.Raw = msgspec.field(name="NewFields", default=ABSENT)


class _Modified(Node, frozen=True, gc=False):
    kind = Kind.MODIFIED


class _Deleted(Node, frozen=True, gc=False):
    kind = Kind.DELETED


class AffectedNode(msgspec.Struct, gc=False):
    """A node as it stands in the metadata: under the name of what happened to it."""

    modified: _Modified | None = msgspec.field(name="ModifiedNode", default=None)
    deleted: _Deleted | None = msgspec.field(name="DeletedNode", default=None)
    created: _Created | None = msgspec.field(name="CreatedNode", default=None)


_AFFECTED = msgspec.json.Decoder(AffectedNode)
_ALL_AFFECTED = msgspec.json.Decoder(list[AffectedNode])
_PARTS = msgspec.json.Decoder(list[msgspec.Raw])


def read_nodes(affected: msgspec.Raw | list[AffectedNode]) -> tuple[list[Node], tuple[str, ...]]:
    """Return the nodes of `AffectedNodes`, and of those that can't be read the place and what was found."""
    with contextlib.suppress(ValueError):
        read = affected if isinstance(affected, list) else _ALL_AFFECTED.decode(affected)
        nodes = [one.modified or one.deleted or one.created for one in read]
        if all(nodes):
            return cast("list[Node]", nodes), ()
    sound: list[Node] = []
    damaged = []
    parts: list[Any] = affected if isinstance(affected, list) else _PARTS.decode(affected)
    for place, written in enumerate(parts):
        try:
            sound.append(_read_node(written))
        except ValueError as error:
            damaged.append(f"AffectedNodes[{place}]: {error}")
    return sound, tuple(damaged)


def _read_node(written: msgspec.Raw | AffectedNode) -> Node:
    one = written if isinstance(written, AffectedNode) else _AFFECTED.decode(written)
    node = one.modified or one.deleted or one.created
    if node is None:
        raise ValueError("expected ModifiedNode, DeletedNode or CreatedNode, found none")
    return node
