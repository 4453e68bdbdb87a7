"""Key pairs of invented validators and publishers, each derived from a name: the same name, the same key.

Everybody can derive them, so a signature by one of them proves nothing to anybody but a test.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256K1,
    EllipticCurvePrivateKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

try:
    from coincurve import PrivateKey
except ImportError:  # no wheel of it for this system: the same signatures, thirty times slower
    _FAST = False
else:
    _FAST = True

ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
"""Of secp256k1's group."""
_DETERMINISTIC = ECDSA(Prehashed(SHA256()), deterministic_signing=True)  # names only the digest's length
_LONGEST_OF_ONE_BYTE = 192


@dataclass(frozen=True)
class MadeKey:
    """A key pair of either curve, derived from a name; what it signs is always the same."""

    name: str
    curve: Literal["ed25519", "secp256k1"] = "ed25519"

    @cached_property
    def public(self) -> bytes:
        """The 33 bytes of the public key."""
        if self.curve == "ed25519":
            return b"\xed" + self._ed25519.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return self._secp256k1.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)

    def sign(self, message: bytes, *, high_s: bool = False) -> bytes:
        """Return the signature over a message; `high_s`: the one of secp256k1 that no ledger accepts."""
        if self.curve == "ed25519":
            return self._ed25519.sign(message)
        signature = self._sign_digest(hashlib.sha512(message).digest()[:32])
        if not high_s:
            return signature
        r, s = decode_dss_signature(signature)
        return encode_dss_signature(r, ORDER - s)

    def _sign_digest(self, digest: bytes) -> bytes:
        """Sign with the lower S, by RFC 6979: no chance is in it."""
        if _FAST:
            return self._coincurve.sign(digest, hasher=None)
        r, s = decode_dss_signature(self._secp256k1.sign(digest, _DETERMINISTIC))
        return encode_dss_signature(r, min(s, ORDER - s))

    @property
    def _seed(self) -> bytes:
        return hashlib.sha256(self.name.encode()).digest()

    @cached_property
    def _ed25519(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self._seed)

    @cached_property
    def _secp256k1(self) -> EllipticCurvePrivateKey:
        return derive_private_key(int.from_bytes(self._seed, "big"), SECP256K1())

    @cached_property
    def _coincurve(self) -> PrivateKey:
        return PrivateKey(self._seed)


def blob_field(header: str, content: bytes) -> bytes:
    """Return a field of bytes in the ledger's binary format; `header`: its type and number, in hexadecimal.

    Raises:
        ValueError: for more than 192 bytes, which no field of a manifest or validation has.

    """
    if len(content) > _LONGEST_OF_ONE_BYTE:
        raise ValueError(f"expected at most {_LONGEST_OF_ONE_BYTE} bytes, found {len(content)}")
    return bytes.fromhex(header) + bytes([len(content)]) + content
