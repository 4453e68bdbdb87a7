"""Lies about a ledger's transactions: as a node shows them as JSON, whatever its hashes cover."""

from __future__ import annotations

import copy
import hashlib
from decimal import ROUND_DOWN, Context, Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

from replay_node.blobs import transaction_blobs, transaction_hash

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from replay_node.session import Json, RecordedLedger


_AS_THE_LEDGER = Context(prec=16, rounding=ROUND_DOWN)
"""A token's amount has so many digits."""


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


def forged(ledger: RecordedLedger, forgery: Forgery, *, rehash: bool) -> RecordedLedger:
    """Return the ledger with the same header and forged transactions; itself where it has nothing to forge.

    `rehash`: a transaction that is added gets the hash that its own bytes have.
    """
    by_place = {raw["metaData"]["TransactionIndex"]: raw for raw in ledger.transactions}
    transactions = [by_place[place] for place in sorted(by_place)]
    if forgery is Forgery.NONE or not any(map(_touches_an_offer, transactions)):
        return ledger
    return with_transactions(ledger, _forged(transactions, forgery, rehash=rehash))


def with_transactions(ledger: RecordedLedger, transactions: Iterable[Json]) -> RecordedLedger:
    """Return the ledger with the same header and these transactions, numbered anew, in its stream too."""
    numbered = [
        {**raw, "metaData": {**raw["metaData"], "TransactionIndex": place}}
        for place, raw in enumerate(transactions)
    ]
    closed = [message for message in ledger.stream if message["type"] == "ledgerClosed"]
    told = [message for message in ledger.stream if message["type"] != "ledgerClosed"]
    pattern = told[0] if told else {"type": "transaction", "validated": True}
    messages = [
        {
            **message,
            "ledger_index": ledger.ledger_index,
            "ledger_time": ledger.header["close_time"],
            "txn_count": len(numbered),
        }
        for message in closed
    ]
    messages += [
        {
            **pattern,
            "ledger_index": ledger.ledger_index,
            "transaction": {name: value for name, value in raw.items() if name != "metaData"},
            "meta": raw["metaData"],
        }
        for raw in numbered
    ]
    return msgspec.structs.replace(ledger, transactions=tuple(numbered), stream=tuple(messages))


def repeated(ledgers: Iterable[RecordedLedger], ledger_index: int) -> Iterator[Json]:
    """Yield the transactions of ledgers that touch an offer, by the hashes of their copies in a later one."""
    for ledger in ledgers:
        for raw in ledger.transactions:
            if _touches_an_offer(raw):
                yield _once_more(raw, ledger_index)


def _forged(transactions: Iterable[Json], forgery: Forgery, *, rehash: bool) -> Iterator[Json]:
    for raw in transactions:
        if not _touches_an_offer(raw):
            yield raw
            continue
        match forgery:
            case Forgery.AMOUNTS:
                yield _with_more_traded(raw)
            case Forgery.ADDED:
                yield raw
                if rehash:
                    yield _once_more(raw, raw["metaData"]["TransactionIndex"])
                else:
                    yield {**raw, "hash": hashlib.sha256(raw["hash"].encode()).hexdigest().upper()}
            case Forgery.DOUBLED:
                yield from (raw, raw)


def _once_more(raw: Json, number: int) -> Json:
    """Return a transaction that says the same by another hash; `number`: by which the repetitions differ."""
    shown = {**raw, "LastLedgerSequence": raw.get("LastLedgerSequence", 0) + 1 + number}
    return shown | {"hash": transaction_hash(transaction_blobs(shown)["tx_blob"])}


def _touches_an_offer(raw: Json) -> bool:
    return any(node["LedgerEntryType"] == "Offer" for node in _nodes(raw["metaData"]))


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
    twice = _AS_THE_LEDGER.multiply(2, Decimal(amount["value"]))
    return {**amount, "value": f"{twice:f}"}
