"""The tree of a ledger's transactions: its root, and the path by which one transaction is in it.

Every transaction with its metadata is a leaf, found by the half bytes of the transaction's hash. A leaf
stands at the first depth at which it is alone; the root is an inner node in any case. So the root fits
only if no transaction is missing, none is too many and no byte differs.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha512

from ledger_proof.errors import Unproven
from ledger_proof.hashes import HASH_BYTES, INNER_NODE, LEAF, TRANSACTION, half_sha512, length_prefix

BRANCHES = 16
EMPTY = bytes(HASH_BYTES)
DEEPEST = 2 * HASH_BYTES
"""Inner nodes above each other: one a half byte."""

Leaf = tuple[bytes, bytes]
"""A transaction's hash, and the hash of its leaf."""
Branches = Sequence[bytes]
"""The sixteen hashes below an inner node; zeros where nothing is."""


def transaction_hash(transaction: bytes) -> bytes:
    """Return the hash that names a transaction."""
    return half_sha512(TRANSACTION + transaction)


def leaf(transaction: bytes, metadata: bytes) -> Leaf:
    """Return the hash of a transaction, and that of its leaf.

    Raises:
        MalformedBlob: if one is longer than the binary format can say.

    """
    return leaves([(transaction, metadata)])[0]


def leaves(rows: Iterable[tuple[bytes, bytes]]) -> list[Leaf]:
    """Return the leaf of each transaction with its metadata; raises as `leaf`."""
    made = []
    for transaction, metadata in rows:  # in one loop: it is most of what a proven ledger costs
        name = sha512(TRANSACTION + transaction).digest()[:HASH_BYTES]
        before, between = length_prefix(len(transaction)), length_prefix(len(metadata))
        content = b"".join((LEAF, before, transaction, between, metadata, name))
        made.append((name, sha512(content).digest()[:HASH_BYTES]))
    return made


def tree_root(all_leaves: Sequence[Leaf]) -> bytes:
    """Return the root of the tree that holds exactly these.

    Raises:
        Unproven: if a transaction is among them twice.

    """
    if not all_leaves:
        return EMPTY
    return inner_hash(_branches(in_tree_order(all_leaves), 0, len(all_leaves), 0))


def in_tree_order(all_leaves: Sequence[Leaf]) -> list[Leaf]:
    """Return the leaves sorted by transaction hash.

    Raises:
        Unproven: if a transaction is among them twice.

    """
    ordered = sorted(all_leaves)
    if len(dict(ordered)) != len(ordered):
        raise Unproven("transactions", expected="each of them once", found="one of them twice")
    return ordered


def inclusion_path(ordered: Sequence[Leaf], name: bytes) -> list[Branches]:
    """Return the inner nodes from the root down to a transaction's leaf.

    `ordered`: all leaves of the ledger (see `in_tree_order`); the transaction is one of them.
    """
    path: list[Branches] = []
    low, high, depth = 0, len(ordered), 0
    while True:
        path.append(_branches(ordered, low, high, depth))
        low, high = _below(ordered, low, high, depth, half_byte(name, depth))
        if high - low <= 1:
            return path
        depth += 1


def root_of_path(path: Sequence[Branches], name: bytes, leaf_hash: bytes) -> bytes:
    """Return the root that the inner nodes make, if the path leads to the transaction's own leaf.

    Only the branch of each half byte of the transaction's hash is followed.

    Raises:
        Unproven: naming the depth at which the path leads elsewhere.

    """
    if not 0 < len(path) <= DEEPEST:
        raise Unproven("path", expected=f"1 to {DEEPEST} inner nodes", found=f"{len(path)}")
    below = leaf_hash
    for depth in range(len(path) - 1, -1, -1):
        branches = path[depth]
        if len(branches) != BRANCHES:
            raise Unproven("path", expected=f"{BRANCHES} branches at depth {depth}", found=f"{len(branches)}")
        found = branches[half_byte(name, depth)]
        if found != below:
            raise Unproven(
                f"path at depth {depth}, branch {half_byte(name, depth):X}",
                expected=below.hex().upper(),
                found=found.hex().upper(),
            )
        below = inner_hash(branches)
    return below


def inner_hash(branches: Branches) -> bytes:
    """Return the hash of an inner node."""
    return half_sha512(b"".join((INNER_NODE, *branches)))


def _branches(ordered: Sequence[Leaf], low: int, high: int, depth: int) -> list[bytes]:
    place, shift = depth >> 1, 0 if depth & 1 else 4
    branches = [EMPTY] * BRANCHES
    start = low
    while start < high:
        name, own = ordered[start]
        branch = name[place] >> shift & 15
        end = start + 1
        while end < high and ordered[end][0][place] >> shift & 15 == branch:
            end += 1
        if end - start == 1:
            branches[branch] = own
        else:
            branches[branch] = inner_hash(_branches(ordered, start, end, depth + 1))
        start = end
    return branches


def _below(ordered: Sequence[Leaf], low: int, high: int, depth: int, branch: int) -> tuple[int, int]:
    inside = [at for at in range(low, high) if half_byte(ordered[at][0], depth) == branch]
    return (inside[0], inside[-1] + 1) if inside else (low, low)


def half_byte(name: bytes, depth: int) -> int:
    """Return which branch leads to a transaction at a depth."""
    return name[depth >> 1] >> (0 if depth & 1 else 4) & 15
