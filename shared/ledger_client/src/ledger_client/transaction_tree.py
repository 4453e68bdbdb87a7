"""What a ledger's hash binds: its header, and with it the root of the tree of its transactions.

Whoever has the blobs of all transactions and of their metadata can compute the root again. It fits only
if none is missing, none is too many and no byte differs.
"""

import hashlib
from collections.abc import Mapping

HEADER_BYTES = 118
"""Index, drops, three hashes, two close times, resolution and flags, as the ledger's hash covers them."""
_ROOT = slice(44, 76)
"""Where the root of the tree stands in them."""
_HEADER, _TRANSACTION, _LEAF, _BRANCH = b"LWR\0", b"TXN\0", b"SND\0", b"MIN\0"
_EMPTY = bytes(32)
_BRANCHES = 16

Leaves = Mapping[bytes, bytes]
"""By transaction hash, the hash of its leaf."""


def ledger_hash(header: bytes) -> str:
    """Return the hash of the ledger with this header."""
    return _half(_HEADER, header).hex().upper()


def root_in(header: bytes) -> bytes:
    """Return the root that the header names (transaction_hash)."""
    return header[_ROOT]


def leaf(transaction: bytes, metadata: bytes) -> tuple[bytes, bytes]:
    """Return the hash of a transaction, and that of its leaf in the tree."""
    name = _half(_TRANSACTION, transaction)
    return name, _half(_LEAF, _with_length(transaction), _with_length(metadata), name)


def root_of(leaves: Leaves) -> bytes:
    """Return the root of the tree that holds exactly these."""
    return _branch(leaves, 0) if leaves else _EMPTY


def _branch(leaves: Leaves, depth: int) -> bytes:
    """Return the hash of an inner node: its children are told apart by the next half byte of the keys."""
    below: list[dict[bytes, bytes]] = [{} for _ in range(_BRANCHES)]
    for name, own in leaves.items():
        both = name[depth // 2]
        below[both & 15 if depth % 2 else both >> 4][name] = own
    return _half(_BRANCH, *(_child(part, depth + 1) for part in below))


def _child(leaves: Leaves, depth: int) -> bytes:
    if len(leaves) > 1:
        return _branch(leaves, depth)
    return next(iter(leaves.values()), _EMPTY)


def _with_length(blob: bytes) -> bytes:
    """Put the length before a blob, in one, two or three bytes.

    Raises:
        ValueError: if it is longer than the ledger's format can say.

    """
    length = len(blob)
    if length <= 192:  # noqa: PLR2004 - the bounds of the format, here and below
        return bytes([length]) + blob
    if length <= 12_480:  # noqa: PLR2004
        return (193 * 256 + length - 193).to_bytes(2, "big") + blob
    if length <= 918_744:  # noqa: PLR2004
        return (241 * 65_536 + length - 12_481).to_bytes(3, "big") + blob
    raise ValueError(f"expected a blob of at most 918,744 bytes, found {length}")


def _half(*parts: bytes) -> bytes:
    """Return the first half of a SHA-512: the ledger's own hash."""
    return hashlib.sha512(b"".join(parts)).digest()[:32]
