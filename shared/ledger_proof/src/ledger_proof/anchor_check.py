"""Whether the ledgers on which a proof hangs are the network's: validators say so, or the reader."""

from collections.abc import Iterable, Sequence

from ledger_proof.confirmation import Confirmation, confirm_ledger
from ledger_proof.errors import Unproven
from ledger_proof.header import LedgerHeader
from ledger_proof.manifests import Manifest
from ledger_proof.trust import ProofEnd, TrustChain, TrustPolicy
from ledger_proof.validations import Validation
from ledger_proof.validator_lists import (
    KNOWN_PUBLISHERS,
    SignedList,
    ValidatorList,
    check_list,
    list_in_force,
)


class NotEnoughVotes(Unproven):
    """Too few votes for an anchor: everything else may still hold."""


class AnchorCheck:
    """The lists and manifests of a proof, checked once, and the confirmation of each of its anchors."""

    def __init__(
        self,
        lists: Iterable[SignedList],
        policy: TrustPolicy,
        chain: TrustChain,
        manifests: Sequence[Manifest] = (),
    ) -> None:
        """Check the lists' signatures and publishers; `manifests`: newer ones than theirs, checked.

        Raises:
            Unproven: naming what does not hold.

        """
        self._policy = policy
        self._chain = chain
        self.lists = self._checked_lists(lists)
        """Of the proof, and the reader's kept copies."""
        self._manifests = manifests
        self.confirmations: list[Confirmation] = []
        self.anchors: dict[int, str] = {}
        self._lack: NotEnoughVotes | None = None
        """The first anchor's that has too few votes."""
        self._hangs_on_hash = False
        """An anchor has no validations, and the reader has not looked up its hash."""

    def confirm(
        self, validations: Sequence[Validation], anchor: LedgerHeader, *, votes_only: bool = False
    ) -> None:
        """Confirm an anchor; `votes_only`: a validation that is nobody's vote makes the proof refused.

        Too few votes are noted for `end`: everything else may still hold.

        Raises:
            Unproven: if a validation is no vote and must be one.

        """
        found = anchor.ledger_hash.hex().upper()
        what = f"ledger {anchor.ledger_index}"
        self.anchors[anchor.ledger_index] = found
        known = self._policy.knows(found)
        if known:
            self._chain.passed(what, expected="a hash that the reader has looked up", found=found)
        if validations:
            try:
                self._count_votes(validations, anchor, votes_only=votes_only)
            except NotEnoughVotes as lack:
                self._lack = self._lack or lack
        elif not known:
            self._hangs_on_hash = True
            expected = "no validations: all hangs on this hash, which anybody can look up"
            self._chain.passed(what, expected=expected, found=found)

    def check_hashes(self) -> None:
        """Check that each hash that the reader has looked up is that of an anchor.

        Raises:
            Unproven: naming one that is not.

        """
        for known in self._policy.ledger_hashes:
            if known.upper() not in self.anchors.values():
                found = ", ".join(f"{one} of ledger {index}" for index, one in self.anchors.items())
                raise Unproven("anchors", expected=f"hash {known.upper()}, as looked up", found=found)

    def end(self, proved: ProofEnd) -> ProofEnd:
        """Return what a proof proves that has held so far: less than `proved` where votes are lacking."""
        if self._lack is not None:
            self._chain.failed(self._lack)
            return ProofEnd.NOT_ENOUGH_VOTES
        return ProofEnd.HANGS_ON_LEDGER_HASH if self._hangs_on_hash else proved

    def _checked_lists(self, lists: Iterable[SignedList]) -> list[ValidatorList]:
        checked = []
        for published in lists:
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
            checked.append(one)
        return [*checked, *(one for one in self._policy.lists if self._policy.trusts(one.publisher))]

    def _count_votes(
        self, validations: Sequence[Validation], anchor: LedgerHeader, *, votes_only: bool
    ) -> None:
        counted = [
            confirm_ledger(anchor, validations, one, self._manifests) for one in self._lists_of(anchor)
        ]
        self.confirmations += counted
        if votes_only:
            _check_all_vote(validations, counted)
        if not any(one.votes for one in counted):
            raise Unproven("validations", expected="votes for this ledger", found=counted[0].refused[0])
        for one in counted:
            if one.confirmed:
                self._chain.passed(
                    f"ledger {anchor.ledger_index} {anchor.ledger_hash.hex().upper()}",
                    expected=f"votes of {one.quorum} of the {one.entries} of list {one.list_sequence}",
                    found=f"{one.votes} votes",
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
        publishers = sorted({one.publisher for one in self.lists})
        if not publishers:
            expected = "one of a publisher that the reader trusts"
            raise Unproven("validator list", expected=expected, found="none")
        lists = [list_in_force(self.lists, publisher, anchor.close_time) for publisher in publishers]
        for one in lists:
            oldest = self._policy.oldest_list(one.publisher)
            if one.sequence < oldest:
                expected = f"sequence {oldest} or later"
                raise Unproven("validator list", expected=expected, found=str(one.sequence))
        return lists


def _check_all_vote(validations: Sequence[Validation], counted: Sequence[Confirmation]) -> None:
    """Refuse a proof with a validation that is nobody's vote: nothing may stand in it unchecked."""
    if len({validation.signing_key for validation in validations}) != len(validations):
        raise Unproven("validations", expected="each validator once", found="one of them twice")
    signers = {key for one in counted for key in one.signers}
    if not {validation.signing_key for validation in validations} <= signers:
        reason = next(reason for one in counted for reason in one.refused)
        raise Unproven("validations", expected="each of them a vote", found=reason)
