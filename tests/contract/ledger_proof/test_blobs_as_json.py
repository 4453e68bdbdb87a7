"""The decoder against JSON: what a node wrote itself, and what xrpl-py encodes and decodes."""

from __future__ import annotations

import os
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import ledger_blobs as blobs
import msgspec
import pytest
from xrpl.core.binarycodec import decode

from ledger_proof.binary import names
from ledger_proof.binary.metadata import decode_metadata
from ledger_proof.binary.names import FIELD_NAMES
from ledger_proof.binary.objects import decode_object
from ledger_proof.binary.transactions import decode_transaction
from ledger_proof.transaction_tree import leaf
from ledger_proof.whole_ledger import prove_ledger
from offer_lifecycle import Reserves, explain_removals, read_transaction

if TYPE_CHECKING:
    from pathlib import Path

    from offer_lifecycle import Transaction

Json = object
"""Whatever JSON holds."""
SAMPLE = None if os.environ.get("FILLPROOF_EXHAUSTIVE") else 60
"""How many transactions of a recording without bytes are encoded: xrpl-py takes milliseconds for each."""
RESERVES = Reserves(base=20_000_000, increment=5_000_000)
UNREAD = {"BookNode", "HighNode", "LowNode", "OwnerNode", "PreviousTxnLgrSeq"}
"""Where directories list an entry, and since which ledger: not handed to the kernel."""
UINT64 = {name for (kind, _), name in FIELD_NAMES.items() if kind == names.UINT64}
"""Some write them with leading zeros."""
NUMBERS = {name for (kind, _), name in FIELD_NAMES.items() if kind == names.NUMBER}
RECORDED = sorted(blobs.SESSIONS.glob("*.json.gz"))
BY_SERVERS = {"DeliverMax", "delivered_amount", "mpt_issuance_id", "hash", "metaData", "tx_blob", "meta_blob"}


def as_compared(value: Json, name: str = "") -> Json:
    """Return a value with what JSON may write in several ways written in one."""
    if isinstance(value, list | tuple):
        return [as_compared(item) for item in value]
    if isinstance(value, dict):
        return {key: as_compared(item, key) for key, item in value.items() if key != "type"}
    if name == "value" or name in NUMBERS:
        return Decimal(value)
    if name == "PermissionValue":
        return None  # some servers name it
    if name in UINT64:
        return str(value).lower().lstrip("0")
    return value.lower() if isinstance(value, str) else value


def shown(fields: dict[str, Any]) -> Json:
    return as_compared({name: value for name, value in fields.items() if name not in BY_SERVERS})


def as_kernel_sees(tx: Transaction) -> Json:
    """Return a transaction with the entries that the kernel reads, and of them the fields it may read."""
    nodes = []
    for node in tx.nodes:
        if node.entry_type == "DirectoryNode":
            continue
        fields, previous = (
            {
                name: value
                for name, value in (msgspec.json.decode(raw) if raw else {}).items()
                if name not in UNREAD
            }
            for raw in (node.fields, node.previous)
        )
        nodes.append((node.kind, node.entry_type, node.index, fields, previous, node.previous_txn_id))
    simple = msgspec.structs.asdict(tx) | {"affected": nodes}
    del simple[
        "order_record"
    ]  # the JSON itself, in which fields that the kernel does not know are looked for
    return as_compared({name: plain(value) for name, value in simple.items()})


def plain(value: object) -> Json:
    return msgspec.to_builtins(value, str_keys=True)


def test_every_blob_that_a_node_gave_reads_as_its_json() -> None:
    read = 0
    for path in blobs.session_paths():
        for ledger in blobs.session_ledgers(path):
            for (transaction, metadata), record in zip(ledger.rows, ledger.transactions, strict=True):
                assert as_compared(decode_object(transaction)) == shown(record)
                assert as_compared(decode_object(metadata)) == shown(record["metaData"])
                read += 1
    assert read > 50


def test_every_ledger_with_a_nodes_own_bytes_is_proven() -> None:
    for path in blobs.session_paths():
        for ledger in blobs.session_ledgers(path):
            ledger_hash = bytes.fromhex(ledger.ledger_hash)
            proven = prove_ledger(ledger.header or b"", ledger.rows, ledger_hash=ledger_hash)
            assert proven.header.transaction_root.hex().upper() == ledger.root


def test_every_mainnet_ledger_is_proven() -> None:
    for ledger in blobs.mainnet_ledgers():
        ledger_hash = bytes.fromhex(ledger.ledger_hash)
        prove_ledger(ledger.header or b"", ledger.rows, ledger_hash=ledger_hash)
    assert len(blobs.mainnet_ledgers()) > 60


def test_the_kernel_reads_the_same_of_a_nodes_blobs_and_of_its_json() -> None:
    for path in blobs.session_paths():
        for ledger in blobs.session_ledgers(path):
            for (transaction, metadata), record in zip(ledger.rows, ledger.transactions, strict=True):
                name, _ = leaf(transaction, metadata)
                read = decode_transaction(name, transaction, metadata, ledger_index=7)
                assert as_kernel_sees(read) == as_kernel_sees(read_transaction(record, ledger_index=7))


def test_every_mainnet_transaction_reads_as_its_json_and_is_judged_the_same() -> None:
    judged = 0
    for ledger in blobs.mainnet_ledgers():
        for (transaction, metadata), record in zip(ledger.rows, ledger.transactions, strict=True):
            name, _ = leaf(transaction, metadata)
            read = decode_transaction(name, transaction, metadata, ledger_index=7)
            written = read_transaction({**record, "hash": name.hex().upper()}, ledger_index=7)
            assert as_kernel_sees(read) == as_kernel_sees(written) | {"ledger_index": 7}
            verdicts = [
                verdict for _, verdict in explain_removals(read, parent_close_time=0, reserves=RESERVES)
            ]
            assert verdicts == [
                verdict for _, verdict in explain_removals(written, parent_close_time=0, reserves=RESERVES)
            ]
            judged += len(verdicts)
    assert judged > 1000


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name.partition(".")[0])
def test_recorded_transactions_read_from_bytes_as_from_json(path: Path) -> None:
    for record in sampled(path):
        transaction, metadata = blobs.blobs_of(record)
        name, _ = leaf(transaction, metadata)
        assert name.hex().upper() == record["hash"]
        read = decode_transaction(name, transaction, metadata, ledger_index=7)
        assert as_kernel_sees(read) == as_kernel_sees(read_transaction(record, ledger_index=7))
        assert as_compared(decode_object(metadata)) == as_compared(decode(metadata.hex()))


def sampled(path: Path) -> list[dict[str, Any]]:
    found = list(blobs.session_transactions(path))
    return found if SAMPLE is None else found[:: len(found) // SAMPLE + 1]


def test_metadata_read_fast_is_what_the_walk_reads() -> None:
    for path in blobs.session_paths():
        for ledger in blobs.session_ledgers(path):
            for _, metadata in ledger.rows:
                fast = msgspec.json.decode(msgspec.json.encode(decode_metadata(metadata)))
                assert without_unread(fast) == without_unread(decode_object(metadata))


def without_unread(fields: dict[str, Any]) -> Json:
    nodes = [
        (kind, {name: value for name, value in node.items() if name not in UNREAD})
        for wrapped in fields["AffectedNodes"]
        for kind, node in wrapped.items()
        if node["LedgerEntryType"] != "DirectoryNode"
    ]
    for _, node in nodes:
        for part in ("NewFields", "FinalFields", "PreviousFields"):
            if part in node:
                node[part] = {name: value for name, value in node[part].items() if name not in UNREAD}
    return {**fields, "AffectedNodes": nodes}
