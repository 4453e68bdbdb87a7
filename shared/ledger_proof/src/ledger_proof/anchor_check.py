"""Whether the ledgers on which a life proof hangs are the network's: validators say so, or the reader."""

from collections.abc import Sequence

from ledger_proof.confirmation import Confirmation, confirm_ledger
from ledger_proof.errors import Unproven
from ledger_proof.header import LedgerHeader
from ledger_proof.life_document import LifeProof, Run
from ledger_proof.manifests import Manifest, read_manifest
from ledger_proof.strict_json import from_base64
from ledger_proof.trust import TrustChain, TrustPolicy
from ledger_proof.validations import Validation, read_validation
from ledger_proof.validator_lists import KNOWN_PUBLISHERS, ValidatorList, check_list, list_in_force


class NotEnoughVotes(Unproven):
    """Too few votes for an anchor: everything else may still hold."""


class AnchorCheck:
    """The lists and manifests of a proof, checked once, and the confirmation of each of its anchors."""

    def __init__(self, proof: LifeProof, policy: TrustPolicy, chain: TrustChain) -> None:
        """Check the lists' signatures and publishers, and the newer manifests.

        Raises:
            Unproven: naming what does not hold.

        """
        self._policy = policy
        self._chain = chain
        self._lists = self._checked_lists(proof)
        self._manifests: list[Manifest] = []
        for text in proof.manifests:
            manifest = read_manifest(from_base64("manifest", text))
            manifest.check()
            self._manifests.append(manifest)
        self.confirmations: list[Confirmation] = []
        self.anchors: dict[int, str] = {}
        self.hangs_on_hash = False
        """An anchor has no validations, and the reader has not looked up its hash."""

    def confirm(self, run: Run, anchor: LedgerHeader) -> None:
        """Confirm a run's last ledger.

        Raises:
            NotEnoughVotes: if too few validators signed for it.
            Unproven: if it has another hash than the reader's, or a validation is no vote.

        """
        found = anchor.ledger_hash.hex().upper()
        what = f"ledger {anchor.ledger_index}"
        self.anchors[anchor.ledger_index] = found
        known = self._policy.ledger_hashes.get(anchor.ledger_index)
        if known is not None:
            if known.upper() != found:
                raise Unproven(what, expected=f"hash {known.upper()}, as looked up", found=found)
            self._chain.passed(what, expected="the hash that the reader has looked up", found=found)
        if run.validations:
            self._count_votes(run, anchor)
        elif known is None:
            self.hangs_on_hash = True
            expected = "no validations: all hangs on this hash, which anybody can look up"
            self._chain.passed(what, expected=expected, found=found)

    def _checked_lists(self, proof: LifeProof) -> list[ValidatorList]:
        lists = []
        for published in proof.lists:
            one = check_list(published)
            publisher = one.publisher.hex().upper()
            if not self._policy.trusts(one.publisher):
                expected = "a publisher that the reader trusts"
                raise Unproven("validator list", expected=expected, found=publisher)
            self._chain.passed(
                f"list {one.sequence} of {one.entries} validators",
                expected="signed by a publisher that the reader trusts",
                found=f"{publisher}, {KNOWN_PUBLISHERS.get(publisher, 'whom the reader named')}",
            )
            lists.append(one)
        return [*lists, *(one for one in self._policy.lists if self._policy.trusts(one.publisher))]

    def _count_votes(self, run: Run, anchor: LedgerHeader) -> None:
        validations = [read_validation(from_base64("validation", text)) for text in run.validations]
        if len({validation.signing_key for validation in validations}) != len(validations):
            raise Unproven("validations", expected="each validator once", found="one of them twice")
        counted = [
            confirm_ledger(anchor, validations, one, self._manifests) for one in self._lists_of(anchor)
        ]
        self.confirmations += counted
        _check_all_vote(validations, counted)
        for one in counted:
            if one.confirmed:
                self._chain.passed(
                    f"ledger {anchor.ledger_index} {anchor.ledger_hash.hex().upper()}",
                    expected=f"signed by {one.quorum} of {one.entries} of list {one.list_sequence}",
                    found=f"{one.votes}",
                )
        needed = self._policy.publishers_needed
        if sum(one.confirmed for one in counted) < needed:
            counts = (f"{one.votes} of {one.entries} (needed {one.quorum})" for one in counted)
            raise NotEnoughVotes(
                f"validations of ledger {anchor.ledger_index}",
                expected=f"enough by the lists of {needed} publisher{'s' if needed > 1 else ''}",
                found=", ".join(counts),
            )

    def _lists_of(self, anchor: LedgerHeader) -> Sequence[ValidatorList]:
        """Return each publisher's list that was in force when the anchor closed."""
        publishers = sorted({one.publisher for one in self._lists})
        if not publishers:
            expected = "one of a publisher that the reader trusts"
            raise Unproven("validator list", expected=expected, found="none")
        lists = [list_in_force(self._lists, publisher, anchor.close_time) for publisher in publishers]
        for one in lists:
            oldest = self._policy.oldest_list(one.publisher)
            if one.sequence < oldest:
                expected = f"sequence {oldest} or later"
                raise Unproven("validator list", expected=expected, found=str(one.sequence))
        return lists


def _check_all_vote(validations: Sequence[Validation], counted: Sequence[Confirmation]) -> None:
    """Refuse a proof with a validation that is nobody's vote: nothing may stand in it unchecked."""
    signers = {key for one in counted for key in one.signers}
    if not {validation.signing_key for validation in validations} <= signers:
        reason = next(reason for one in counted for reason in one.refused)
        raise Unproven("validations", expected="each of them a vote", found=reason)
