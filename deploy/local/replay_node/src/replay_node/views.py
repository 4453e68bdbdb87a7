"""The state after one ledger: accounts, what they own, single entries."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

from replay_node.keys import account_id, asset, book_key, line_key, mpt, offer_key, quality_bits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replay_node.entries import EntryHistory
    from replay_node.keys import Asset
    from replay_node.session import Json, RecordedLedger

_POOL_TOKEN = "03"  # noqa: S105 - what the currency of every pool's tokens begins with
_UNKNOWN_TRANSACTION = "0" * 64
_NO_ACCOUNT = "rrrrrrrrrrrrrrrrrrrrBZbvji"
"""The issuer that a trust line's balance names: neither side."""
_LINE_FLAGS = {
    "authorized": (0x0004_0000, 0x0008_0000),
    "no_ripple": (0x0010_0000, 0x0020_0000),
    "freeze": (0x0040_0000, 0x0080_0000),
}
"""A row's field of one side's doing -> the flags of a RippleState that say so: (low side, high side)."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Owned:
    """One object of an owner's directory, in the directory's order: by page, then by key.

    `offer` and `line` are the rows that account_offers and account_lines show of it; a ticket has neither.
    """

    page: int
    key: str
    offer: Json | None = None
    line: Json | None = None


class LedgerView:
    """What the accounts looked like after one ledger: as recorded, completed from the metadata."""

    def __init__(self, ledger: RecordedLedger, entries: EntryHistory) -> None:
        self._index = ledger.ledger_index
        self._entries = entries
        self._state = ledger.state
        self._accounts: dict[str, Json] = {
            state["account_data"]["Account"]: state
            for state in ledger.after.values()
            if "account_data" in state
        }

    def account(self, address: str) -> Json | None:
        """Return the recorded {account_data, offers, lines}; None where the account is not there."""
        return self._accounts.get(address)

    def entry(self, key: str) -> Json | None:
        """Return a ledger entry by its key; None where there is none."""
        return self._recorded.get(key) or self._entries.at(key, self._index) or self._untouched_lines.get(key)

    @cached_property
    def _recorded(self) -> dict[str, Json]:
        roots = (state["account_data"] for state in self._accounts.values())
        objects = (entry for state in self._accounts.values() for entry in state.get("objects", ()))
        asked = (answer["node"] for answer in self._state if answer["node"] is not None)
        return {entry["index"]: entry for entry in (*objects, *roots, *self.offers(), *asked)}

    def objects(self, address: str) -> list[Json]:
        """Return what the account owns: as recorded, else the MPTs that transactions touched."""
        recorded = self._accounts[address].get("objects")
        if recorded is not None:
            return list(recorded)
        tokens = self._entries.of_type("MPToken", self._index)
        issuances = self._entries.of_type("MPTokenIssuance", self._index)
        held = [token for token in tokens if token["Account"] == address]
        return held + [issuance for issuance in issuances if issuance["Issuer"] == address]

    def lacks(self, key: str, owner: str) -> bool:
        """Return whether the recording leaves open if there was an entry that the account may have owned."""
        return "objects" not in self._accounts.get(owner, {}) and not self._entries.knows(key)

    def was_absent(self, entry: Json) -> bool:
        """Return whether the recording itself says that the ledger had no such entry (its `state`)."""
        return any(answer["entry"] == entry and answer["node"] is None for answer in self._state)

    @cached_property
    def _untouched_lines(self) -> dict[str, Json]:
        lines = [_untouched_line(one, row) for one, state in self._accounts.items() for row in state["lines"]]
        return {line["index"]: line for line in lines}

    def directory(self, address: str) -> list[Owned]:
        """Return everything that the account owns, in the order of its owner directory."""
        state = self._accounts[address]
        offers = [self._owned_offer(address, row) for row in state["offers"]]
        lines = [self._owned_line(address, row) for row in state["lines"]]
        tickets = [
            Owned(page=int(ticket["OwnerNode"], 16), key=ticket["index"])
            for ticket in self._entries.of_type("Ticket", self._index)
            if ticket["Account"] == address
        ]
        return sorted(offers + lines + tickets, key=lambda owned: (owned.page, owned.key))

    def _owned_offer(self, address: str, row: Json) -> Owned:
        entry = self._offer_entry(address, row)
        return Owned(page=int(entry["OwnerNode"], 16), key=entry["index"], offer=row)

    def _owned_line(self, address: str, row: Json) -> Owned:
        key = line_key(address, row["account"], row["currency"])
        entry = self._entries.at(key, self._index)
        side = "LowNode" if account_id(address) < account_id(row["account"]) else "HighNode"
        return Owned(page=int(entry[side], 16) if entry else 0, key=key, line=row)

    def offers(self) -> Iterator[Json]:
        """Yield the ledger entry of every offer of every recorded account."""
        for address, state in self._accounts.items():
            for row in state["offers"]:
                yield self._offer_entry(address, row)

    def book(self, pays: Asset, gets: Asset, domain: str | None = None) -> list[Json]:
        """Return a book's offers as a taker meets them: best quality first, then the older first."""
        base = book_key(pays, gets, domain)
        found = [offer for offer in self.offers() if offer["BookDirectory"].startswith(base)]
        return sorted(
            found,
            key=lambda offer: (
                offer["BookDirectory"],
                int(offer["BookNode"], 16),
                self._entries.created(offer["index"]),
            ),
        )

    def amm(self, key: str) -> Json | None:
        """Return the AccountRoot of the automated market maker with that AMMID; None where there is none."""
        roots = self._entries.of_type("AccountRoot", self._index)
        return next((root for root in roots if root.get("AMMID") == key), None)

    def pool_tokens(self, account: str) -> Json:
        """Return the tokens of a pool as far as the recorded accounts hold them."""
        held = [
            line
            for state in self._accounts.values()
            for line in state["lines"]
            if line["account"] == account and line["currency"].startswith(_POOL_TOKEN)
        ]
        total = sum((Decimal(line["balance"]) for line in held), Decimal(0))
        currency = held[0]["currency"] if held else _POOL_TOKEN
        return {"currency": currency, "issuer": account, "value": f"{total:f}"}

    def line_entry(self, one: str, other: str, currency: str) -> Json | None:
        """Return the RippleState between two accounts; None where the session never touched it."""
        return self._entries.at(line_key(one, other, currency), self._index)

    def _offer_entry(self, address: str, row: Json) -> Json:
        """Return the entry as metadata has it, or what can be told of one that nothing touched."""
        key = offer_key(address, row["seq"])
        entry = self._entries.at(key, self._index)
        return entry or _untouched_offer(key, address, row)


