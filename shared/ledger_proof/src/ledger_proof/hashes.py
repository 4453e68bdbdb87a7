"""The ledger's hash: the first half of a SHA-512 over a prefix that names the kind and the content."""

from hashlib import sha512

from ledger_proof.errors import MalformedBlob

TRANSACTION, LEAF, INNER_NODE, HEADER = b"TXN\0", b"SND\0", b"MIN\0", b"LWR\0"
VALIDATION, MANIFEST = b"VAL\0", b"MAN\0"
"""What a signature covers begins with these two."""
OFFER_SPACE = b"\0o"
"""Names the kind in the index of a ledger entry: an Offer."""
HASH_BYTES = 32

_ONE_BYTE, _TWO_BYTES, _THREE_BYTES = 192, 12_480, 918_744
"""The longest blobs whose length takes one, two and three bytes."""


def half_sha512(content: bytes) -> bytes:
    """Return the first 32 bytes of a SHA-512."""
    return sha512(content).digest()[:HASH_BYTES]


def length_prefix(length: int) -> bytes:
    """Return how a blob's length stands before it: in one, two or three bytes.

    Raises:
        MalformedBlob: if the format can't say it.

    """
    if length <= _TWO_BYTES:
        return _PREFIXES[length]
    if length <= _THREE_BYTES:
        return (241 * 65_536 + length - 12_481).to_bytes(3, "big")
    raise MalformedBlob("blob", expected=f"at most {_THREE_BYTES:,} bytes", found=f"{length:,}")


def offer_index(account: bytes, sequence: int) -> str:
    """Return the index of the ledger entry of the offer that an account placed with a sequence or ticket."""
    return half_sha512(OFFER_SPACE + account + sequence.to_bytes(4, "big")).hex().upper()


_PREFIXES = tuple(
    bytes([length]) if length <= _ONE_BYTE else (193 * 256 + length - 193).to_bytes(2, "big")
    for length in range(_TWO_BYTES + 1)
)
