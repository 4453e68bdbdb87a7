"""The tree of a ledger's transactions: computed again it must have the root that the header names."""

import gzip
import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import mainnet
import pytest
from replaying import recorded
from xrpl.core.binarycodec.exceptions import XRPLBinaryCodecException

from ledger_client import transaction_tree as tree
from replay_node.blobs import header_blob, transaction_blobs

REPRODUCED = 55
"""Of the 65 recorded mainnet ledgers; the codec can't write the others again (negative drops, mostly)."""


@pytest.mark.parametrize("session", ["passive", "with_amm", "ticketed", "account_deleted", "expired_swept"])
def test_every_recorded_ledger_has_the_hash_and_the_root_that_the_node_gave_it(session: str) -> None:
    for ledger in recorded(session).ledgers:
        header = bytes.fromhex(header_blob(ledger.header))
        assert len(header) == tree.HEADER_BYTES
        assert tree.ledger_hash(header) == ledger.header["ledger_hash"]
        assert tree.root_in(header) == tree.root_of(leaves(ledger.transactions))
        assert tree.root_in(header).hex().upper() == ledger.header["transaction_hash"]


def test_without_one_of_its_transactions_a_ledger_has_another_root() -> None:
    busy = max(recorded("random_1").ledgers, key=lambda one: len(one.transactions))
    whole = leaves(busy.transactions)
    roots = {tree.root_of({name: own for name, own in whole.items() if name != left}) for left in whole}
    assert len(roots) == len(whole) > 1
    assert tree.root_of(whole) not in roots


def test_names_that_agree_in_their_first_half_bytes_are_told_apart_further_down() -> None:
    one, other = bytes(32), bytes(31) + b"\1"
    both = tree.root_of({one: b"1" * 32, other: b"2" * 32})
    assert both != tree.root_of({one: b"2" * 32, other: b"1" * 32})


@pytest.mark.parametrize(
    ("length", "prefix"), [(192, "c0"), (193, "c100"), (12_480, "f0ff"), (12_481, "f10000")]
)
def test_a_blob_is_preceded_by_its_length_in_the_ledgers_own_way(length: int, prefix: str) -> None:
    blob = b"x" * length
    name, own = tree.leaf(blob, b"")
    written = b"SND\0" + bytes.fromhex(prefix) + blob + b"\0" + name
    assert own == hashlib.sha512(written).digest()[:32]


def test_a_blob_that_no_length_can_say_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 918,744 bytes, found 918745"):
        tree.leaf(b"x" * 918_745, b"")


@mainnet.needed
def test_mainnet_ledgers_have_the_roots_that_their_headers_name() -> None:
    with gzip.open(mainnet.FOLDER / "ledgers.jsonl.gz", "rt") as lines:
        records = [json.loads(line)["record"] for line in lines]
    reproduced = 0
    for record in records:
        try:
            found = tree.root_of(leaves(map(of_one_shape, record["transactions"])))
        except XRPLBinaryCodecException:
            continue
        reproduced += found.hex().upper() == record["transaction_hash"]
    assert reproduced == REPRODUCED


def of_one_shape(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """Some were collected with the fields apart from the metadata."""
    return raw if "metaData" in raw else {**raw["tx"], "metaData": raw["meta"], "hash": raw["hash"]}


def leaves(transactions: Iterable[Mapping[str, Any]]) -> dict[bytes, bytes]:
    found = {}
    for raw in transactions:
        blobs = transaction_blobs(dict(raw))
        name, own = tree.leaf(bytes.fromhex(blobs["tx_blob"]), bytes.fromhex(blobs["meta_blob"]))
        found[name] = own
    return found
