"""The check of XLS-41 files, the network's own format of a proof of one transaction, in both forms.

The form of a list is a path: sixteen entries an inner node, of which the one that leads to the transaction
is nested. The form of a tree holds the ledger's whole tree; only the branch of the transaction's half bytes
is followed, and the hash of a node that has children is computed and never read.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from ledger_proof.anchor_check import AnchorCheck
from ledger_proof.base58 import node_key_bytes
from ledger_proof.binary.transactions import decode_transaction
from ledger_proof.errors import Unproven
from ledger_proof.header import LedgerHeader, read_header, write_header
from ledger_proof.strict_json import convert, from_hex, parse
from ledger_proof.transaction_tree import (
    BRANCHES,
    DEEPEST,
    EMPTY,
    Branches,
    half_byte,
    inner_hash,
    leaf,
    root_of_path,
)
from ledger_proof.trust import ProofEnd, ProofReport, TrustChain, TrustPolicy
from ledger_proof.validations import Validation, read_validation
from ledger_proof.validator_lists import SignedList, ValidatorList
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


def check_xls41(document: bytes, policy: TrustPolicy) -> ProofReport:
    """Check an XLS-41 file by its bytes alone; every failure is told in the report."""
    chain = TrustChain()
    try:
        read = convert("XLS-41 file", parse("XLS-41 file", document, largest=LARGEST), _Document)
        return _check(read, policy, chain)
    except Unproven as failure:
        chain.failed(failure)
        return ProofReport(end=ProofEnd.REFUSED, chain=tuple(chain.steps))


def _check(read: _Document, policy: TrustPolicy, chain: TrustChain) -> ProofReport:
    header = _header(read.ledger)
    blob = from_hex("transaction", read.transaction.blob)
    metadata = from_hex("metadata", read.transaction.meta)
    name, _ = leaf(blob, metadata)
    found = f"transaction {name.hex().upper()} of ledger {header.ledger_index}"
    chain.passed("file", expected="an XLS-41 file", found=found)
    unl = read.validation.unl
    published = SignedList(manifest=unl.manifest, blob=unl.blob, signature=unl.signature)
    anchors = AnchorCheck([published], policy, chain)
    validations = list(_validations(read.validation.data, anchors.lists))
    if read.validation.data and not validations:
        raise Unproven("validations", expected="some under the names of validators", found="none")
    anchors.confirm(validations, header)
    anchors.check_hashes()
    transaction = _check_path(read.transaction.proof, header, blob, metadata, chain)
    return ProofReport(
        end=anchors.end(ProofEnd.PROVED_TRANSACTION),
        chain=tuple(chain.steps),
        last_ledger_index=header.ledger_index,
        anchors=anchors.anchors,
        confirmations=tuple(anchors.confirmations),
        transaction=transaction,
    )


def _validations(data: Mapping[str, str], lists: Sequence[ValidatorList]) -> Iterator[Validation]:
    """Yield the validations that stand under their validator's name."""
    for key, text in data.items():
        validation = read_validation(from_hex("validation", text))
        if any(validation.signing_key in _names(key, one) for one in lists):
            yield validation


def _check_path(
    proof: list[Json] | dict[str, Json],
    header: LedgerHeader,
    blob: bytes,
    metadata: bytes,
    chain: TrustChain,
) -> Transaction:
    name, own = leaf(blob, metadata)
    path = _path(proof, name)
    root = root_of_path(path, name, own)
    if root != header.transaction_root:
        expected = f"txroot {header.transaction_root.hex().upper()}"
        raise Unproven(f"transaction {name.hex().upper()}", expected=expected, found=root.hex().upper())
    transaction = decode_transaction(name, blob, metadata, ledger_index=header.ledger_index)
    chain.passed(
        f"{transaction.type} {transaction.hash}",
        expected=f"in the tree of ledger {header.ledger_index}",
        found=f"{transaction.result}, at depth {len(path)}",
    )
    return transaction


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