def amount_asset(amount: str | Json) -> Asset:
    """Return the asset of an amount: drops in a string, or a token."""
    if isinstance(amount, str):
        return asset("XRP", None)
    if "mpt_issuance_id" in amount:
        return mpt(amount["mpt_issuance_id"])
    return asset(amount["currency"], amount["issuer"])


def _untouched_offer(key: str, address: str, row: Json) -> Json:
    book = book_key(amount_asset(row["taker_pays"]), amount_asset(row["taker_gets"]))
    expiration = {"Expiration": row["expiration"]} if "expiration" in row else {}
    return {
        "Account": address,
        "BookDirectory": book + quality_bits(row["quality"]),
        "BookNode": "0",
        "Flags": row["flags"],
        "LedgerEntryType": "Offer",
        "OwnerNode": "0",
        "PreviousTxnID": _UNKNOWN_TRANSACTION,
        "PreviousTxnLgrSeq": 0,
        "Sequence": row["seq"],
        "TakerGets": row["taker_gets"],
        "TakerPays": row["taker_pays"],
        "index": key,
        **expiration,
    }


def _untouched_line(address: str, row: Json) -> Json:
    """Tell a trust line from the row that `account_lines` shows one of its two sides."""
    is_low = account_id(address) < account_id(row["account"])
    # Balance is written from the low account's side
    balance = Decimal(row["balance"]) if is_low else Decimal(row["balance"]).copy_negate()
    own = {"currency": row["currency"], "issuer": address, "value": row["limit"]}
    peers = {"currency": row["currency"], "issuer": row["account"], "value": row["limit_peer"]}
    flags = 0
    for name, (low, high) in _LINE_FLAGS.items():
        flags |= (low if is_low else high) if row.get(name) else 0
        flags |= (high if is_low else low) if row.get(f"{name}_peer", row.get(f"peer_{name}")) else 0
    return {
        "Balance": {"currency": row["currency"], "issuer": _NO_ACCOUNT, "value": f"{balance + 0:f}"},
        "Flags": flags,
        "HighLimit": peers if is_low else own,
        "LedgerEntryType": "RippleState",
        "LowLimit": own if is_low else peers,
        "PreviousTxnID": _UNKNOWN_TRANSACTION,
        "PreviousTxnLgrSeq": 0,
        "index": line_key(address, row["account"], row["currency"]),
    }
