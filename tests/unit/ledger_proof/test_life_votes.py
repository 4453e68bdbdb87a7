"""The votes, lists and publishers of a life proof: what is enough, and what is told apart from a forgery."""

from __future__ import annotations

import base64

import life_proofs
import msgspec
from changed_proofs import SESSION, filled_order, proof, refusal, report, with_
from life_proofs import NETWORK, POLICY, proven_session
from made_validators import MadeNetwork, manifest_of

from ledger_proof import (
    LifeProof,
    ProofEnd,
    SignedList,
    TrustPolicy,
    account_bytes,
    assemble_life_proof,
    check_list,
)
from replay_node.made_keys import MadeKey


def votes(blobs: list[bytes]) -> LifeProof:
    texts = [base64.b64encode(blob).decode() for blob in blobs]
    return with_(runs=[msgspec.structs.replace(proof().runs[0], validations=texts)])


def test_one_vote_fewer_than_the_quorum_is_not_enough_and_is_told_apart_from_a_forgery() -> None:
    session = proven_session(SESSION)
    own = life_proofs.validations(session.last.header.ledger_index, session)
    found = report(votes(own[:-1]))
    assert found.end is ProofEnd.NOT_ENOUGH_VOTES
    assert found.chain[-1].found == "27 of 35 (needed 28)"
    assert found.verdict is not None


def test_votes_that_are_none_are_refused() -> None:
    session = proven_session(SESSION)
    header = session.last.header
    own = NETWORK.validations(header, 28)
    assert "each validator once" in refusal(votes([*own, own[0]]))
    assert "each validator once" in refusal(votes([own[0]] * 28))
    for bad in (
        NETWORK.validation(header, 30, flags=0x8000_0000),
        NETWORK.validation(header, 30, high_s=True),
        NETWORK.validation(header, 30, ledger_hash=b"\x01" * 32),
        NETWORK.validation(session.ledgers[0].header, 30),
        MadeNetwork(name="outsiders").validation(header, 1),
    ):
        assert "each of them a vote" in refusal(votes([*own, bad]))
        assert "each of them a vote" in refusal(votes([*own[1:], bad]))


def test_a_list_of_another_publisher_or_out_of_force_is_refused() -> None:
    closed = proven_session(SESSION).last.header.close_time
    assert "trusts" in refusal(proof(), TrustPolicy())
    assert "trusts" in refusal(with_(lists=[MadeNetwork(name="stranger").list]))
    forged = SignedList(
        manifest=NETWORK.list.manifest,
        blob=MadeNetwork(name="forger", size=35).list.blob,
        signature=NETWORK.list.signature,
    )
    assert "a signature by" in refusal(with_(lists=[forged]))
    for other in (MadeNetwork(size=35, expiration=closed), MadeNetwork(size=35, effective=closed + 1)):
        assert "one in force" in refusal(with_(lists=[other.list]))
    assert "found none" in refusal(with_(lists=[]))


def test_an_older_list_than_the_reader_demands_is_refused() -> None:
    demanding = msgspec.structs.replace(POLICY, oldest_lists={NETWORK.trusted: 2})
    assert "sequence 2 or later" in refusal(proof(), demanding)
    assert report(proof(), msgspec.structs.replace(POLICY, oldest_lists={NETWORK.trusted: 1})).closed


def test_a_kept_copy_of_a_newer_list_goes_before_the_files() -> None:
    newer = check_list(MadeNetwork(size=40, sequence=2).list)
    found = report(proof(), msgspec.structs.replace(POLICY, lists=[newer]))
    assert found.end is ProofEnd.NOT_ENOUGH_VOTES
    assert found.confirmations[0].list_sequence == 2


def test_two_publishers_can_be_demanded() -> None:
    second = second_publisher()
    both = TrustPolicy(publishers=[NETWORK.trusted, second.trusted], publishers_needed=2)
    one_alone = report(proof(), both)
    assert one_alone.end is ProofEnd.NOT_ENOUGH_VOTES
    assert "lists of 2 publishers" in one_alone.chain[-1].expected
    found = report(with_(lists=[NETWORK.list, second.list]), both)
    assert found.end is ProofEnd.PROVED_CLOSED
    assert len(found.confirmations) == 2


def second_publisher() -> MadeNetwork:
    """Return a publisher who lists the same validators by another key."""

    class Second(MadeNetwork):
        @property
        def publisher(self) -> MadeKey:
            return MadeKey("second publisher")

    return Second(size=35)


def test_without_validations_all_hangs_on_a_hash_that_the_reader_can_look_up() -> None:
    session = proven_session(SESSION)
    bare = with_(runs=[msgspec.structs.replace(proof().runs[0], validations=[])], lists=[])
    found = report(bare)
    assert found.end is ProofEnd.HANGS_ON_LEDGER_HASH
    header = session.last.header
    shown = header.ledger_hash.hex().upper()
    assert found.anchors == {header.ledger_index: shown}
    known = TrustPolicy(ledger_hashes=[shown.lower()])
    assert report(bare, known).end is ProofEnd.PROVED_CLOSED
    other = TrustPolicy(ledger_hashes=["00" * 32])
    assert "as looked up" in refusal(bare, other)
    assert "as looked up" in refusal(proof(), msgspec.structs.replace(other, publishers=[NETWORK.trusted]))


def test_a_newer_manifest_lets_a_validator_with_a_new_key_vote() -> None:
    session = proven_session(SESSION)
    header, account, sequence = session.last.header, *filled_order()
    new_key = MadeKey("rotated", "secp256k1")
    rotated = NETWORK.validation(header, 27, signing=new_key)
    assembled = assemble_life_proof(
        account=account_bytes(account),
        sequence=sequence,
        steps=session.steps(account, sequence),
        headers=session.headers,
        validations={header.ledger_index: [*NETWORK.validations(header, 27), rotated]},
        lists=[NETWORK.list],
        manifests=[manifest_of(NETWORK.master(27), new_key, 2)],
    )
    assert report(assembled).closed
    forged = manifest_of(NETWORK.master(27), new_key, 2, spoiled="MasterSignature")
    refusal(msgspec.structs.replace(assembled, manifests=[base64.b64encode(forged).decode()]))
