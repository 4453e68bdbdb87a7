"""The decision held against real mainnet transactions, which lie beside the project and not in it."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from offer_lifecycle import Header, Reserves, Transaction, normalise, removals
from offer_lifecycle.changes import OfferChange, offer_changes
from order_events import RemovalReason

MAINNET = Path(__file__).parents[4] / "shared" / "mainnet" / "transactions.jsonl.gz"
pytestmark = pytest.mark.skipif(
    not MAINNET.exists(), reason="the mainnet transactions are not beside the project"
)

LABELS = {
    "BECAME_UNFUNDED_IN_TX": RemovalReason.UNFUNDED,
    "CANCELLED_BY_OWNER": RemovalReason.CANCELED,
    "EXPIRED": RemovalReason.EXPIRED,
    "FILLED": RemovalReason.FILLED,
    "FILLED_DUST_RESIDUAL": RemovalReason.FILLED,
    "PARTIAL_THEN_BECAME_UNFUNDED_IN_TX": RemovalReason.UNFUNDED,
    # Metadata alone can't decide: the owner's balance is not in it
    "PARTIAL_THEN_UNFUNDED_NEEDS_STATE": RemovalReason.UNEXPLAINED,
    "REPLACED_BY_OWNER": RemovalReason.REPLACED,
    "SELF_CROSSED": RemovalReason.SELF_CROSSED,
    "TINY_REMOVED": RemovalReason.TINY,
    "UNFUNDED_NEEDS_STATE": RemovalReason.UNEXPLAINED,
}
DIFFERENT = {
    # The close time of its parent is not known here, and a guess is no proof
    ("A357FD7C", "A912CDE1"): RemovalReason.UNEXPLAINED,
    # The label leaves the reserve of that time open; with 20 XRP and 5 an object the owner is below it
    ("8BD64B79", "A1D6386B"): RemovalReason.UNFUNDED,
}
RESERVES = (
    (66_100_000, Reserves(base=20_000_000, increment=5_000_000)),
    (92_600_000, Reserves(base=10_000_000, increment=2_000_000)),
)
"""Up to which ledger, about: what validators had voted for."""
RESERVES_NOW = Reserves(base=1_000_000, increment=200_000)


def records() -> list[dict[str, Any]]:
    with gzip.open(MAINNET, "rt") as lines:
        return [json.loads(line) for line in lines]


def read(record: dict[str, Any]) -> Transaction:
    # One of them was collected without its hash
    return normalise({**record["record"], "hash": record["hash"]}, ledger_index=record["ledger_index"] or 0)


def judged(tx: Transaction, parent_close_time: int) -> Iterator[tuple[OfferChange, RemovalReason]]:
    """Decide with what the transaction itself shows."""
    reserves = next((reserves for until, reserves in RESERVES if tx.ledger_index < until), RESERVES_NOW)
    header = Header(
        ledger_index=tx.ledger_index,
        ledger_hash="",
        parent_hash="",
        close_time=parent_close_time,
        parent_close_time=parent_close_time,
    )
    for change, verdict in removals(tx, header, reserves):
        yield change, verdict.reason


def verdicts() -> Iterator[tuple[tuple[str, str], str, RemovalReason]]:
    """Yield (transaction, offer), the label and our verdict of every deleted offer."""
    for record in records():
        labels = {node["ledger_entry_index"]: node["cause"] for node in record["offer_nodes"]}
        tx = read(record)
        for change, reason in judged(tx, record["parent_close_time"] or 0):
            yield (tx.hash[:8], change.entry[:8]), labels[change.entry], reason


def test_every_transaction_is_read_and_every_offer_in_it_found() -> None:
    found = Counter[str]()
    for record in records():
        tx = read(record)
        assert {change.entry for change in offer_changes(tx)} == {
            node["ledger_entry_index"] for node in record["offer_nodes"] if node["account"]
        }
        found[tx.type] += 1
    assert found == {"OfferCreate": 1518, "OfferCancel": 241, "Payment": 102}


def test_the_causes_agree_with_the_careful_labelling_but_for_what_is_written_down() -> None:
    different = {
        name: (label, reason)
        for name, label, reason in verdicts()
        if reason is not DIFFERENT.get(name, LABELS[label])
    }
    assert different == {}
