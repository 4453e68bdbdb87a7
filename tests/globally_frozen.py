"""A session whose removal only the ledger before explains: the issuer froze all, not the owner's line.

Made from `frozen_line`: its TrustSet becomes the AccountSet that freezes the token for everybody. (The node
that recorded it answered that case with tecFROZEN; a path through the book still walks into such offers.)
"""

import gzip
import json
from typing import Any

from replaying import session_path

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
    return session


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
