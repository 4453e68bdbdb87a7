"""A made-up session: one account with many open orders, of which each ledger fills a part of one."""

from __future__ import annotations

from decimal import Decimal
from hashlib import sha256
from typing import Any

import made_ledger as made
import msgspec
from replaying import recorded

from ledger_proof import read_header
from ledger_proof.transaction_tree import leaves, tree_root
from replay_node.blobs import header_blob, transaction_blobs
from replay_node.keys import account_key, line_key, offer_key
from replay_node.session import RecordedLedger, Session

TEMPLATE = recorded("partial_then_full")
MAKER, TAKER, ISSUER = (TEMPLATE.accounts[role] for role in ("maker", "taker", "issuer"))
FIRST_SEQUENCE = 1_000
FIRST_LEDGER = 1_000
DROPS = 10**9
"""That each order offers; for one USD two XRP."""
PART = 10**6
RICH = 10**15
TOKENS = Decimal(10_000)
FEE = 12
"""Drops that each transaction destroys."""
Json = dict[str, Any]


def session(*, orders: int, ledgers: int) -> Session:
    """Return it: the first ledger has the orders, each later one fills a part of the next order."""
    maker = {
        "account_data": _root(RICH, orders),
        "offers": [_row(number) for number in range(orders)],
        "lines": TEMPLATE.ledgers[0].after["maker"]["lines"],
    }
    first = msgspec.structs.replace(closed_ledger(FIRST_LEDGER, ()), after={"maker": maker})
    following: list[RecordedLedger] = []
    for number in range(1, ledgers + 1):
        before = following[-1] if following else first
        filling = _filling(number, (number - 1) % orders)
        following.append(closed_ledger(FIRST_LEDGER + number, (filling,), before.header["ledger_hash"]))
    return Session(
        name="partial_fills",
        about="made up",
        accounts={"maker": MAKER, "taker": TAKER, "issuer": ISSUER},
        orders=(),
        ledgers=(first, *following),
    )


def closed_ledger(index: int, transactions: tuple[Json, ...], parent_hash: str = "00" * 32) -> RecordedLedger:
    """Return a ledger with these transactions, with the hashes that its bytes have."""
    template = TEMPLATE.ledgers[0]
    rows = [bytes.fromhex(blob) for raw in transactions for blob in transaction_blobs(raw).values()]
    made = leaves(list(zip(rows[::2], rows[1::2], strict=True)))
    named = tuple(
        {**raw, "hash": name.hex().upper()} for raw, (name, _) in zip(transactions, made, strict=True)
    )
    header = {
        **template.header,
        "ledger_index": str(index),
        "transaction_hash": tree_root(made).hex().upper(),
        "parent_hash": parent_hash,
        "close_time": template.header["close_time"] + 4 * index,
        "parent_close_time": template.header["close_time"] + 4 * index - 4,
    }
    header["ledger_hash"] = read_header(bytes.fromhex(header_blob(header))).ledger_hash.hex().upper()
    closed = next(message for message in template.stream if message["type"] == "ledgerClosed")
    message = {
        **closed,
        "ledger_hash": header["ledger_hash"],
        "ledger_index": index,
        "ledger_time": header["close_time"],
        "txn_count": len(transactions),
    }
    told = [_in_stream(raw, header) for raw in named]
    return RecordedLedger(
        ledger_index=index, header=header, transactions=named, stream=(message, *told), after={}
    )


def _in_stream(raw: Json, header: Json) -> Json:
    return {
        "type": "transaction",
        "validated": True,
        "ledger_index": int(header["ledger_index"]),
        "ledger_hash": header["ledger_hash"],
        "transaction": {name: value for name, value in raw.items() if name != "metaData"},
        "meta": raw["metaData"],
    }


def _filling(number: int, order: int) -> Json:
    sequence = FIRST_SEQUENCE + order
    node = made.offer(
        "ModifiedNode",
        sequence,
        str(DROPS - PART),
        _usd(DROPS - PART),
        before={"TakerGets": str(DROPS), "TakerPays": _usd(DROPS)},
        owner=MAKER,
        Flags=0,
        BookDirectory="0" * 64,
        BookNode="0",
        OwnerNode="0",
    )
    node["ModifiedNode"]["LedgerIndex"] = offer_key(MAKER, sequence)
    part = PART * number
    maker, taker = _drops(MAKER, RICH - part, PART), _drops(TAKER, RICH + part - FEE * number, FEE - PART)
    tokens = Decimal(PART) / 2_000_000
    lines = [_line(MAKER, TOKENS + number * tokens, tokens), _line(TAKER, TOKENS - number * tokens, -tokens)]
    return made.tx(
        "OfferCreate",
        [node, maker, taker, *lines],
        account=TAKER,
        sequence=number,
        name=_hash(f"fill {number}"),
        TakerGets=_usd(PART),
        TakerPays=str(PART),
    )


def _drops(account: str, has: int, less: int) -> Json:
    """Return an account's root, which had `less` more."""
    root = made.root(has, before=has + less, account=account)
    root["ModifiedNode"]["LedgerIndex"] = account_key(account)
    return root


def _line(account: str, has: Decimal, more: Decimal) -> Json:
    """Return an account's trust line, on which it got `more`; the issuer is its low side."""
    balance = {"currency": "USD", "issuer": made.ZERO_ACCOUNT}
    limit = {"currency": "USD", "value": "1000000000"}
    node = {
        "LedgerEntryType": "RippleState",
        "LedgerIndex": line_key(account, ISSUER, "USD"),
        "FinalFields": {
            "Balance": {**balance, "value": f"{-has:f}"},
            "LowLimit": {**limit, "issuer": ISSUER},
            "HighLimit": {**limit, "issuer": account},
            "Flags": 0,
            "LowNode": "0",
            "HighNode": "0",
        },
        "PreviousFields": {"Balance": {**balance, "value": f"{more - has:f}"}},
    }
    return {"ModifiedNode": node}


def _root(drops: int, owned: int) -> Json:
    template: Json = TEMPLATE.ledgers[0].after["maker"]["account_data"]
    return {**template, "Balance": str(drops), "OwnerCount": owned, "Sequence": FIRST_SEQUENCE + owned}


def _row(number: int) -> Json:
    return {
        "flags": 0,
        "quality": "0.0000005",
        "seq": FIRST_SEQUENCE + number,
        "taker_gets": str(DROPS),
        "taker_pays": _usd(DROPS),
    }


def _usd(drops: int) -> Json:
    return {"currency": "USD", "issuer": ISSUER, "value": format(Decimal(drops) / 2_000_000, "f")}


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest().upper()
