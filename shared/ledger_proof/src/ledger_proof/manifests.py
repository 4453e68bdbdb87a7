"""Manifests: by which a validator or publisher says with its master key which other key signs for it."""

from typing import Final

import msgspec

from ledger_proof.binary.signed import SignedObject, read_signed
from ledger_proof.errors import Unproven
from ledger_proof.hashes import MANIFEST
from ledger_proof.signatures import KEY_BYTES, is_signed

_REVOKED: Final = 0xFFFF_FFFF
_SIGNATURES = frozenset({"Signature", "MasterSignature"})


class Manifest(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A manifest as it is written; whether its signatures hold is another question (see `check`)."""

    master_key: bytes
    signing_key: bytes
    """Empty: it revokes the master key, and no key signs for it any more."""
    sequence: int
    signed: SignedObject

    @property
    def revokes(self) -> bool:
        """Whether nothing counts any more that its master key has ever named."""
        return self.sequence == _REVOKED

    def check(self) -> None:
        """Check both signatures: the master key's, and the signing key's where it names one.

        Raises:
            Unproven: naming the one that does not hold.

        """
        covered = self.signed.covered(MANIFEST, _SIGNATURES)
        both = (("MasterSignature", self.master_key), ("Signature", self.signing_key))
        for name, key in both[:1] if self.revokes else both:
            if not is_signed(key, covered, self.signed.blob_field("manifest", name)):
                what = f"{name} of the manifest of {self.master_key.hex().upper()}"
                raise Unproven(what, expected=f"one by {key.hex().upper()}", found="another")


def read_manifest(blob: bytes) -> Manifest:
    """Read a manifest without checking its signatures.

    Raises:
        Unproven: if it is none, revokes its master key, or lets the master key sign by itself.

    """
    manifest = read_manifest_or_revocation(blob)
    if manifest.revokes:
        named = manifest.master_key.hex().upper()
        raise Unproven(f"manifest of {named}", expected="a key in use", found="its revocation")
    return manifest


def read_manifest_or_revocation(blob: bytes) -> Manifest:
    """Read a manifest that may revoke its master key, without checking its signatures.

    Raises:
        Unproven: if it is none, or lets the master key sign by itself.

    """
    signed = read_signed("manifest", blob)
    if signed.fields.get("Version", 0) != 0:
        raise Unproven("manifest", expected="version 0", found=str(signed.fields["Version"]))
    sequence, master_key = signed.number("manifest", "Sequence"), signed.blob_field("manifest", "PublicKey")
    if sequence == _REVOKED:
        return Manifest(master_key=master_key, signing_key=b"", sequence=sequence, signed=signed)
    named = master_key.hex().upper()
    signing_key = signed.blob_field("manifest", "SigningPubKey")
    if len(master_key) != KEY_BYTES or len(signing_key) != KEY_BYTES:
        found = f"{len(master_key)} and {len(signing_key)}"
        raise Unproven("manifest", expected=f"keys of {KEY_BYTES} bytes", found=found)
    if signing_key == master_key:
        raise Unproven(f"manifest of {named}", expected="a signing key of its own", found="the master key")
    return Manifest(master_key=master_key, signing_key=signing_key, sequence=sequence, signed=signed)
