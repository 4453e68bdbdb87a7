"""The session's transactions, found by hash and by the accounts that they affect."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from replay_node.keys import mpt_issuer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from replay_node.session import Json, RecordedLedger

_HOLD_AN_ACCOUNT = frozenset(
    {
        "Account", "AttestationRewardAccount", "Authorize", "Delegate", "Destination", "Holder", "Issuer",
        "IssuingChainDoor", "LockingChainDoor", "NFTokenMinter", "Owner", "RegularKey", "Subject",
        "Unauthorize",
    }
)  # fmt: skip
# The issuers of these amounts count as affected; those of balances and prices do not.
_AMOUNTS_THAT_NAME_AN_ACCOUNT = frozenset({"HighLimit", "LowLimit", "TakerGets", "TakerPays"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedTransaction:
    """A transaction, the ledger that it is in, and the accounts in whose history it stands."""

    ledger: RecordedLedger
    raw: Json
    accounts: frozenset[str]

    @property
    def hash(self) -> str:
        """Return the transaction's hash."""
        return str(self.raw["hash"])

    @property
    def meta(self) -> Json:
        """Return the metadata, the same in every api_version."""
        meta: Json = self.raw["metaData"]
        return meta

    @property
    def place(self) -> tuple[int, int]:
        """Return (ledger index, TransactionIndex): the one order of transactions that the ledger knows."""
        return self.ledger.ledger_index, self.meta["TransactionIndex"]


class TransactionIndex:
    """All transactions of a session."""

    def __init__(self, ledgers: Iterable[RecordedLedger]) -> None:
        self._by_hash: dict[str, AppliedTransaction] = {}
        self._by_place: dict[tuple[int, int], AppliedTransaction] = {}
        self._by_account: defaultdict[str, list[AppliedTransaction]] = defaultdict(list)
        for ledger in ledgers:
            for raw in ledger.transactions:
                self._add(
                    AppliedTransaction(ledger=ledger, raw=raw, accounts=affected_accounts(raw["metaData"]))
                )

    def _add(self, transaction: AppliedTransaction) -> None:
        self._by_hash[transaction.hash] = transaction
        self._by_place[transaction.place] = transaction
        for account in transaction.accounts:
            self._by_account[account].append(transaction)

    def by_hash(self, transaction_hash: str) -> AppliedTransaction | None:
        """Return the transaction of that hash, None where the session has none."""
        return self._by_hash.get(transaction_hash.upper())

    def at(self, place: tuple[int, int]) -> AppliedTransaction | None:
        """Return the transaction at (ledger index, TransactionIndex)."""
        return self._by_place.get(place)

    def of_account(self, account: str) -> list[AppliedTransaction]:
        """Return the account's history, oldest first."""
        return self._by_account.get(account, [])


def affected_accounts(meta: Json) -> frozenset[str]:
    """Return the accounts that the metadata names: owners, sides of trust lines, issuers in offers."""
    found: set[str] = set()
    for wrapped in meta["AffectedNodes"]:
        ((change, node),) = wrapped.items()
        fields = node.get("NewFields" if change == "CreatedNode" else "FinalFields", {})
        for name, value in fields.items():
            if name in _AMOUNTS_THAT_NAME_AN_ACCOUNT:
                if isinstance(value, dict):
                    mpt = value.get("mpt_issuance_id")
                    found.add(mpt_issuer(mpt) if mpt else value["issuer"])
            elif name in _HOLD_AN_ACCOUNT:
                found.add(value)
    return frozenset(found)
