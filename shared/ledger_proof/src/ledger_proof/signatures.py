"""Signatures of validators and publishers: both curves of the ledger, strictly.

A key has 33 bytes. One that begins with 0xED is of Ed25519 and signs the message itself; one that begins
with 2 or 3 is of secp256k1 and signs the first half of the message's SHA-512. Of a secp256k1 signature
there is a second one over the same message (with the other S): only the lower is taken, in strict DER.
"""

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256K1,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from ledger_proof.hashes import half_sha512

try:
    from coincurve import PublicKey
except ImportError:  # without the extra `fast`: the same answers, seven times slower
    _FAST = False
else:
    _FAST = True

KEY_BYTES: Final = 33
_ED25519, _SECP256K1 = 0xED, {2, 3}
_ED25519_SIGNATURE = 64
_ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
"""Of secp256k1's group."""
_SEQUENCE, _INTEGER = 0x30, 0x02
_PARTS_AT = 2
"""Where in DER the first integer begins."""
_OF_32_BYTES = ECDSA(Prehashed(SHA256()))  # names only the digest's length: the digest is made before


def is_signed(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature is the key's, over the message."""
    if len(key) != KEY_BYTES:
        return False
    try:
        if key[0] == _ED25519:
            if len(signature) != _ED25519_SIGNATURE:
                return False
            Ed25519PublicKey.from_public_bytes(key[1:]).verify(signature, message)
            return True
        if key[0] not in _SECP256K1 or not is_canonical(signature):
            return False
        return _SECP256K1_CHECK(key, half_sha512(message), signature)
    except (InvalidSignature, ValueError):  # ValueError: the key is no point of the curve
        return False


def is_canonical(signature: bytes) -> bool:
    """Whether a secp256k1 signature is in strict DER, and its S the lower of the two."""
    if len(signature) < _PARTS_AT or signature[0] != _SEQUENCE or signature[1] != len(signature) - _PARTS_AT:
        return False
    numbers, at = [], _PARTS_AT
    for _ in range(2):
        if len(signature) < at + 3 or signature[at] != _INTEGER:
            return False
        length = signature[at + 1]
        content = signature[at + 2 : at + 2 + length]
        negative = bool(content) and content[0] > 0x7F  # noqa: PLR2004 - DER's sign bit
        padded = len(content) > 1 and content[0] == 0 and content[1] <= 0x7F  # noqa: PLR2004
        if not length or len(content) != length or negative or padded:
            return False
        numbers.append(int.from_bytes(content, "big"))
        at += 2 + length
    r, s = numbers
    return at == len(signature) and 0 < r < _ORDER and 0 < s <= _ORDER // 2


def by_openssl(key: bytes, digest: bytes, signature: bytes) -> bool:
    """Whether a canonical signature of secp256k1 holds; raises InvalidSignature or ValueError if not."""
    EllipticCurvePublicKey.from_encoded_point(SECP256K1(), key).verify(signature, digest, _OF_32_BYTES)
    return True


def by_libsecp256k1(key: bytes, digest: bytes, signature: bytes) -> bool:
    """Whether a canonical signature of secp256k1 holds; raises ValueError if the key is no point."""
    return bool(PublicKey(key).verify(signature, digest, hasher=None))


_SECP256K1_CHECK = by_libsecp256k1 if _FAST else by_openssl
"""The library that the validators themselves use, where it is installed."""
