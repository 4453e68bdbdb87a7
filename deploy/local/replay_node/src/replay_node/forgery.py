"""Lies about a ledger's transactions, in all that a node shows as JSON; its blobs and hashes stay true."""

from __future__ import annotations

import copy
import hashlib
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from replay_node.session import Json, RecordedLedger


class Forgery(StrEnum):
    """What is forged of the transactions that touch an offer."""

    NONE = ""
    AMOUNTS = "amounts"
    """Twice as much was traded."""
    HIDDEN = "hidden"
    """They are left out; the others are numbered anew."""
    ADDED = "added"
    """Each is there once more, by another hash."""
    DOUBLED = "doubled"
    """Each is there twice, the second time at another place."""


def forged(ledger: RecordedLedger, forgery: Forgery) -> RecordedLedger:
    """Return the ledger with the same header and forged transactions."""
    if forgery is Forgery.NONE or not ledger.transactions:
        return ledger
    by_place = {raw["metaData"]["TransactionIndex"]: raw for raw in ledger.transactions}
    transactions = _forged([by_place[place] for place in sorted(by_place)], forgery)
    closed = [message for message in ledger.stream if message["type"] == "ledgerClosed"]
    told = [message for message in ledger.stream if message["type"] != "ledgerClosed"]
    pattern = told[0] if told else {"type": "transaction", "validated": True}
    messages = [{**message, "txn_count": len(transactions)} for message in closed]
    messages += [
        {
            **pattern,
            "transaction": {name: value for name, value in raw.items() if name != "metaData"},
            "meta": raw["metaData"],
        }
        for raw in transactions
    ]
    return msgspec.structs.replace(ledger, transactions=tuple(transactions), stream=tuple(messages))


def _forged(transactions: Sequence[Json], forgery: Forgery) -> list[Json]:
    shown: list[Json] = []
    for raw in transactions:
        lie = _touches_an_offer(raw["metaData"])
        if lie and forgery is Forgery.AMOUNTS:
            shown.append(_with_more_traded(raw))
            continue
        if not (lie and forgery is Forgery.HIDDEN):
            shown.append(raw)
        if lie and forgery is Forgery.ADDED:
            shown.append({**raw, "hash": hashlib.sha256(raw["hash"].encode()).hexdigest().upper()})
        if lie and forgery is Forgery.DOUBLED:
            shown.append(raw)
    return [
        {**raw, "metaData": {**raw["metaData"], "TransactionIndex": place}} for place, raw in enumerate(shown)
    ]


def _touches_an_offer(meta: Json) -> bool:
    return any(node["LedgerEntryType"] == "Offer" for node in _nodes(meta))


def _nodes(meta: Json) -> Iterable[Json]:
    return (node for wrapped in meta["AffectedNodes"] for node in wrapped.values())


def _with_more_traded(raw: Json) -> Json:
    lie: Json = copy.deepcopy(raw)
    for node in _nodes(lie["metaData"]):
        if node["LedgerEntryType"] == "Offer":
            before = node.get("PreviousFields", {})
            for name in {"TakerGets", "TakerPays"} & before.keys():
                before[name] = _twice(before[name])
    return lie


def _twice(amount: Any) -> Any:  # noqa: ANN401 - drops, or a token's amount
    if isinstance(amount, str):
        return str(2 * int(amount))
    return {**amount, "value": f"{2 * Decimal(amount['value']):f}"}
