"""The accounts that a transaction affects, as servers count them for `account_tx`: from its metadata."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from ledger_client.addresses import encode_address

_ISSUERS = frozenset({"LowLimit", "HighLimit", "TakerGets", "TakerPays"})
"""The amounts whose issuer the servers count among the affected accounts; no others."""


class _Entry(msgspec.Struct, gc=False):
    final: dict[str, Any] = msgspec.field(name="FinalFields", default_factory=dict)
    new: dict[str, Any] = msgspec.field(name="NewFields", default_factory=dict)


class _Affected(msgspec.Struct, gc=False):
    modified: _Entry | None = msgspec.field(name="ModifiedNode", default=None)
    deleted: _Entry | None = msgspec.field(name="DeletedNode", default=None)
    created: _Entry | None = msgspec.field(name="CreatedNode", default=None)


class Metadata(msgspec.Struct, gc=False):
    """A transaction's metadata, as far as it says which accounts are affected."""

    nodes: list[_Affected] = msgspec.field(name="AffectedNodes")
    place: int = msgspec.field(name="TransactionIndex", default=-1)
    """The transaction's place in its ledger, from 0 on."""


class AffectingRow(msgspec.Struct, gc=False):
    """Of a transaction as an expanded ledger or a stream shows it: which accounts it affects."""

    hash: str
    meta: Metadata

    def accounts(self) -> set[str]:
        """Return the accounts in whose account_tx the transaction stands; more texts may be among them.

        Servers take them from the metadata: every account that an entry names on top, the issuers of
        offers' and trust lines' amounts, and the issuer of a multi-purpose token.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: if an entry can't be read.

        """
        found: set[str] = set()
        for node in self.meta.nodes:
            if node.modified is not None:
                found.update(named_accounts(node.modified.final.items()))
            if node.deleted is not None:
                found.update(named_accounts(node.deleted.final.items()))
            if node.created is not None:
                found.update(named_accounts(node.created.new.items()))
        return found


UNREADABLE = (msgspec.DecodeError, AttributeError, KeyError, TypeError, ValueError, RecursionError)
"""What reading a row raises, and its `accounts`, where the metadata is not what the protocol says."""


def named_accounts(fields: Iterable[tuple[str, Any]]) -> Iterator[str]:
    """Yield the accounts that the fields of a ledger's entry name (see `AffectingRow.accounts`)."""
    for name, value in fields:
        # Of all fields only accounts are written like this
        if isinstance(value, str) and value.startswith("r"):
            yield value
        elif name in _ISSUERS and isinstance(value, dict):
            yield value["issuer"] if "issuer" in value else _token_issuer(value["mpt_issuance_id"])
        elif name == "MPTokenIssuanceID":
            yield _token_issuer(value)


def _token_issuer(issuance: str) -> str:
    """Read the account at the end of a token's id, behind the sequence."""
    return encode_address(bytes.fromhex(issuance)[4:])
