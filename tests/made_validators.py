"""An invented network for tests: a publisher, its list of validators, and what they sign."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256K1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ledger_proof.hashes import MANIFEST, VALIDATION, half_sha512, length_prefix
from ledger_proof.validator_lists import SignedList

if TYPE_CHECKING:
    from ledger_proof.header import LedgerHeader

ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
FULL = 0x8000_0001
FOR_EVER = 2**31


@dataclass(frozen=True)
class MadeKey:
    """A key pair of either curve, derived from a name."""

    name: str
    curve: str = "ed25519"

    @cached_property
    def public(self) -> bytes:
        if self.curve == "ed25519":
            return b"\xed" + self._ed25519.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return self._secp256k1.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)

    def sign(self, message: bytes, *, high_s: bool = False) -> bytes:
        if self.curve == "ed25519":
            return self._ed25519.sign(message)
        r, s = decode_dss_signature(self._secp256k1.sign(half_sha512(message), ECDSA(Prehashed(SHA256()))))
        low = min(s, ORDER - s)
        return encode_dss_signature(r, ORDER - low if high_s else low)

    @property
    def _seed(self) -> bytes:
        return hashlib.sha256(self.name.encode()).digest()

    @cached_property
    def _ed25519(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self._seed)

    @cached_property
    def _secp256k1(self):  # noqa: ANN202
        return derive_private_key(int.from_bytes(self._seed, "big") % ORDER, SECP256K1())


def blob_field(header: str, content: bytes) -> bytes:
    return bytes.fromhex(header) + length_prefix(len(content)) + content


def manifest_of(master: MadeKey, signing: MadeKey, sequence: int = 1, *, spoiled: str = "") -> bytes:
    """Return a manifest; `spoiled`: which of its two signatures is not right."""
    fields = bytes.fromhex("24") + sequence.to_bytes(4, "big")
    fields += blob_field("71", master.public) + blob_field("73", signing.public)
    wrong = MadeKey("nobody", signing.curve), MadeKey("nobody", master.curve)
    own = (wrong[0] if spoiled == "Signature" else signing).sign(MANIFEST + fields)
    by_master = (wrong[1] if spoiled == "MasterSignature" else master).sign(MANIFEST + fields)
    return fields + blob_field("76", own) + blob_field("7012", by_master)


@dataclass(frozen=True)
class MadeNetwork:
    """Validators with a publisher that lists them."""

    size: int = 5
    name: str = "made"
    effective: int | None = None
    expiration: int = FOR_EVER
    sequence: int = 1
    spoiled: dict[int, str] = field(default_factory=dict, hash=False)
    """By validator, which signature of its manifest is not right."""

    @property
    def publisher(self) -> MadeKey:
        return MadeKey(f"{self.name} publisher")

    @property
    def trusted(self) -> str:
        return self.publisher.public.hex().upper()

    def master(self, number: int) -> MadeKey:
        return MadeKey(f"{self.name} master {number}")

    def signing(self, number: int) -> MadeKey:
        return MadeKey(f"{self.name} signing {number}", "secp256k1")

    @cached_property
    def manifest(self) -> bytes:
        return manifest_of(self.publisher, self.list_key)

    @property
    def list_key(self) -> MadeKey:
        return MadeKey(f"{self.name} list key")

    @cached_property
    def list(self) -> SignedList:
        blob = json.dumps(self.listed).encode()
        return SignedList(
            manifest=base64.b64encode(self.manifest).decode(),
            blob=base64.b64encode(blob).decode(),
            signature=self.list_key.sign(blob).hex().upper(),
        )

    @property
    def listed(self) -> dict[str, object]:
        entries = []
        for number in range(self.size):
            manifest = manifest_of(
                self.master(number), self.signing(number), spoiled=self.spoiled.get(number, "")
            )
            key = self.master(number).public.hex().upper()
            entries.append({"validation_public_key": key, "manifest": base64.b64encode(manifest).decode()})
        times = {} if self.effective is None else {"effective": self.effective}
        return {"sequence": self.sequence, "expiration": self.expiration, **times, "validators": entries}

    def validation(  # noqa: PLR0913 - each is one way to be wrong
        self,
        header: LedgerHeader,
        number: int,
        *,
        flags: int = FULL,
        ledger_hash: bytes | None = None,
        signing: MadeKey | None = None,
        high_s: bool = False,
    ) -> bytes:
        """Return a validator's validation of a ledger."""
        key = signing or self.signing(number)
        before = bytes.fromhex("22") + flags.to_bytes(4, "big")
        before += bytes.fromhex("26") + header.ledger_index.to_bytes(4, "big")
        before += bytes.fromhex("29") + header.close_time.to_bytes(4, "big")
        before += bytes.fromhex("3A") + number.to_bytes(8, "big")
        before += (
            bytes.fromhex("51") + (ledger_hash or header.ledger_hash) + bytes.fromhex("5017") + bytes(32)
        )
        before += blob_field("73", key.public)
        after = bytes.fromhex("0313") + length_prefix(32) + bytes(31) + b"\x07"  # Amendments stand behind it
        return before + blob_field("76", key.sign(VALIDATION + before + after, high_s=high_s)) + after

    def validations(self, header: LedgerHeader, count: int | None = None) -> list[bytes]:
        """Return the validations of the first validators."""
        return [self.validation(header, number) for number in range(self.size if count is None else count)]
