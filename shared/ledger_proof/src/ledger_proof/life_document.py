"""The file of a life proof: what an order's whole life is proved with, and nothing that is to be believed.

A file has exactly one way to be written: members in this order, no spaces, bytes in Base64. Any other
writing of the same content is refused, and so is any member that is not used.
"""

import base64
from collections.abc import Iterable, Sequence

import msgspec

from ledger_proof.errors import Unproven
from ledger_proof.header import HEADER_BYTES
from ledger_proof.strict_json import from_base64
from ledger_proof.transaction_tree import BRANCHES, DEEPEST, EMPTY, Branches, half_byte, inner_hash
from ledger_proof.validator_lists import SignedList

FORMAT = "fillproof-life-proof"
VERSION = 1
LARGEST = 50_000_000
"""Bytes of a file; a typical one has 40,000."""
_HASH = 32


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A transaction that touched the order, and where it is: blobs and path in Base64."""

    ledger_index: int
    transaction: str
    metadata: str
    path: str
    """From the root down, of each inner node: 16 bits that say which other branches are not empty, the first
    branch the highest, and their hashes. The branch of the path itself is left out: it is computed."""


class Run(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Consecutive headers, from the ledger of a step to one that validators signed for."""

    headers: str
    """118 bytes each, one after the other, in Base64."""
    validations: list[str]
    """Of the last ledger, in Base64; none where all hangs on its hash."""


class LifeProof(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A life proof as it stands in a file."""

    format: str
    version: int
    account: str
    sequence: int
    """The order's Sequence, or the number of its ticket."""
    steps: list[Step]
    runs: list[Run]
    lists: list[SignedList]
    manifests: list[str]
    """Newer than the lists', in Base64, of validators that changed their signing key in between."""


def write_document(proof: LifeProof) -> bytes:
    """Return the file of a proof."""
    return msgspec.json.encode(proof)


def read_document(document: bytes) -> LifeProof:
    """Read the file of a proof.

    Raises:
        Unproven: if it is not written as it must be.

    """
    if len(document) > LARGEST:
        raise Unproven("file", expected=f"at most {LARGEST:,} bytes", found=f"{len(document):,}")
    try:
        proof = msgspec.json.decode(document, type=LifeProof)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unproven("file", expected=f"a {FORMAT}", found=str(error)[:200]) from error
    if (proof.format, proof.version) != (FORMAT, VERSION):
        found = f"{proof.format[:40]} {proof.version}"
        raise Unproven("file", expected=f"{FORMAT} {VERSION}", found=found)
    signatures = [one.signature for one in proof.lists]
    if write_document(proof) != document or signatures != [text.upper() for text in signatures]:
        raise Unproven("file", expected="the one way to write this proof", found="another")
    return proof


def to_base64(blob: bytes) -> str:
    """Write bytes as the file has them."""
    return base64.b64encode(blob).decode()


def write_path(path: Sequence[Branches], name: bytes) -> str:
    """Write a path as the file has it (see `path_bytes`)."""
    return to_base64(path_bytes(path, name))


def path_bytes(path: Sequence[Branches], name: bytes) -> bytes:
    """Return the inner nodes from the root down to the leaf of the transaction with this hash, as bytes.

    Of each: two bytes that say which other branches are not empty, the first branch the highest bit, and
    their hashes.
    """
    parts = []
    for depth, branches in enumerate(path):
        own = half_byte(name, depth)
        others = [EMPTY if branch == own else branches[branch] for branch in range(BRANCHES)]
        bits = sum(1 << BRANCHES - 1 - branch for branch, one in enumerate(others) if one != EMPTY)
        parts.append(bits.to_bytes(2, "big") + b"".join(one for one in others if one != EMPTY))
    return b"".join(parts)


def read_path(text: str, name: bytes, leaf_hash: bytes) -> list[Branches]:
    """Return the inner nodes of a path, the branch of the path itself filled in from the leaf up.

    Raises:
        Unproven: if it is not written as it must be.

    """
    blob, at = from_base64("path", text), 0
    nodes: list[list[bytes]] = []
    while at < len(blob):
        bits = int.from_bytes(blob[at : at + 2], "big")
        at += 2
        branches = [EMPTY] * BRANCHES
        for branch in range(BRANCHES):
            if bits >> BRANCHES - 1 - branch & 1:
                branches[branch] = blob[at : at + _HASH]
                at += _HASH
        nodes.append(branches)
        listed = sum(one != EMPTY for one in branches)
        own = branches[half_byte(name, len(nodes) - 1)] if len(nodes) <= DEEPEST else None
        if at > len(blob) or own != EMPTY or listed != bits.bit_count():
            raise Unproven("path", expected="inner nodes without their own branch", found="others")
    if not nodes:
        raise Unproven("path", expected=f"1 to {DEEPEST} inner nodes", found="0")
    return fill_path(nodes, name, leaf_hash)


def write_headers(headers: Iterable[bytes]) -> str:
    """Write headers as a run has them."""
    return to_base64(b"".join(headers))


def read_headers(text: str) -> list[bytes]:
    """Return the headers of a run.

    Raises:
        Unproven: if it is not some headers of 118 bytes.

    """
    blob = from_base64("headers", text)
    if not blob or len(blob) % HEADER_BYTES:
        raise Unproven("headers", expected=f"{HEADER_BYTES} bytes each", found=f"{len(blob)} bytes")
    return [blob[at : at + HEADER_BYTES] for at in range(0, len(blob), HEADER_BYTES)]


def fill_path(nodes: Sequence[list[bytes]], name: bytes, leaf_hash: bytes) -> list[Branches]:
    """Put into each inner node, from the deepest up, the hash of what is below its own branch."""
    below = leaf_hash
    for depth in range(len(nodes) - 1, -1, -1):
        nodes[depth][half_byte(name, depth)] = below
        below = inner_hash(nodes[depth])
    return list(nodes)
