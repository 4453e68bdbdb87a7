"""Ledger entries through time, put together from the metadata of the recorded transactions.

An entry's state before its first recorded change comes from that change's own `PreviousFields`, so whatever a
session touches is known in every one of its ledgers.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from replay_node.session import Json, RecordedLedger

# Fields of value zero are absent from NewFields; the entry itself has them.
_ZEROS: dict[str, Json] = {
    "AccountRoot": {"Flags": 0, "OwnerCount": 0},
    "Credential": {"Flags": 0, "IssuerNode": "0", "SubjectNode": "0"},
    "MPToken": {"Flags": 0, "OwnerNode": "0"},
    "MPTokenIssuance": {"Flags": 0, "OutstandingAmount": "0", "OwnerNode": "0"},
    "PermissionedDomain": {"Flags": 0, "OwnerNode": "0"},
    "Sponsorship": {"Flags": 0, "OwnerNode": "0"},
    "AMM": {"Flags": 0, "OwnerNode": "0", "Asset": {"currency": "XRP"}},
    "Offer": {"BookNode": "0", "Flags": 0, "OwnerNode": "0"},
    "RippleState": {"Flags": 0, "HighNode": "0", "LowNode": "0"},
    "Ticket": {"Flags": 0, "OwnerNode": "0"},
}
_BEFORE_THE_SESSION = 0


class EntryHistory:
    """Every entry that the session's transactions touched, at every ledger."""

    def __init__(self, ledgers: Iterable[RecordedLedger]) -> None:
        self._states: dict[str, list[tuple[int, Json | None]]] = {}
        self._keys: defaultdict[str, list[str]] = defaultdict(list)
        self._created: dict[str, tuple[int, int]] = {}
        for ledger in ledgers:
            for transaction in ledger.transactions:
                for wrapped in transaction["metaData"]["AffectedNodes"]:
                    ((change, node),) = wrapped.items()
                    if node["LedgerEntryType"] in _ZEROS:
                        self._apply(ledger.ledger_index, transaction, change, node)

    def at(self, key: str, ledger_index: int) -> Json | None:
        """Return the entry after that ledger; None where it was not there or nothing ever touched it."""
        states = self._states.get(key, [])
        position = bisect_right(states, ledger_index, key=lambda state: state[0])
        return states[position - 1][1] if position else None

    def knows(self, key: str) -> bool:
        """Return whether the session's transactions touched the entry: its absence is then known too."""
        return key in self._states

    def of_type(self, entry_type: str, ledger_index: int) -> Iterator[Json]:
        """Yield the entries of a type that existed after that ledger."""
        for key in self._keys[entry_type]:
            if state := self.at(key, ledger_index):
                yield state

    def created(self, key: str) -> tuple[int, int]:
        """Return (ledger, transaction index) of its creation, zeros where it is older than the session."""
        return self._created.get(key, (0, 0))

    def _apply(self, ledger_index: int, transaction: Json, change: str, node: Json) -> None:
        key, entry_type = node["LedgerIndex"], node["LedgerEntryType"]
        identity = {"LedgerEntryType": entry_type, "index": key}
        thread = {"PreviousTxnID": transaction["hash"], "PreviousTxnLgrSeq": ledger_index}
        if key not in self._states:
            if change == "ModifiedNode" and "FinalFields" not in node:
                return  # threaded only, and nothing known of it yet
            self._keys[entry_type].append(key)
            self._states[key] = []
            if change != "CreatedNode":
                self._states[key].append((_BEFORE_THE_SESSION, _before(node) | identity))
        state: Json | None = None
        if change == "CreatedNode":
            self._created[key] = (ledger_index, transaction["metaData"]["TransactionIndex"])
            state = _ZEROS[entry_type] | node["NewFields"] | identity | thread
        elif change == "ModifiedNode":
            state = (node.get("FinalFields") or self.at(key, ledger_index) or {}) | identity | thread
        self._states[key].append((ledger_index, state))


def _before(node: Json) -> Json:
    thread = {name: node[name] for name in ("PreviousTxnID", "PreviousTxnLgrSeq") if name in node}
    before: Json = node["FinalFields"] | thread | node.get("PreviousFields", {})
    if node["LedgerEntryType"] == "MPToken" and node.get("PreviousFields") == {}:
        # An amount of 0 is not written: what an empty MPToken got does not show in PreviousFields
        before.pop("MPTAmount", None)
    return before
