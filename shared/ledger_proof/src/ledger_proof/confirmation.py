"""Whether a quorum of a list's validators signed for a ledger.

One vote a master key, however often it appears and under whichever key it signed. The quorum is taken of
all entries of the list. The ledger's negative list of validators that were away is not in a proof: so a
ledger of such a time may fall short although the network accepted it, and that is no forgery.
"""

from collections.abc import Iterable, Mapping

import msgspec

from ledger_proof.errors import Unproven
from ledger_proof.header import LedgerHeader
from ledger_proof.manifests import Manifest
from ledger_proof.validations import Validation
from ledger_proof.validator_lists import ValidatorList


class Confirmation(msgspec.Struct, frozen=True, kw_only=True):
    """How many of a list's validators signed for a ledger."""

    publisher: bytes
    list_sequence: int
    entries: int
    quorum: int
    voters: frozenset[bytes]
    """Master keys, or the keys themselves of entries without a manifest."""
    signers: frozenset[bytes]
    """The keys with which those signed."""
    refused: tuple[str, ...]
    """Why the other validations did not count."""

    @property
    def votes(self) -> int:
        """How many signed."""
        return len(self.voters)

    @property
    def confirmed(self) -> bool:
        """Whether they are enough."""
        return self.votes >= self.quorum


def confirm_ledger(
    header: LedgerHeader,
    validations: Iterable[Validation],
    validator_list: ValidatorList,
    manifests: Iterable[Manifest] = (),
) -> Confirmation:
    """Count the validators of a list that signed for the ledger with this header.

    `manifests`: newer ones than the list's, for validators that changed their signing key after it.

    Raises:
        Unproven: if the list was not in force when the ledger closed.

    """
    if not validator_list.in_force(header.close_time):
        raise Unproven(
            f"list {validator_list.sequence} of {validator_list.publisher.hex().upper()}",
            expected=f"one in force at {header.close_time}",
            found=f"{validator_list.effective} to {validator_list.expiration}",
        )
    signers = signers_of(validator_list, manifests)
    voters: set[bytes] = set()
    keys: set[bytes] = set()
    refused: list[str] = []
    for validation in validations:
        try:
            voters.add(_voter(header, validation, signers))
            keys.add(validation.signing_key)
        except Unproven as refusal:
            refused.append(str(refusal))
    return Confirmation(
        publisher=validator_list.publisher,
        list_sequence=validator_list.sequence,
        entries=validator_list.entries,
        quorum=validator_list.quorum,
        voters=frozenset(voters),
        signers=frozenset(keys),
        refused=tuple(refused),
    )


def signers_of(validator_list: ValidatorList, newer: Iterable[Manifest]) -> Mapping[bytes, Manifest | None]:
    """Return by signing key the manifest that names it, unchecked; None: the key is an entry itself."""
    manifests = dict(validator_list.manifests)
    for one in newer:
        listed = manifests.get(one.master_key)
        if listed is not None and one.sequence > listed.sequence:
            manifests[one.master_key] = one
    signers: dict[bytes, Manifest | None] = dict.fromkeys(validator_list.bare_keys)
    for one in manifests.values():
        signers.setdefault(one.signing_key, one)
    return signers


def _voter(header: LedgerHeader, validation: Validation, signers: Mapping[bytes, Manifest | None]) -> bytes:
    """Return the key of the entry that a validation is the vote of; raises Unproven if it is none."""
    key = validation.signing_key
    what = f"validation by {key.hex().upper()}"
    if key not in signers:
        raise Unproven(what, expected="a key of the list", found="one that no entry names")
    if (validation.ledger_index, validation.ledger_hash) != (header.ledger_index, header.ledger_hash):
        raise Unproven(
            what,
            expected=f"ledger {header.ledger_index} {header.ledger_hash.hex().upper()}",
            found=f"{validation.ledger_index} {validation.ledger_hash.hex().upper()}",
        )
    if not validation.full:
        raise Unproven(what, expected="a full validation", found="a partial one")
    manifest = signers[key]
    if manifest is not None:
        manifest.check()
    validation.check()
    return key if manifest is None else manifest.master_key
