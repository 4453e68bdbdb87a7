"""A whole ledger out of a server's blobs, proven to the last byte.

The header's bytes hash to the ledger's hash, and all transactions with their metadata hash to the root
that the header names. So none is missing, none is added and no byte differs. Only the transactions of
followed accounts are then decoded: most of a ledger is other people's.
"""

from binascii import unhexlify
from collections.abc import Iterator, Sequence

import msgspec

from ledger_proof.binary.transactions import decode_transaction
from ledger_proof.errors import Unproven
from ledger_proof.header import LedgerHeader, read_header
from ledger_proof.owners import OwnerSearch
from ledger_proof.transaction_tree import Branches, Leaf, in_tree_order, inclusion_path, leaves, tree_root
from offer_lifecycle import Header, Transaction

Row = tuple[bytes, bytes]
"""A transaction and its metadata."""


class BlobRow(msgspec.Struct, gc=False):
    """A transaction in a server's answer to `ledger`, binary and expanded, in hexadecimal."""

    tx_blob: str
    meta_blob: str | None = None
    """In API 2."""
    meta: str | None = None
    """In API 1."""


class BlobLedger(msgspec.Struct, gc=False):
    """What is read of a server's answer to `ledger`, binary and expanded: its `ledger`."""

    ledger_data: str
    transactions: list[BlobRow] = []


class ProvenLedger(msgspec.Struct, frozen=True, kw_only=True):
    """A ledger of which every byte is covered by its hash."""

    header: LedgerHeader
    rows: Sequence[Row]
    leaves: Sequence[Leaf]
    """Of the rows, in the same order."""

    def facts(self) -> Header:
        """Return the header as the kernel reads it."""
        return kernel_header(self.header)

    def transactions(self, owners: OwnerSearch | None = None) -> Iterator[Transaction]:
        """Yield the transactions whose metadata holds the bytes of a followed account; None: all.

        Some may only mention the account, in a memo or as an issuer: the kernel decides.

        Raises:
            MalformedBlob: for a transaction that can't be read, although the ledger holds it.

        """
        places: Sequence[int] = range(len(self.rows))
        if owners is not None:
            places = owners.matching([metadata for _, metadata in self.rows])
        for place in places:
            yield self.transaction(place)

    def transaction(self, place: int) -> Transaction:
        """Return the transaction of a row.

        Raises:
            MalformedBlob: as `transactions`.

        """
        name, _ = self.leaves[place]
        return decode_transaction(name, *self.rows[place], ledger_index=self.header.ledger_index)

    def path(self, name: bytes) -> list[Branches]:
        """Return the path by which the transaction with this hash is in the ledger's tree."""
        return inclusion_path(in_tree_order(self.leaves), name)


def prove_ledger(header: bytes, rows: Sequence[Row], *, ledger_hash: bytes | None = None) -> ProvenLedger:
    """Return the ledger that these bytes are, if they are all of it.

    `ledger_hash`: the hash that it must have, where that is known already.

    Raises:
        Unproven: naming what was expected and what the bytes make.

    """
    read = read_header(header)
    if ledger_hash not in {None, read.ledger_hash}:
        raise Unproven(
            f"header of ledger {read.ledger_index}",
            expected=f"hash {(ledger_hash or b'').hex().upper()}",
            found=read.ledger_hash.hex().upper(),
        )
    made = leaves(rows)
    root = tree_root(made)
    if root != read.transaction_root:
        raise Unproven(
            f"transactions of ledger {read.ledger_index}",
            expected=f"root {read.transaction_root.hex().upper()}",
            found=f"{root.hex().upper()} from {len(made)}: some are missing, added or changed",
        )
    return ProvenLedger(header=read, rows=rows, leaves=made)


def prove_blobs(ledger: BlobLedger, *, ledger_hash: bytes | None = None) -> ProvenLedger:
    """Return the ledger of a server's answer; raises as `prove_ledger`, also for what is no hexadecimal."""
    try:
        rows = [
            (unhexlify(row.tx_blob), unhexlify(row.meta_blob or row.meta or ""))
            for row in ledger.transactions
        ]
        header = unhexlify(ledger.ledger_data)
    except ValueError as error:
        raise Unproven("blobs of a ledger", expected="hexadecimal digits", found=str(error)) from error
    return prove_ledger(header, rows, ledger_hash=ledger_hash)


def kernel_header(header: LedgerHeader) -> Header:
    """Return a header as the kernel reads it."""
    return Header(
        ledger_index=header.ledger_index,
        ledger_hash=header.ledger_hash.hex().upper(),
        parent_hash=header.parent_hash.hex().upper(),
        close_time=header.close_time,
        parent_close_time=header.parent_close_time,
    )
