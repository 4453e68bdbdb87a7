"""Ledgers as blobs for tests: recorded with the node's own bytes, or encoded again from recorded JSON.

xrpl-py encodes; negative drops, which old ledgers hold and which it refuses, are added here.
"""

from __future__ import annotations

import gzip
import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest.mock import patch

import pytest
from mainnet import FOLDER as MAINNET
from xrpl.core.binarycodec import encode
from xrpl.core.binarycodec.types.amount import Amount

from ledger_proof.header import LedgerHeader, write_header

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SHARED = Path(__file__).parents[2] / "shared"
SESSIONS = Path(__file__).parent / "data" / "ledgers"
BLOB_SESSIONS = Path(__file__).parent / "data" / "blob_ledgers"
"""A few sessions that were recorded with the node's own bytes."""
MORE_BLOB_SESSIONS = SHARED / "ledgers" / "2026"
"""All of them, where they are beside the project."""

_ADDED = frozenset({"date", "delivered_amount", "hash", "inLedger", "ledger_hash", "ledger_index", "meta"})
_ALSO_ADDED = frozenset({"DeliverMax", "close_time_iso", "metaData", "owner_funds", "validated"})
_ADDED_TO_METADATA = frozenset(
    {"delivered_amount", "mpt_issuance_id", "nftoken_id", "nftoken_ids", "offer_id"}
)
"""What servers add to their JSON and no bytes hold."""


class BlobLedger(NamedTuple):
    """A ledger's header and transactions as bytes, and the same transactions as JSON."""

    ledger_hash: str
    root: str
    header: bytes | None
    """None where not all of it was recorded."""
    rows: list[tuple[bytes, bytes]]
    transactions: list[dict[str, Any]]


def blobs_of(record: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """Return a recorded transaction and its metadata as bytes."""
    body = record.get("tx_json") or record.get("tx") or record
    metadata = record.get("metaData") or record["meta"]
    own = {
        name: value
        for name, value in body.items()
        if name not in _ADDED | _ALSO_ADDED | {"tx_blob", "meta_blob"}
    }
    shown = {name: value for name, value in metadata.items() if name not in _ADDED_TO_METADATA}
    return encoded(own), encoded(shown)


def encoded(fields: dict[str, Any]) -> bytes:
    """Return an object in the binary format."""
    with patch.object(Amount, "from_value", _from_value):
        return bytes.fromhex(encode(fields))


_strictly = Amount.from_value


def _from_value(value: object, *rest: object) -> Amount:
    if isinstance(value, str) and value.startswith("-"):
        return Amount(int(value[1:]).to_bytes(8, "big"))
    return _strictly(value, *rest)  # type: ignore[arg-type]


def session_paths() -> list[Path]:
    """Return the sessions that hold the node's own bytes."""
    more = sorted(MORE_BLOB_SESSIONS.glob("*.json.gz"))
    return [path for path in more or sorted(BLOB_SESSIONS.glob("*.json.gz")) if "tx_blob" in _text(path)]


@lru_cache(maxsize=2)
def _text(path: Path) -> str:
    return gzip.decompress(path.read_bytes()).decode()


def session_ledgers(path: Path) -> Iterator[BlobLedger]:
    """Yield the ledgers of a session that holds the node's own bytes."""
    for ledger in json.loads(_text(path))["ledgers"]:
        transactions = ledger["transactions"]
        rows = [(bytes.fromhex(one["tx_blob"]), bytes.fromhex(one["meta_blob"])) for one in transactions]
        header = ledger["header"]
        data = bytes.fromhex(ledger["ledger_data"])
        yield BlobLedger(header["ledger_hash"], header["transaction_hash"], data, rows, transactions)


def session_transactions(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the transactions of any session."""
    for ledger in json.loads(_text(path))["ledgers"]:
        yield from ledger["transactions"]


@lru_cache(maxsize=1)
def mainnet_ledgers() -> tuple[BlobLedger, ...]:
    """Return the mainnet ledgers that can be had as they are in the ledger, encoded from their JSON."""
    if not MAINNET.exists():
        pytest.skip("the mainnet ledgers are not beside the project (../shared/mainnet)")
    lines = gzip.decompress((MAINNET / "ledgers.jsonl.gz").read_bytes()).splitlines()
    ledgers = (json.loads(line) for line in lines)
    # Of the others the JSON is not what the ledger holds: its collectors changed or invented it
    return tuple(_mainnet_ledger(ledger) for ledger in ledgers if ledger["tx_root_verified"])


def _mainnet_ledger(ledger: dict[str, Any]) -> BlobLedger:
    transactions = ledger["record"]["transactions"]
    rows = [blobs_of(one) for one in transactions]
    header = _header(ledger) if ledger["header_hash_verified"] else None
    return BlobLedger(ledger["ledger_hash"], ledger["transaction_hash"], header, rows, transactions)


def _header(ledger: dict[str, Any]) -> bytes:
    return write_header(
        LedgerHeader(
            ledger_index=int(ledger["ledger_index"]),
            ledger_hash=b"",
            total_drops=int(ledger["total_coins"]),
            parent_hash=bytes.fromhex(ledger["parent_hash"]),
            transaction_root=bytes.fromhex(ledger["transaction_hash"]),
            state_root=bytes.fromhex(ledger["account_hash"]),
            parent_close_time=int(ledger["parent_close_time"]),
            close_time=int(ledger["close_time"]),
            close_resolution=int(ledger["close_time_resolution"]),
            close_flags=ledger["close_flags"] or 0,
        )
    )
