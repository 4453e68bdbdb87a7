"""Validations: what a validator signs about a ledger, as the stream `validations` and proofs hold it."""

from typing import Final

import msgspec

from ledger_proof.binary.signed import SignedObject, read_signed
from ledger_proof.errors import Unproven
from ledger_proof.hashes import VALIDATION
from ledger_proof.signatures import is_signed

_FULL: Final = 1
"""vfFullValidation: the validator has the ledger and vouches for it; without, it only follows."""
_SIGNATURE = frozenset({"Signature"})


class Validation(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A validation as it is written; whether its signature holds is another question (see `check`)."""

    signing_key: bytes
    ledger_hash: bytes
    ledger_index: int
    full: bool
    signing_time: int
    """Ripple seconds, by the validator's own clock."""
    signed: SignedObject

    def check(self) -> None:
        """Check the signature.

        Raises:
            Unproven: if it does not hold.

        """
        covered = self.signed.covered(VALIDATION, _SIGNATURE)
        signature = self.signed.blob_field("validation", "Signature")
        if not is_signed(self.signing_key, covered, signature):
            key = self.signing_key.hex().upper()
            raise Unproven("validation", expected=f"a signature by {key}", found="another")


def read_validation(blob: bytes) -> Validation:
    """Read a validation (`data` of the stream's message) without checking its signature.

    Raises:
        Unproven: if it is none.

    """
    signed = read_signed("validation", blob)
    return Validation(
        signing_key=signed.blob_field("validation", "SigningPubKey"),
        ledger_hash=signed.blob_field("validation", "LedgerHash"),
        ledger_index=signed.number("validation", "LedgerSequence"),
        full=bool(signed.number("validation", "Flags") & _FULL),
        signing_time=signed.number("validation", "SigningTime"),
        signed=signed,
    )
