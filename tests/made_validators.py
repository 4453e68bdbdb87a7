"""An invented network for tests: a publisher, its list of validators, and what they sign."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from ledger_proof.hashes import MANIFEST, VALIDATION, length_prefix
from ledger_proof.validator_lists import SignedList
from replay_node.made_keys import MadeKey, blob_field

if TYPE_CHECKING:
    from ledger_proof.header import LedgerHeader

FULL = 0x8000_0001
FOR_EVER = 2**31


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
