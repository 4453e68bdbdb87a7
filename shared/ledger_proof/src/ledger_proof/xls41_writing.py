"""The writing of XLS-41 files, the network's own format of a proof of one transaction, in both forms."""

from collections.abc import Sequence

import msgspec

from ledger_proof.base58 import node_key_text
from ledger_proof.header import LedgerHeader
from ledger_proof.transaction_tree import (
    BRANCHES,
    EMPTY,
    Branches,
    Leaf,
    half_byte,
    in_tree_order,
    inner_hash,
)
from ledger_proof.validations import read_validation
from ledger_proof.validator_lists import SignedList, check_list
from ledger_proof.xls41 import Json

_HASH = 32


def list_form(path: Sequence[Branches], name: bytes) -> list[Json]:
    """Return a path to the transaction with this hash in the form of a list."""
    below: list[Json] = []
    for depth in range(len(path) - 1, -1, -1):
        level: list[Json] = [branch.hex().upper() for branch in path[depth]]
        if below:
            level[half_byte(name, depth)] = below
        below = level
    return below


def tree_form(all_leaves: Sequence[Leaf], depth: int = 0) -> dict[str, Json]:
    """Return the whole tree of a ledger's transactions in the form of a tree."""
    if depth and len(all_leaves) == 1:
        name, own = all_leaves[0]
        return {"hash": own.hex().upper(), "key": name.hex().upper(), "children": {}}
    below: dict[int, list[Leaf]] = {}
    for one in in_tree_order(all_leaves):
        below.setdefault(half_byte(one[0], depth), []).append(one)
    children = {f"{branch:X}": tree_form(own, depth + 1) for branch, own in below.items()}
    hashes = [
        bytes.fromhex(children[f"{branch:X}"]["hash"]) if branch in below else EMPTY
        for branch in range(BRANCHES)
    ]
    some = next(iter(below.values()))[0][0] if below else EMPTY
    key = some.hex().upper()[:depth].ljust(2 * _HASH, "0")
    return {"hash": inner_hash(hashes).hex().upper(), "key": key, "children": children}


def write_xls41(  # noqa: PLR0913 - the parts of one document, all named
    *,
    header: LedgerHeader,
    transaction: bytes,
    metadata: bytes,
    proof: list[Json] | dict[str, Json],
    validations: Sequence[bytes],
    validators: SignedList,
) -> bytes:
    """Return an XLS-41 file, upper case as xahaud compares it; `proof`: of `list_form` or `tree_form`."""
    listed = check_list(validators)
    return msgspec.json.encode(
        {
            "ledger": _shown(header),
            "transaction": {
                "blob": transaction.hex().upper(),
                "meta": metadata.hex().upper(),
                "proof": proof,
            },
            "validation": {
                "data": {
                    node_key_text(read_validation(one).signing_key): one.hex().upper() for one in validations
                },
                "unl": {
                    "public_key": listed.publisher.hex().upper(),
                    "manifest": validators.manifest,
                    "blob": validators.blob,
                    "signature": validators.signature,
                    "version": 1,
                },
            },
        }
    )


def _shown(header: LedgerHeader) -> dict[str, str | int]:
    return {
        "index": header.ledger_index,
        "coins": str(header.total_drops),
        "phash": header.parent_hash.hex().upper(),
        "txroot": header.transaction_root.hex().upper(),
        "acroot": header.state_root.hex().upper(),
        "pclose": header.parent_close_time,
        "close": header.close_time,
        "cres": header.close_resolution,
        "flags": header.close_flags,
    }
