"""A session whose removal only the ledger before explains: the issuer froze all, not the owner's line.

Made from `frozen_line`: its TrustSet becomes the AccountSet that freezes the token for everybody. (The node
that recorded it answered that case with tecFROZEN; a path through the book still walks into such offers.)
All hashes are made anew from what it shows, so that a reader who proves its ledgers follows it.
"""

import gzip
import json
from typing import Any

from replaying import session_path

from replay_node.blobs import header_blob, transaction_blobs, transaction_hash, transaction_tree_root
from replay_node.keys import half_sha512

Json = dict[str, Any]
_GLOBAL_FREEZE = 0x0040_0000


def globally_frozen() -> Json:
    session: Json = json.loads(gzip.decompress(session_path("frozen_line").read_bytes()))
    session["name"] = "globally_frozen"
    frozen = 0
    for ledger in session["ledgers"]:
        for tx in ledger["transactions"]:
            frozen |= _freeze_all(tx, tx["metaData"])
        for message in ledger["stream"]:
            if message["type"] == "transaction":
                _freeze_all(message["transaction"], message["meta"])
        ledger["after"]["issuer"]["account_data"]["Flags"] |= frozen
        for shown in ledger["after"].values():
            for line in shown["lines"]:
                line.pop("freeze", None)
                line.pop("freeze_peer", None)
    assert frozen
    return _with_true_hashes(session)


def _freeze_all(tx: Json, meta: Json) -> int:
    if tx["TransactionType"] != "TrustSet":
        return 0
    tx["TransactionType"] = "AccountSet"
    [root] = [
        node["ModifiedNode"]
        for node in meta["AffectedNodes"]
        if node["ModifiedNode"]["LedgerEntryType"] == "AccountRoot"
    ]
    root["PreviousFields"]["Flags"] = root["FinalFields"]["Flags"]
    root["FinalFields"]["Flags"] |= _GLOBAL_FREEZE
    meta["AffectedNodes"] = [{"ModifiedNode": root}]
    return _GLOBAL_FREEZE


def _with_true_hashes(session: Json) -> Json:
    """Return the session with the hashes of its transactions, then with those of its ledgers, in order."""
    for raw in [raw for ledger in session["ledgers"] for raw in ledger["transactions"]]:
        session = _replaced(session, raw["hash"], transaction_hash(transaction_blobs(raw)["tx_blob"]))
    for place in range(len(session["ledgers"])):
        ledger = session["ledgers"][place]
        header = ledger["header"]
        blobs = [transaction_blobs(raw) for raw in ledger["transactions"]]
        header["transaction_hash"] = transaction_tree_root(blobs)
        true_hash = half_sha512(b"LWR\0" + bytes.fromhex(header_blob(header)))
        session = _replaced(session, header["ledger_hash"], true_hash)
    return session


def _replaced(session: Json, before: str, after: str) -> Json:
    """Return the session with another hash wherever it names this one."""
    replaced: Json = json.loads(json.dumps(session).replace(before, after))
    return replaced
