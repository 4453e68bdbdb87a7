"""Validations as the stream brings them: checked, counted and bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from made_validators import MadeNetwork, manifest_of

from ledger_proof import CheckedValidations, LedgerHeader, Unproven, check_list
from replay_node.made_keys import MadeKey

if TYPE_CHECKING:
    from ledger_proof import ValidatorList

NETWORK = MadeNetwork()
LIST = check_list(NETWORK.list)
OTHER = MadeNetwork(name="another publisher")


def header(number: int = 0, close_time: int = 1_000) -> LedgerHeader:
    return LedgerHeader(
        ledger_index=100 + number,
        ledger_hash=number.to_bytes(32, "big"),
        total_drops=0,
        parent_hash=bytes(32),
        transaction_root=bytes(32),
        state_root=bytes(32),
        parent_close_time=0,
        close_time=close_time,
        close_resolution=10,
        close_flags=0,
    )


LEDGER = header()


def with_votes(count: int, lists: list[ValidatorList]) -> CheckedValidations:
    kept = CheckedValidations(lists)
    for blob in NETWORK.validations(LEDGER, count):
        assert kept.add_validation(blob) is not None
    return kept


def test_a_ledger_is_confirmed_by_the_vote_that_makes_the_quorum() -> None:
    kept = with_votes(3, [LIST])
    assert kept.votes(LEDGER.ledger_hash, 1_000) == {LIST.publisher: (3, 4)}
    assert not kept.confirms(LEDGER.ledger_hash, 1_000)
    kept.add_validation(NETWORK.validation(LEDGER, 3))
    assert kept.confirms(LEDGER.ledger_hash, 1_000)
    assert [one.signing_key for one in kept.of_ledger(LEDGER.ledger_hash)] == [
        NETWORK.signing(number).public for number in range(4)
    ]
    assert not kept.confirms(header(1).ledger_hash, 1_000)


def test_the_same_vote_counts_once_and_under_a_newer_key_once_too() -> None:
    kept = with_votes(3, [LIST])
    assert kept.add_validation(NETWORK.validation(LEDGER, 2)) is None
    newer = MadeKey("newer", "secp256k1")
    manifest = manifest_of(NETWORK.master(2), newer, sequence=2)
    assert kept.add_manifest(manifest) is not None
    assert kept.add_manifest(manifest) is None
    assert kept.votes(LEDGER.ledger_hash, 1_000)[LIST.publisher] == (2, 4)
    kept.add_validation(NETWORK.validation(LEDGER, 2, signing=newer))
    assert kept.votes(LEDGER.ledger_hash, 1_000)[LIST.publisher] == (3, 4)
    assert [one.signing_key for one in kept.manifests] == [newer.public]


@pytest.mark.parametrize(
    "blob",
    [
        NETWORK.validation(LEDGER, 0, flags=0x8000_0000),
        NETWORK.validation(LEDGER, 0, high_s=True),
        NETWORK.validation(LEDGER, 0)[:-1] + b"\x08",
        b"",
        b"\xff" * 300,
    ],
)
def test_partial_and_badly_signed_validations_are_refused(blob: bytes) -> None:
    kept = CheckedValidations([LIST])
    with pytest.raises(Unproven):
        kept.add_validation(blob)
    assert kept.of_ledger(LEDGER.ledger_hash) == []


def test_a_manifest_that_its_master_has_not_signed_is_refused() -> None:
    kept = CheckedValidations([LIST])
    newer = MadeKey("newer", "secp256k1")
    with pytest.raises(Unproven):
        kept.add_manifest(manifest_of(NETWORK.master(0), newer, sequence=2, spoiled="MasterSignature"))
    assert kept.add_manifest(manifest_of(MadeKey("an outsider"), newer, sequence=2)) is None
    assert kept.manifests == []


def test_an_entry_whose_manifest_does_not_hold_has_no_vote_and_counts_for_the_quorum() -> None:
    spoiled = MadeNetwork(spoiled={0: "Signature"})
    kept = CheckedValidations([check_list(spoiled.list)])
    assert kept.add_validation(spoiled.validation(LEDGER, 0)) is None
    for number in (1, 2, 3):
        kept.add_validation(spoiled.validation(LEDGER, number))
    assert kept.votes(LEDGER.ledger_hash, 1_000) == {LIST.publisher: (3, 4)}


def test_the_newest_list_in_force_when_the_ledger_closed_counts() -> None:
    later = check_list(MadeNetwork(size=6, sequence=2, effective=1_001).list)
    kept = with_votes(4, [LIST, later])
    assert kept.votes(LEDGER.ledger_hash, 1_000) == {LIST.publisher: (4, 4)}
    assert kept.votes(LEDGER.ledger_hash, 1_001) == {LIST.publisher: (4, 5)}


def test_as_many_publishers_must_confirm_as_are_demanded() -> None:
    kept = CheckedValidations([LIST, check_list(OTHER.list)], publishers_needed=2)
    for blob in [*NETWORK.validations(LEDGER), *OTHER.validations(LEDGER, 3)]:
        kept.add_validation(blob)
    assert not kept.confirms(LEDGER.ledger_hash, 1_000)
    kept.add_validation(OTHER.validation(LEDGER, 3))
    assert kept.confirms(LEDGER.ledger_hash, 1_000)


def test_without_lists_whoever_signs_well_is_kept_and_nothing_is_confirmed() -> None:
    kept = with_votes(5, [])
    assert len(kept.of_ledger(LEDGER.ledger_hash)) == 5
    assert not kept.confirms(LEDGER.ledger_hash, 1_000)
    assert kept.add_manifest(manifest_of(NETWORK.master(0), MadeKey("newer", "secp256k1"), sequence=2))
    kept.use_lists([LIST])
    assert kept.votes(LEDGER.ledger_hash, 1_000) == {LIST.publisher: (4, 4)}


def test_of_a_signer_so_many_are_kept_and_the_oldest_go_first() -> None:
    kept = CheckedValidations([LIST])
    for number in range(40):
        kept.add_validation(NETWORK.validation(header(number), 0))
    still_there = [bool(kept.of_ledger(header(number).ledger_hash)) for number in range(40)]
    assert still_there == [False] * 8 + [True] * 32


def test_a_flood_of_signers_takes_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger_proof.checked_validations._SIGNERS", 3)
    kept = CheckedValidations()
    for number in range(5):
        kept.add_validation(NETWORK.validation(LEDGER, number))
        kept.add_manifest(manifest_of(NETWORK.master(number), NETWORK.signing(number)))
    assert len(kept.of_ledger(LEDGER.ledger_hash)) == len(kept.manifests) == 3
