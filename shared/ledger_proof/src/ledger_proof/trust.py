"""Whom a reader of a proof trusts, and how a check tells what it found: a chain of trust, step by step."""

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum

import msgspec

from ledger_proof.confirmation import Confirmation
from ledger_proof.errors import Unproven
from ledger_proof.life_verdict import OrderVerdict
from ledger_proof.validator_lists import KNOWN_PUBLISHERS, ValidatorList
from offer_lifecycle import Reserves, Transaction


class ProofEnd(StrEnum):
    """What a proof proves; kept apart, as they mean different things."""

    PROVED_CLOSED = "proved_closed"
    """The whole life of the order, which has ended."""
    PROVED_UNTIL = "proved_until"
    """All that happened to it up to its last step; what came later is not known, never "open"."""
    PROVED_TRANSACTION = "proved_transaction"
    """The one transaction of an XLS-41 file; nothing of what came before or after it."""
    NOT_ENOUGH_VOTES = "not_enough_votes"
    """Too few validators signed. That is no forgery: some may have been away."""
    HANGS_ON_LEDGER_HASH = "hangs_on_ledger_hash"
    """Without validations: proved if the ledgers named as anchors have these hashes."""
    REFUSED = "refused"
    """Something in the file is not as it must be."""


class TrustPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Whom the reader trusts."""

    publishers: Collection[str] = tuple(KNOWN_PUBLISHERS)
    """Master keys of publishers, in hexadecimal."""
    publishers_needed: int = 1
    """How many of them must confirm each anchor, each by its own list."""
    lists: Sequence[ValidatorList] = ()
    """Kept copies of lists, beside those of the file."""
    oldest_lists: Mapping[str, int] = {}
    """By publisher, the least sequence of its list that is accepted."""
    ledger_hashes: Collection[str] = ()
    """Hashes that the reader has looked up: an anchor with one of them needs no validations, and each must be
    that of an anchor."""
    reserves: Reserves | None = None
    """Of the network, which no proof holds: only the cause of an end hangs on them. None: mainnet's."""

    def trusts(self, publisher: bytes) -> bool:
        """Whether lists of the publisher with this master key count."""
        return publisher.hex().upper() in {key.upper() for key in self.publishers}

    def knows(self, ledger_hash: str) -> bool:
        """Whether the reader has looked up this hash, in upper case."""
        return ledger_hash in {known.upper() for known in self.ledger_hashes}

    def oldest_list(self, publisher: bytes) -> int:
        """Return the least sequence that is accepted of a publisher's list."""
        by_key = {key.upper(): sequence for key, sequence in self.oldest_lists.items()}
        return by_key.get(publisher.hex().upper(), 0)


class TrustStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the chain of trust: what was checked, what was expected, what was found."""

    what: str
    expected: str
    found: str
    ok: bool


class TrustChain:
    """The steps of a check as they are taken."""

    def __init__(self) -> None:
        """Begin with none."""
        self.steps: list[TrustStep] = []

    def passed(self, what: str, *, expected: str, found: str) -> None:
        """Add a step that holds."""
        self.steps.append(TrustStep(what=what, expected=expected, found=found, ok=True))

    def failed(self, failure: Unproven) -> None:
        """Add the step at which the chain ends."""
        self.steps.append(
            TrustStep(what=failure.what, expected=failure.expected, found=failure.found, ok=False)
        )


class ProofReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found out. All figures in it were computed by the check."""

    end: ProofEnd
    chain: tuple[TrustStep, ...]
    account: str | None = None
    sequence: int | None = None
    closed: bool = False
    """The last step ended the order, whatever the votes."""
    last_ledger_index: int | None = None
    """The ledger of the last step: what is proved is proved up to it."""
    anchors: Mapping[int, str] = {}
    """Hashes by index of the ledgers on which everything else hangs."""
    confirmations: tuple[Confirmation, ...] = ()
    verdict: OrderVerdict | None = None
    """Of a life proof."""
    transaction: Transaction | None = None
    """Of an XLS-41 file."""
