"""Real mainnet transactions, which lie beside the project and not in it, as the kernel reads them."""

import gzip
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from offer_lifecycle import (
    EXACT,
    BalanceChange,
    Header,
    LedgerFacts,
    LedgerOutcome,
    OfferChange,
    Placement,
    Reserves,
    Transaction,
    Verdict,
    adopt_without_snapshot,
    balance_changes,
    decide_placement,
    explain_removals,
    fold_ledger,
    missing_link,
    offer_changes,
    read_transaction,
)
from offer_lifecycle import sort_transactions as applied
from order_events import Amount, RemovalReason

FOLDER = Path(__file__).parents[2] / "shared" / "mainnet"
needed = pytest.mark.skipif(
    not FOLDER.exists(), reason="the mainnet transactions are not beside the project (../shared/mainnet)"
)

RESERVES = (
    (66_100_000, Reserves(base=20_000_000, increment=5_000_000)),
    (92_600_000, Reserves(base=10_000_000, increment=2_000_000)),
)
"""Up to which ledger, about: what validators had voted for."""
RESERVES_NOW = Reserves(base=1_000_000, increment=200_000)
MAINNET_ID = 0

EXPECTED = {
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
"""The reference labels of deleted offers, in our words."""
DIFFERENT = {
    # The close time of its parent is not known here, and a guess is no proof
    ("A357FD7C", "A912CDE1"): RemovalReason.UNEXPLAINED,
    # The label leaves the reserve of that time open; with 20 XRP and 5 an object the owner is below it
    ("8BD64B79", "A1D6386B"): RemovalReason.UNFUNDED,
}
"""What the kernel judges otherwise than its label, by (transaction, offer)."""


class Recorded(NamedTuple):
    """One record of the collection, as it was found and as the kernel reads it."""

    raw: dict[str, Any]
    tx: Transaction
    changes: tuple[OfferChange, ...]

    @property
    def parent_close_time(self) -> int:
        """Ripple seconds; 0 where the collection does not know it: then nothing has expired yet."""
        return int(self.raw["parent_close_time"] or 0)

    def change(self, entry: str) -> OfferChange:
        """Return the change to one offer, by the (start of the) entry's index."""
        return next(change for change in self.changes if change.entry.startswith(entry))

    def delta(self, account: str, asset: str) -> Decimal:
        """Return by how much the transaction changed a balance: drops, decimal tokens."""
        return self.balance(account, asset).delta

    def balance(self, account: str, asset: str) -> BalanceChange:
        """Return what it did to a balance."""
        return next(b for b in balance_changes(self.tx, account) if b.asset == asset)

    def outcome(self, account: str) -> LedgerOutcome:
        """Fold the transaction alone, for an account of which nothing else is known."""
        before = header(self.tx.ledger_index - 1, self.parent_close_time)
        state = adopt_without_snapshot(network_id=MAINNET_ID, account=account, header=before)
        facts = LedgerFacts(header=self.header, reserves=self.reserves, transactions=(self.tx,))
        return fold_ledger(state, facts)

    @property
    def header(self) -> Header:
        """The header of its ledger."""
        return header(self.tx.ledger_index, self.parent_close_time)

    @property
    def reserves(self) -> Reserves:
        """What an account had to keep at the time."""
        until = (amounts for last, amounts in RESERVES if self.tx.ledger_index < last)
        return next(until, RESERVES_NOW)


def header(index: int, parent_close_time: int) -> Header:
    """Return a ledger's header, as far as the collection knows it (it closes when its parent did)."""
    return Header(
        ledger_index=index,
        ledger_hash="",
        parent_hash="",
        close_time=parent_close_time,
        parent_close_time=parent_close_time,
    )


def _lines(name: str) -> Iterator[dict[str, Any]]:
    with gzip.open(FOLDER / name, "rt") as lines:
        yield from map(json.loads, lines)


@lru_cache(maxsize=1)
def recorded() -> Mapping[str, Recorded]:
    """Return all recorded transactions, by hash."""
    found = {}
    for raw in _lines("transactions.jsonl.gz"):
        # One of them was collected without its hash
        written = {**raw["record"], "hash": raw["hash"]}
        tx = read_transaction(written, ledger_index=raw["ledger_index"] or 0)
        found[raw["hash"]] = Recorded(raw, tx, tuple(offer_changes(tx)))
    return found


@lru_cache(maxsize=1)
def in_order() -> tuple[Recorded, ...]:
    """Return those whose ledger is known, as the ledgers applied them."""
    known = (one for one in recorded().values() if one.raw["ledger_index"])
    return tuple(sorted(known, key=lambda one: (one.tx.ledger_index, one.tx.index)))


@lru_cache(maxsize=1)
def by_entry() -> Mapping[str, tuple[tuple[Recorded, OfferChange], ...]]:
    """Return what happened to each offer, in order."""
    found: dict[str, list[tuple[Recorded, OfferChange]]] = defaultdict(list)
    for one in in_order():
        for change in one.changes:
            found[change.entry].append((one, change))
    return {entry: tuple(changes) for entry, changes in found.items()}


class Break(NamedTuple):
    """Where a chain breaks: in which offer, between which ledgers, and which transaction was not read."""

    entry: str
    account: str
    sequence: int
    after: int
    before: int
    missing: str


class Link(NamedTuple):
    """Two changes of an offer, one after the other."""

    earlier: OfferChange
    later: OfferChange
    gap: Break | None

    @property
    def lost(self) -> Amount:
        """What the offer gave in between: drops, decimal tokens."""
        before = EXACT.add(self.later.gets_left.value, self.later.gave)
        left = self.earlier.gets_left
        return Amount(left.asset, EXACT.subtract(left.value, before))


def links() -> Iterator[Link]:
    """Yield the links of all chains."""
    for entry, changes in by_entry().items():
        for (one, earlier), (next_one, later) in pairwise(changes):
            missing = missing_link(one.tx.hash, later, by=next_one.tx.hash)
            between = one.tx.ledger_index, next_one.tx.ledger_index
            where = entry, later.account, later.sequence, *between
            yield Link(earlier, later, None if missing is None else Break(*where, missing))


@lru_cache(maxsize=1)
def verdicts() -> Mapping[tuple[str, str], tuple[str, Verdict]]:
    """Return the label and our verdict of each deleted offer, by (transaction, offer)."""
    found = {}
    for one in recorded().values():
        labels = {node["ledger_entry_index"]: node["cause"] for node in one.raw["offer_nodes"]}
        for change, verdict in explain_removals(
            one.tx, parent_close_time=one.header.parent_close_time, reserves=one.reserves
        ):
            found[one.tx.hash, change.entry] = labels[change.entry], verdict
    return found


@lru_cache(maxsize=1)
def placements() -> tuple[tuple[Recorded, Placement], ...]:
    """Return what became of each OfferCreate's own order."""
    return tuple(
        (
            one,
            decide_placement(
                one.tx, list(one.changes), list(balance_changes(one.tx, one.tx.account)), one.reserves
            ),
        )
        for one in recorded().values()
        if one.tx.type == "OfferCreate"
    )


def showcase() -> list[dict[str, Any]]:
    """Return the collection's hand-picked traps."""
    cases: list[dict[str, Any]] = json.loads((FOLDER / "showcase.json").read_text())
    return cases


def gaps() -> list[dict[str, Any]]:
    """Return the offers whose chain is known to break."""
    found: list[dict[str, Any]] = json.loads((FOLDER / "gaps.json").read_text())
    return found


@lru_cache(maxsize=1)
def lifecycles() -> list[dict[str, Any]]:
    """Return the offers with two or more recorded events."""
    with gzip.open(FOLDER / "lifecycles.json.gz", "rt") as file:
        found: list[dict[str, Any]] = json.load(file)
    return found


@lru_cache(maxsize=1)
def ledgers() -> frozenset[int]:
    """Return which whole ledgers were recorded."""
    return frozenset(ledger["ledger_index"] for ledger in _lines("ledgers.jsonl.gz"))


@lru_cache(maxsize=1)
def whole_ledgers() -> Mapping[int, tuple[Transaction, ...]]:
    """Return every transaction of the ledgers that were recorded whole, as they were applied."""
    return {
        ledger["ledger_index"]: applied(
            read_transaction(raw, ledger_index=ledger["ledger_index"])
            for raw in ledger["record"]["transactions"]
        )
        for ledger in _lines("ledgers.jsonl.gz")
    }
