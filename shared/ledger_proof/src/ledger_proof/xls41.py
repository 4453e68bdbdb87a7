"""XLS-41: the network's own format of a proof of one transaction, read in both forms and written.

The form of a list is a path: sixteen entries an inner node, of which the one that leads to the transaction
is nested. The form of a tree holds the ledger's whole tree; only the branch of the transaction's half bytes
is followed, and the hash of a node that has children is computed and never read.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from ledger_proof.base58 import node_key_bytes, node_key_text
from ledger_proof.binary.transactions import decode_transaction
from ledger_proof.confirmation import Confirmation, confirm_ledger
from ledger_proof.errors import Unproven
from ledger_proof.header import LedgerHeader, read_header, write_header
from ledger_proof.strict_json import convert, from_hex, parse
from ledger_proof.transaction_tree import (
    BRANCHES,
    DEEPEST,
    EMPTY,
    Branches,
    Leaf,
    half_byte,
    in_tree_order,
    inner_hash,
    leaf,
    root_of_path,
)
from ledger_proof.validations import read_validation
from ledger_proof.validator_lists import SignedList, ValidatorList, check_list
from offer_lifecycle import Transaction

LARGEST = 20_000_000
"""Bytes of a file."""
_HASH = 32
Json = Any
"""A part of a proof in either form: nested lists or objects of hashes."""


class _Ledger(msgspec.Struct, frozen=True):
    index: int
    coins: int | str
    phash: str
    txroot: str
    acroot: str
    pclose: int
    close: int
    cres: int
    flags: int


class _Transaction(msgspec.Struct, frozen=True):
    blob: str
    meta: str
    proof: list[Json] | dict[str, Json]


class _List(msgspec.Struct, frozen=True):
    public_key: str
    manifest: str
    blob: str
    signature: str
    version: int


class _Validation(msgspec.Struct, frozen=True):
    data: dict[str, str]
    unl: _List


class _Document(msgspec.Struct, frozen=True):
    ledger: _Ledger
    transaction: _Transaction
    validation: _Validation


class ProvenTransaction(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction that an XLS-41 file proves, with what proves it."""

    header: LedgerHeader
    confirmation: Confirmation
    name: bytes
    blob: bytes
    metadata: bytes

    @property
    def transaction(self) -> Transaction:
        """The transaction as the kernel reads it; raises MalformedBlob."""
        index = self.header.ledger_index
        return decode_transaction(self.name, self.blob, self.metadata, ledger_index=index)


def check_xls41(document: bytes, publishers: Sequence[str]) -> ProvenTransaction:
    """Return the transaction that a file proves; `publishers`: the master keys that the reader trusts.

    Raises:
        Unproven: naming what does not hold.

    """
    read = convert("XLS-41 file", parse("XLS-41 file", document, largest=LARGEST), _Document)
    unl = read.validation.unl
    validators = check_list(SignedList(manifest=unl.manifest, blob=unl.blob, signature=unl.signature))
    publisher = validators.publisher.hex().upper()
    if publisher not in {key.upper() for key in publishers}:
        raise Unproven("validator list", expected="a publisher that the reader trusts", found=publisher)
    header = _header(read.ledger)
    blob = from_hex("transaction", read.transaction.blob)
    metadata = from_hex("metadata", read.transaction.meta)
    name, own = leaf(blob, metadata)
    root = root_of_path(_path(read.transaction.proof, name), name, own)
    if root != header.transaction_root:
        expected = f"txroot {header.transaction_root.hex().upper()}"
        raise Unproven(f"transaction {name.hex().upper()}", expected=expected, found=root.hex().upper())
    validations = [
        validation
        for key, text in read.validation.data.items()
        if (validation := read_validation(from_hex("validation", text))).signing_key
        in _names(key, validators)
    ]
    confirmation = confirm_ledger(header, validations, validators)
    if not confirmation.confirmed:
        raise Unproven(
            f"validations of ledger {header.ledger_index}",
            expected=f"{confirmation.quorum} of {confirmation.entries}",
            found=f"{confirmation.votes}",
        )
    return ProvenTransaction(
        header=header, confirmation=confirmation, name=name, blob=blob, metadata=metadata
    )


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


def _header(ledger: _Ledger) -> LedgerHeader:
    drops = str(ledger.coins)
    if not drops.isascii() or not drops.isdecimal() or int(drops) >= 2**64:
        raise Unproven("ledger header", expected="coins in whole drops", found=repr(drops[:40]))
    numbers = (ledger.index, ledger.pclose, ledger.close, ledger.cres << 24, ledger.flags << 24)
    if not all(0 <= number < 2**32 for number in numbers):
        raise Unproven("ledger header", expected="numbers of their size", found="larger or negative ones")
    return read_header(
        write_header(
            LedgerHeader(
                ledger_index=ledger.index,
                ledger_hash=b"",
                total_drops=int(drops),
                parent_hash=from_hex("phash", ledger.phash, _HASH),
                transaction_root=from_hex("txroot", ledger.txroot, _HASH),
                state_root=from_hex("acroot", ledger.acroot, _HASH),
                parent_close_time=ledger.pclose,
                close_time=ledger.close,
                close_resolution=ledger.cres,
                close_flags=ledger.flags,
            )
        )
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


def _names(key: str, validators: ValidatorList) -> set[bytes]:
    """Return the signing keys of which a member's name may be: the key itself, or the one of its manifest."""
    try:
        named = node_key_bytes(key) if key.startswith("n") else from_hex("key", key)
    except Unproven:
        return set()
    manifest = validators.manifests.get(named)
    return {named} if manifest is None else {named, manifest.signing_key}


def _path(proof: list[Json] | dict[str, Json], name: bytes) -> list[Branches]:
    path: list[Branches] = []
    level: Json = proof
    while len(path) <= DEEPEST:
        if isinstance(level, list):
            nodes = level
        elif isinstance(level, dict) and isinstance(level.get("children"), dict) and level["children"]:
            nodes = [level["children"].get(f"{branch:X}", EMPTY.hex()) for branch in range(BRANCHES)]
        else:
            return path
        if len(nodes) != BRANCHES:
            raise Unproven("path", expected=f"{BRANCHES} branches", found=f"{len(nodes)}")
        path.append([_hash_of(node, 0) for node in nodes])
        level = nodes[half_byte(name, len(path) - 1)]
    return path


def _hash_of(node: Json, depth: int) -> bytes:
    """Return a node's hash: of one with children it is computed from them."""
    if depth > DEEPEST:
        raise Unproven("path", expected=f"at most {DEEPEST} inner nodes", found="more")
    if isinstance(node, str):
        return from_hex("path", node, _HASH)
    if isinstance(node, list) and len(node) == BRANCHES:
        return inner_hash([_hash_of(below, depth + 1) for below in node])
    if isinstance(node, dict):
        children = node.get("children")
        if isinstance(children, dict) and children:
            return inner_hash(
                [_hash_of(children.get(f"{branch:X}", EMPTY.hex()), depth + 1) for branch in range(BRANCHES)]
            )
        if isinstance(node.get("hash"), str):
            return from_hex("path", node["hash"], _HASH)
    raise Unproven("path", expected="hashes and inner nodes", found=type(node).__name__)
