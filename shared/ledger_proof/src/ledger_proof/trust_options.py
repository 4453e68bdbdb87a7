"""Whom a reader trusts, as options of a command name it."""

from collections.abc import Sequence

from ledger_proof.errors import Unproven
from ledger_proof.signatures import KEY_BYTES
from ledger_proof.strict_json import from_hex
from ledger_proof.trust import TrustPolicy
from ledger_proof.validator_lists import KNOWN_PUBLISHERS, check_list, read_list_document
from offer_lifecycle import Reserves

_HASH_BYTES = 32


def read_trust(
    *,
    publishers: Sequence[str] = (),
    publishers_needed: int = 1,
    list_documents: Sequence[bytes] = (),
    ledger_hashes: Sequence[str] = (),
    reserves: tuple[int, int] | None = None,
) -> TrustPolicy:
    """Return whom the reader trusts; `publishers`: master keys, by default mainnet's known ones.

    `list_documents`: kept copies of published lists, as their publishers serve them. `reserves`: base and
    increment of the network in drops, by default mainnet's of the time.

    Raises:
        Unproven: if a key, a hash or a list is none, or a list is of nobody whom the reader trusts.

    """
    keys = {from_hex("publisher's key", key, KEY_BYTES).hex().upper() for key in publishers}
    trusted = TrustPolicy(
        publishers=tuple(sorted(keys or KNOWN_PUBLISHERS)),
        publishers_needed=publishers_needed,
        lists=[check_list(one) for document in list_documents for one in read_list_document(document)],
        ledger_hashes=[from_hex("ledger hash", one, _HASH_BYTES).hex().upper() for one in ledger_hashes],
        reserves=Reserves(base=reserves[0], increment=reserves[1]) if reserves else None,
    )
    if not 1 <= publishers_needed <= len(trusted.publishers):
        expected = f"1 to {len(trusted.publishers)}, as many as are trusted"
        raise Unproven("publishers that must agree", expected=expected, found=str(publishers_needed))
    for one in trusted.lists:
        if not trusted.trusts(one.publisher):
            expected = "a publisher whom the reader trusts"
            raise Unproven("kept validator list", expected=expected, found=one.publisher.hex().upper())
    return trusted
