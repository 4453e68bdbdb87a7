"""Signed notes, the format of checkpoints in public logs (C2SP signed-note), with Ed25519 keys.

A note is text, an empty line, and one line for each signature::

    — NAME base64(4 bytes of the key's hash, 64 bytes of signature)

Keys are written as Go's `sumdb/note` writes them: `NAME+HASH+KEY` for who verifies and
`PRIVATE+KEY+NAME+HASH+KEY` for who signs, `KEY` in base64 with one byte for the algorithm before it.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit_log.errors import Refused

_ED25519 = b"\x01"
_KEY_BYTES = 32
_HASH_BYTES = 4
_SIGNATURE_BYTES = 64
_PRIVATE = "PRIVATE+KEY+"
_NAME = re.compile(r"[^\s+]+")
_SIGNATURE_LINE = re.compile(r"— ([^\s+]+) (\S+)")
MOST_SIGNATURES = 100
"""A note with more is refused."""


class VerifierKey(msgspec.Struct, frozen=True):
    """A public key and its name; as text it is what people hand to each other."""

    name: str
    public: bytes

    @property
    def hash(self) -> bytes:
        """The first four bytes of the hash over name, algorithm and key: what signatures name."""
        return hashlib.sha256(f"{self.name}\n".encode() + _ED25519 + self.public).digest()[:_HASH_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.hash.hex()}+{base64.b64encode(_ED25519 + self.public).decode()}"

    def holds(self, text: str, signature: bytes) -> bool:
        """Whether the signature is this key's over the text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except (InvalidSignature, ValueError):
            return False
        return True


class SigningKey:
    """A private key and its name."""

    def __init__(self, name: str, seed: bytes) -> None:
        """Take the key's 32 bytes."""
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.verifier = VerifierKey(name, self._private.public_key().public_bytes_raw())

    @property
    def name(self) -> str:
        """Who signs."""
        return self.verifier.name

    def sign(self, text: str) -> str:
        """Return the signed note of a text, which ends with a line end.

        Raises:
            Refused: the text can't be that of a note.

        """
        _check_text(text)
        signature = base64.b64encode(self.verifier.hash + self._private.sign(text.encode())).decode()
        return f"{text}\n— {self.name} {signature}\n"


def read_verifier_key(written: str) -> VerifierKey:
    """Read `NAME+HASH+KEY`.

    Raises:
        Refused: it is none, or its hash is another's.

    """
    name, public, hashed = _parts(written.strip(), "a verifier key as NAME+HASH+KEY")
    key = VerifierKey(name, public)
    if key.hash != hashed:
        raise Refused(f"expected the hash {key.hash.hex()} in the key of {name}, found {hashed.hex()}")
    return key


def read_signing_key(written: str) -> SigningKey:
    """Read `PRIVATE+KEY+NAME+HASH+KEY`; the error shows nothing of it.

    Raises:
        Refused: it is none, or its hash is another's.

    """
    what = "a signing key as PRIVATE+KEY+NAME+HASH+KEY"
    text = written.strip()
    if not text.startswith(_PRIVATE):
        raise Refused(f"expected {what}, found something else")
    name, seed, hashed = _parts(text.removeprefix(_PRIVATE), what)
    key = SigningKey(name, seed)
    if key.verifier.hash != hashed:
        raise Refused(f"expected the signing key of {name} with the hash of its public key, found another's")
    return key


def write_signing_key(name: str, seed: bytes) -> str:
    """Write a signing key as :func:`read_signing_key` reads it."""
    key = SigningKey(name, seed)
    return f"{_PRIVATE}{name}+{key.verifier.hash.hex()}+{base64.b64encode(_ED25519 + seed).decode()}"


def signed_text(note: str, keys: Iterable[VerifierKey]) -> tuple[str, VerifierKey]:
    """Return the text of a note and the first of the keys that has signed it.

    Raises:
        Refused: it is no note, or none of the keys has signed it.

    """
    text, separator, rest = note.rpartition("\n\n")
    if not separator or not rest.endswith("\n"):
        raise Refused("expected a note: text, an empty line and signatures, found something else")
    text += "\n"
    _check_text(text)
    lines = rest.removesuffix("\n").split("\n")
    found = [_signature(line) for line in lines[:MOST_SIGNATURES]]
    if len(lines) > MOST_SIGNATURES:
        raise Refused(f"expected at most {MOST_SIGNATURES} signatures, found {len(lines)}")
    known = {(key.name, key.hash): key for key in keys}
    for name, hashed, signature in found:
        key = known.get((name, hashed))
        if key is None:
            continue
        if not key.holds(text, signature):
            raise Refused(f"expected a signature of {name} over this text, found one that does not hold")
        return text, key
    names = ", ".join(sorted({name for name, _, _ in found}))
    raise Refused(f"expected a signature by a trusted key, found those of: {names}")


def _signature(line: str) -> tuple[str, bytes, bytes]:
    match = _SIGNATURE_LINE.fullmatch(line)
    blob = _decoded(match[2]) if match else None
    if match is None or blob is None or len(blob) != _HASH_BYTES + _SIGNATURE_BYTES:
        raise Refused("expected a signature line of an Ed25519 key, found something else")
    return match[1], blob[:_HASH_BYTES], blob[_HASH_BYTES:]


def _parts(written: str, what: str) -> tuple[str, bytes, bytes]:
    name, _, rest = written.partition("+")
    hashed, _, key = rest.partition("+")
    blob = _decoded(key)
    try:
        hash_bytes = bytes.fromhex(hashed)
    except ValueError:
        hash_bytes = b""
    if (
        not _NAME.fullmatch(name)
        or len(hash_bytes) != _HASH_BYTES
        or blob is None
        or len(blob) != 1 + _KEY_BYTES
        or blob[:1] != _ED25519
    ):
        raise Refused(f"expected {what} of Ed25519, found something else")
    return name, blob[1:], hash_bytes


def _decoded(written: str) -> bytes | None:
    try:
        return base64.b64decode(written, validate=True)
    except (binascii.Error, ValueError):
        return None


def _check_text(text: str) -> None:
    if not text.endswith("\n") or any(ord(char) < ord(" ") and char != "\n" for char in text):
        raise Refused("expected lines without control characters, found others")
