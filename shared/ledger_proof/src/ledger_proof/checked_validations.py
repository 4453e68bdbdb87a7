"""Validations as the stream brings them: each is checked when it comes, and kept by the ledger it is for.

They exist only in passing: no server returns old ones. Anybody can send some, also for ledgers that never
became valid, so what is kept is bounded: so many of each signer, and so many signers.
"""

from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from typing import Final

from ledger_proof.confirmation import signers_of
from ledger_proof.errors import Unproven
from ledger_proof.manifests import Manifest, read_manifest_or_revocation
from ledger_proof.validations import Validation, read_validation
from ledger_proof.validator_lists import ValidatorList

_OF_A_SIGNER: Final = 32
"""Validations that are kept of one signing key: the ledgers of some two minutes."""
_SIGNERS: Final = 512
"""Signing keys, and manifests, that are kept; mainnet has some 200 validators."""


class CheckedValidations:
    """The newest validations whose signatures hold: of the lists' validators, without lists of everybody."""

    def __init__(self, lists: Sequence[ValidatorList] = (), *, publishers_needed: int = 1) -> None:
        """`publishers_needed`: how many publishers must confirm a ledger, each by its own list."""
        self._needed = publishers_needed
        self._manifests: OrderedDict[bytes, Manifest] = OrderedDict()
        """By master key, the newest that came; each is checked."""
        self._by_signer: OrderedDict[bytes, deque[Validation]] = OrderedDict()
        """The signer that was heard last stands last."""
        self._by_ledger: dict[bytes, dict[bytes, Validation]] = {}
        self.use_lists(lists)

    @property
    def lists(self) -> Sequence[ValidatorList]:
        """The lists whose validators count; none: whoever signs well is kept, and no ledger is confirmed."""
        return self._lists

    @property
    def manifests(self) -> Sequence[Manifest]:
        """The manifests that came and are newer than the lists', of validators who changed their key."""
        return [one for one in self._manifests.values() if not one.revokes]

    def use_lists(self, lists: Sequence[ValidatorList]) -> None:
        """Count by these lists from now on; what was kept before stays."""
        self._lists = tuple(lists)
        for one in list(self._manifests.values()):
            if self._lists and not self._is_news(one):
                del self._manifests[one.master_key]
        self._find_signers()

    def add_manifest(self, blob: bytes) -> Manifest | None:
        """Keep a manifest that names a newer signing key of a validator, or none; None: it is nothing new.

        Raises:
            Unproven: if it is none, or a signature of it does not hold.

        """
        manifest = read_manifest_or_revocation(blob)
        known = self._manifests.get(manifest.master_key)
        if known is not None and known.sequence >= manifest.sequence:
            return None
        if self._lists and not self._is_news(manifest):
            return None
        manifest.check()
        self._manifests[manifest.master_key] = manifest
        if len(self._manifests) > _SIGNERS:
            self._manifests.popitem(last=False)
        self._find_signers()
        return manifest

    def add_validation(self, blob: bytes) -> Validation | None:
        """Keep a full validation; None: it was kept before, or it is of nobody whom a list names.

        Raises:
            Unproven: if it is none, a partial one, or its signature does not hold.

        """
        validation = read_validation(blob)
        key, ledger = validation.signing_key, validation.ledger_hash
        if key in self._by_ledger.get(ledger, {}) or (self._lists and key not in self._listed):
            return None
        if not validation.full:
            raise Unproven("validation", expected="a full one", found="a partial one")
        validation.check()
        self._by_ledger.setdefault(ledger, {})[key] = validation
        own = self._by_signer.setdefault(key, deque())
        own.append(validation)
        self._by_signer.move_to_end(key)
        if len(own) > _OF_A_SIGNER:
            self._forget(own.popleft())
        if len(self._by_signer) > _SIGNERS:
            _, oldest = self._by_signer.popitem(last=False)
            for one in oldest:
                self._forget(one)
        return validation

    def of_ledger(self, ledger_hash: bytes) -> Sequence[Validation]:
        """Return the validations of a ledger so far."""
        return list(self._by_ledger.get(ledger_hash, {}).values())

    def votes(self, ledger_hash: bytes, close_time: int) -> Mapping[bytes, tuple[int, int]]:
        """Return by publisher how many of its list voted for a ledger, and how many must.

        `close_time`: the ledger's, in ripple seconds: the newest list that was in force then counts.
        """
        signers = self._by_ledger.get(ledger_hash, {}).keys()
        newest: dict[bytes, ValidatorList] = {}
        for one in sorted(self._lists, key=lambda listed: listed.sequence):
            if one.in_force(close_time):
                newest[one.publisher] = one
        counted = {}
        for publisher, one in newest.items():
            masters = self._signers[one.published.signature]
            voters = {masters[key] for key in signers if key in masters}
            counted[publisher] = len(voters), one.quorum
        return counted

    def confirms(self, ledger_hash: bytes, close_time: int) -> bool:
        """Whether enough publishers' validators signed for the ledger with this hash, which closed then."""
        votes = self.votes(ledger_hash, close_time).values()
        return sum(count >= quorum for count, quorum in votes) >= self._needed

    def confirmed_hash(self, ledger_index: int, close_time: int) -> bytes | None:
        """Return the hash of a ledger with this index that is confirmed; None: none is so far."""
        for ledger_hash, signed in self._by_ledger.items():
            named = next(iter(signed.values())).ledger_index == ledger_index
            if named and self.confirms(ledger_hash, close_time):
                return ledger_hash
        return None

    def _is_news(self, manifest: Manifest) -> bool:
        """Whether a list names this validator, by an older manifest."""
        listed = [one.manifests.get(manifest.master_key) for one in self._lists]
        return any(one is not None and manifest.sequence > one.sequence for one in listed)

    def _find_signers(self) -> None:
        """Find who signs for whom, by list: an entry whose manifest does not hold has no vote."""
        self._signers = {
            one.published.signature: {
                key: key if manifest is None else manifest.master_key
                for key, manifest in signers_of(one, self._manifests.values()).items()
                if manifest is None or self._holds(manifest)
            }
            for one in self._lists
        }
        self._listed = {key for signers in self._signers.values() for key in signers}

    def _holds(self, manifest: Manifest) -> bool:
        if manifest is self._manifests.get(manifest.master_key):
            return True
        try:
            manifest.check()
        except Unproven:
            return False
        return True

    def _forget(self, validation: Validation) -> None:
        of_ledger = self._by_ledger[validation.ledger_hash]
        del of_ledger[validation.signing_key]
        if not of_ledger:
            del self._by_ledger[validation.ledger_hash]
