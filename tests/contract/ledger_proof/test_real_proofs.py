"""Proofs and lists of real networks, which lie beside the project and not in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ledger_proof import (
    KNOWN_PUBLISHERS,
    ProofEnd,
    TrustPolicy,
    Unproven,
    check_list,
    check_proof,
    read_list_document,
    read_validation,
)

DATA = Path(__file__).parents[4] / "shared" / "xpop" / "data"
TESTNET = "ED264807102805220DA0F312E71FC2C69E1552C9C5790F6C25E3729DEB573D5860"
pytestmark = pytest.mark.skipif(
    not DATA.exists(), reason="the samples are not beside the project (../shared/xpop)"
)


@pytest.mark.parametrize(
    ("name", "votes", "entries", "kind"),
    [
        ("mainnet_83576782_list_form", 33, 35, "AccountSet"),
        ("testnet_39419653_tree_form", 6, 6, "NFTokenBurn"),
        ("toolkit_10_validators", 10, 10, "AccountSet"),
        ("xahaud_test_min", 2, 2, "AccountSet"),
        ("xahaud_test_unl_seq_2_1", 3, 3, "AccountSet"),
    ],
)
def test_a_real_xls41_file_is_accepted_by_its_real_signatures(
    name: str, votes: int, entries: int, kind: str
) -> None:
    document = (DATA / f"{name}.json").read_bytes()
    label = json.loads(document)["validation"]["unl"][
        "public_key"
    ]  # of private networks nobody knows another
    trusted = [*KNOWN_PUBLISHERS, TESTNET, *([label] if entries in {2, 3, 10} else [])]
    found = check_proof(document, TrustPolicy(publishers=trusted))
    assert found.end is ProofEnd.PROVED_TRANSACTION, found.chain[-1]
    assert [(one.votes, one.entries) for one in found.confirmations] == [(votes, entries)]
    assert found.transaction is not None
    assert found.transaction.type == kind


@pytest.mark.parametrize(
    ("name", "sequence", "entries"),
    [
        ("ripple_2017-11-16", 1, 5),
        ("ripple_2018-06-01", 19, 16),
        ("ripple_2021-07-16", 67, 41),
        ("ripple_2023-03-27", 75, 36),
        ("ripple_2023-04-28", 76, 35),
        ("ripple_2024-03-15", 77, 35),
        ("ripple_2024-09-01", 79, 35),
        ("ripple_2025-11-11", 82, 35),
        ("ripple_2026-04-07", 85, 35),
        ("xrplf_2022051601", 2022051601, 35),
    ],
)
def test_a_published_list_is_signed_by_a_known_publisher(name: str, sequence: int, entries: int) -> None:
    (signed,) = read_list_document((DATA / "vl" / f"{name}.json").read_bytes())
    found = check_list(signed)
    assert (found.sequence, found.entries) == (sequence, entries)
    assert found.publisher.hex().upper() in KNOWN_PUBLISHERS
    for manifest in found.manifests.values():
        manifest.check()
    assert len(found.manifests) + len(found.bare_keys) == entries


@pytest.mark.parametrize("name", ["devnet_bithomp", "secp256k1_signing_key_bithomp", "v2_example_bithomp"])
def test_lists_of_version_two_and_keys_of_the_other_curve_are_read(name: str) -> None:
    for signed in read_list_document((DATA / "vl" / f"{name}.json").read_bytes()):
        assert check_list(signed).manifests


def test_a_publisher_that_signs_with_its_master_key_is_refused() -> None:
    (signed,) = read_list_document((DATA / "vl" / "INVALID_bithomp.json").read_bytes())
    with pytest.raises(Unproven, match="a signing key of its own"):
        check_list(signed)


def test_the_validations_of_2023_are_a_quorum_by_the_list_of_their_time_alone() -> None:
    document = json.loads((DATA / "mainnet_83576782_list_form.json").read_bytes())
    votes = [read_validation(bytes.fromhex(one)) for one in document["validation"]["data"].values()]
    counts = {}
    for name in ("ripple_2023-04-28", "ripple_2024-03-15", "ripple_2024-09-01", "ripple_2025-11-11"):
        (signed,) = read_list_document((DATA / "vl" / f"{name}.json").read_bytes())
        keys = {manifest.signing_key for manifest in check_list(signed).manifests.values()}
        counts[name] = sum(vote.signing_key in keys for vote in votes)
    assert list(counts.values()) == [33, 30, 27, 21]


def test_a_real_message_of_the_stream_is_a_full_validation_with_its_signature() -> None:
    message = json.loads((DATA / "stream_validation_testnet_or_devnet_4254081.json").read_bytes())
    validation = read_validation(bytes.fromhex(message["data"]))
    validation.check()
    assert validation.full
    assert validation.ledger_hash.hex().upper() == message["ledger_hash"]
