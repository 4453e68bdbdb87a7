"""Proven blobs as the kernel reads transactions: `offer_lifecycle.Transaction`."""

import msgspec

from ledger_proof.binary.metadata import decode_metadata
from ledger_proof.binary.objects import decode_object
from ledger_proof.binary.order_transactions import order_transaction
from ledger_proof.errors import MalformedBlob
from offer_lifecycle import MalformedTransaction, Transaction, read_transaction

_encode = msgspec.json.Encoder().encode


def decode_transaction(name: bytes, transaction: bytes, metadata: bytes, *, ledger_index: int) -> Transaction:
    """Read a validated transaction from its two blobs; `name`: its hash, as computed from them.

    Raises:
        MalformedBlob: if one is not of the binary format, or they are no transaction with its metadata.

    """
    usual = order_transaction(transaction)
    record = {
        "hash": name.hex().upper(),
        "ledger_index": ledger_index,
        "tx_json": msgspec.Raw(usual.encode()) if usual else decode_object(transaction),
        "meta": decode_metadata(metadata),
    }
    try:
        return read_transaction(_encode(record), ledger_index=ledger_index)
    except MalformedTransaction as error:
        expected = "a transaction with its metadata"
        raise MalformedBlob(f"transaction {record['hash']}", expected=expected, found=str(error)) from error
