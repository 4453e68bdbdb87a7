from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography.exceptions import InvalidSignature
from made_validators import MadeNetwork, manifest_of

from ledger_proof.base58 import account_bytes, node_key_bytes, node_key_text
from ledger_proof.confirmation import Confirmation, confirm_ledger
from ledger_proof.errors import Unproven
from ledger_proof.hashes import VALIDATION, half_sha512
from ledger_proof.header import LedgerHeader, read_header, write_header
from ledger_proof.manifests import read_manifest
from ledger_proof.signatures import by_libsecp256k1, by_openssl, is_canonical, is_signed
from ledger_proof.strict_json import from_base64, read_json
from ledger_proof.validations import read_validation
from ledger_proof.validator_lists import SignedList, check_list, list_in_force, read_list_document
from replay_node.made_keys import MadeKey, blob_field

if TYPE_CHECKING:
    from collections.abc import Callable

NETWORK = MadeNetwork()
CLOSED = 850_000_000


def header(close_time: int = CLOSED) -> LedgerHeader:
    made = LedgerHeader(
        ledger_index=100,
        ledger_hash=b"",
        total_drops=10**17,
        parent_hash=bytes(32),
        transaction_root=bytes(32),
        state_root=bytes(32),
        parent_close_time=close_time - 4,
        close_time=close_time,
        close_resolution=10,
        close_flags=0,
    )
    return read_header(write_header(made))


def counted(
    blobs: list[bytes], network: MadeNetwork = NETWORK, newer: tuple[bytes, ...] = ()
) -> Confirmation:
    return confirm_ledger(
        header(), map(read_validation, blobs), check_list(network.list), map(read_manifest, newer)
    )


@pytest.mark.parametrize(("votes", "enough"), [(5, True), (4, True), (3, False), (0, False)])
def test_four_fifths_of_all_entries_confirm_a_ledger(votes: int, enough: bool) -> None:  # noqa: FBT001
    found = counted(NETWORK.validations(header(), votes))
    assert (found.votes, found.entries, found.quorum, found.confirmed) == (votes, 5, 4, enough)


@pytest.mark.parametrize(
    ("entries", "quorum"), [(35, 28), (36, 29), (34, 28), (6, 5), (5, 4), (1, 1), (10, 8)]
)
def test_the_quorum_is_rounded_up(entries: int, quorum: int) -> None:
    assert check_list(MadeNetwork(size=entries).list).quorum == quorum


def test_one_validator_votes_once_however_often_it_signs() -> None:
    again = [NETWORK.validation(header(), 0), NETWORK.validation(header(), 0, flags=0x8000_0041)]
    assert counted([*again, *again]).votes == 1


@pytest.mark.parametrize(
    ("blob", "reason"),
    [
        (NETWORK.validation(header(), 0, flags=0x8000_0000), "a full validation, found a partial one"),
        (NETWORK.validation(header(), 0, ledger_hash=b"\x01" * 32), "expected ledger 100"),
        (NETWORK.validation(header(), 0, high_s=True), "expected a signature by"),
        (NETWORK.validation(header(), 0, signing=MadeKey("stranger", "secp256k1")), "that no entry names"),
        (NETWORK.validation(header(CLOSED + 1), 0), "expected ledger 100"),
    ],
)
def test_what_is_no_vote_is_not_counted_and_says_why(blob: bytes, reason: str) -> None:
    found = counted([blob, *NETWORK.validations(header())[1:]])
    assert found.votes == 4
    assert reason in found.refused[0]


@pytest.mark.parametrize("signature", ["Signature", "MasterSignature"])
def test_an_entry_with_a_false_manifest_has_no_vote_and_still_counts_for_the_quorum(signature: str) -> None:
    network = MadeNetwork(spoiled={0: signature, 1: signature})
    found = counted(network.validations(header()), network)
    assert (found.votes, found.entries, found.quorum, found.confirmed) == (3, 5, 4, False)


def test_a_validator_that_changed_its_key_votes_by_its_newer_manifest() -> None:
    new_key = MadeKey("rotated", "secp256k1")
    vote = NETWORK.validation(header(), 0, signing=new_key)
    newer = manifest_of(NETWORK.master(0), new_key, sequence=2)
    assert counted([vote]).votes == 0
    assert counted([vote], newer=(newer,)).votes == 1
    assert counted([vote], newer=(manifest_of(NETWORK.master(0), new_key, sequence=1),)).votes == 0
    assert counted([vote], newer=(manifest_of(MadeKey("outsider"), new_key, sequence=2),)).votes == 0
    forged = manifest_of(NETWORK.master(0), new_key, sequence=2, spoiled="MasterSignature")
    assert counted([vote], newer=(forged,)).votes == 0
    assert counted([NETWORK.validation(header(), 0)], newer=(newer,)).votes == 0, "the old key is out of use"


@pytest.mark.parametrize(
    "network",
    [MadeNetwork(expiration=CLOSED), MadeNetwork(effective=CLOSED + 1)],
    ids=["expired", "not yet in force"],
)
def test_a_list_is_judged_by_the_time_at_which_the_ledger_closed(network: MadeNetwork) -> None:
    with pytest.raises(Unproven, match=f"one in force at {CLOSED}"):
        counted(network.validations(header()), network)
    edge = replace(network, expiration=CLOSED + 1, effective=CLOSED)
    assert counted(edge.validations(header()), edge).confirmed


def test_the_newest_of_a_publishers_lists_in_force_is_taken() -> None:
    lists = [check_list(MadeNetwork(sequence=number, size=number + 1).list) for number in (1, 3, 2)]
    later = check_list(MadeNetwork(sequence=9, effective=CLOSED + 1).list)
    publisher = NETWORK.publisher.public
    assert list_in_force([*lists, later], publisher, CLOSED).sequence == 3
    with pytest.raises(Unproven, match="found no list"):
        list_in_force(lists, b"\xed" * 33, CLOSED)


def test_a_list_signed_by_another_key_than_its_manifests_is_refused() -> None:
    other = MadeNetwork(name="other")
    forged = SignedList(manifest=NETWORK.list.manifest, blob=other.list.blob, signature=other.list.signature)
    with pytest.raises(Unproven, match="expected a signature by"):
        check_list(forged)


def test_a_publishers_manifest_that_names_its_own_master_key_is_refused() -> None:
    with pytest.raises(Unproven, match="a signing key of its own"):
        read_manifest(manifest_of(NETWORK.publisher, NETWORK.publisher))


def test_a_revoked_manifest_is_refused() -> None:
    with pytest.raises(Unproven, match="a key in use, found its revocation"):
        read_manifest(manifest_of(NETWORK.publisher, NETWORK.list_key, sequence=0xFFFF_FFFF))


def test_a_manifest_of_another_version_is_refused() -> None:
    plain = manifest_of(NETWORK.master(0), NETWORK.signing(0))
    with pytest.raises(Unproven, match="version 0, found 1"):
        read_manifest(bytes.fromhex("10100001") + plain)


def test_a_signed_object_with_its_fields_out_of_order_or_cut_short_is_refused() -> None:
    whole = NETWORK.validation(header(), 0)
    with pytest.raises(Unproven, match="in order"):
        read_validation(whole[5:10] + whole[:5] + whole[10:])
    with pytest.raises(Unproven):
        read_validation(whole[:-1])
    with pytest.raises(Unproven, match="at most 4,096 bytes"):
        read_validation(whole + bytes(5000))
    with pytest.raises(Unproven, match="expected a SigningPubKey"):
        read_validation(whole[:10])


def test_amendments_behind_the_signature_are_covered_by_it() -> None:
    whole = NETWORK.validation(header(), 0)
    read_validation(whole).check()
    with pytest.raises(Unproven, match="a signature by"):
        read_validation(whole[:-1] + b"\x08").check()


def test_a_list_of_version_two_gives_each_of_its_lists() -> None:
    own = NETWORK.list
    other_key = MadeKey("later list key")
    blob = json.dumps(NETWORK.listed | {"sequence": 2}).encode()
    later = {
        "blob": base64.b64encode(blob).decode(),
        "signature": other_key.sign(blob).hex(),
        "manifest": base64.b64encode(manifest_of(NETWORK.publisher, other_key, 2)).decode(),
    }
    document = {
        "public_key": "ignored",
        "manifest": own.manifest,
        "version": 2,
        "blobs_v2": [{"blob": own.blob, "signature": own.signature}, later],
    }
    lists = [check_list(one) for one in read_list_document(json.dumps(document).encode())]
    assert [one.sequence for one in lists] == [1, 2]


@pytest.mark.parametrize(
    "document",
    [
        b'{"version":1,"version":1}',
        b'{"version":1e2}',
        b'{"version":NaN}',
        b'{"a":' + b"[" * 100 + b"]" * 100 + b"}",
        b"[" * 200_000,
        b'{"manifest":1,"version":1}',
        b"\xff\xfe",
        b'{"manifest":"","version":1}',
        b" " * 3_000_000,
    ],
    ids=["repeated", "1e2", "NaN", "deep", "deeper", "wrong type", "no text", "no blob", "too large"],
)
def test_a_document_that_is_no_strict_json_is_refused(document: bytes) -> None:
    with pytest.raises(Unproven):
        list(read_list_document(document))


def test_brackets_inside_texts_do_not_count_as_depth() -> None:
    document = json.dumps({"a": "[" * 500 + '"\\' + "[" * 500}).encode()
    assert read_json("text", document, dict, largest=10_000)


@pytest.mark.parametrize("text", ["QUI", "QUJ=", "QU I=", "QUI=\n", "QUJD!", "QUI=="])
def test_base64_that_is_not_written_in_its_one_way_is_refused(text: str) -> None:
    assert from_base64("text", "QUI=") == b"AB"
    with pytest.raises(Unproven):
        from_base64("text", text)


@pytest.mark.parametrize("curve", ["ed25519", "secp256k1"])
def test_a_signature_holds_for_its_key_and_message_alone(curve: str) -> None:
    key, other = MadeKey("one", curve), MadeKey("two", curve)
    signature = key.sign(VALIDATION + b"message")
    assert is_signed(key.public, VALIDATION + b"message", signature)
    assert not is_signed(key.public, VALIDATION + b"messagf", signature)
    assert not is_signed(other.public, VALIDATION + b"message", signature)
    assert not is_signed(key.public[:-1], VALIDATION + b"message", signature)
    for at in range(len(signature)):
        spoiled = signature[:at] + bytes([signature[at] ^ 1]) + signature[at + 1 :]
        assert not is_signed(key.public, VALIDATION + b"message", spoiled)


def test_only_the_lower_s_in_strict_der_is_canonical() -> None:
    key = MadeKey("one", "secp256k1")
    low, high = key.sign(b"x"), key.sign(b"x", high_s=True)
    assert is_canonical(low)
    assert not is_canonical(high)
    assert not is_signed(key.public, b"x", high)
    r_length = low[3]
    padded = bytes([0x30, low[1] + 1, 2, r_length + 1, 0]) + low[4:]
    for spoiled in (padded, low + b"\0", b"", b"\x30\x00", low[:-1], b"\x31" + low[1:]):
        assert not is_canonical(spoiled)


@pytest.mark.parametrize("check", [by_openssl, by_libsecp256k1])
def test_both_libraries_say_the_same_of_a_signature(check: Callable[[bytes, bytes, bytes], bool]) -> None:
    pytest.importorskip("coincurve")
    key, digest = MadeKey("one", "secp256k1"), half_sha512(b"x")
    signature = key.sign(b"x")
    assert check(key.public, digest, signature)
    for other_key, other_digest, other in (
        (MadeKey("two", "secp256k1").public, digest, signature),
        (key.public, half_sha512(b"y"), signature),
        (key.public, digest, key.sign(b"y")),
        (b"\x02" + b"\xff" * 32, digest, signature),
    ):
        try:
            held = check(other_key, other_digest, other)
        except (InvalidSignature, ValueError):
            held = False
        assert not held


def test_a_key_that_is_no_point_of_the_curve_signs_nothing() -> None:
    assert not is_signed(b"\x02" + b"\xff" * 32, b"x", MadeKey("one", "secp256k1").sign(b"x"))
    assert not is_signed(b"\x04" + b"\x01" * 32, b"x", MadeKey("one", "secp256k1").sign(b"x"))


def test_addresses_and_node_keys_are_read_back_and_their_checksums_hold() -> None:
    assert account_bytes("rrrrrrrrrrrrrrrrrrrrrhoLvTp") == bytes(20)
    key = MadeKey("one", "secp256k1").public
    assert node_key_bytes(node_key_text(key)) == key
    for text in ("", "r", "rrrrrrrrrrrrrrrrrrrrrhoLvTq", "0OIl", "rrrrrrrrrrrrrrrrrrrrrrhoLvTp", "r" * 500):
        with pytest.raises(Unproven):
            account_bytes(text)


def test_a_field_with_a_second_encoding_of_its_header_is_covered_by_the_signature() -> None:
    whole = NETWORK.validation(header(), 0)
    twisted = bytes.fromhex("2002") + whole[1:]
    assert read_validation(twisted).full
    with pytest.raises(Unproven, match="a signature by"):
        read_validation(twisted).check()


def test_a_field_of_no_known_kind_in_a_validation_is_refused() -> None:
    with pytest.raises(Unproven, match="known types"):
        read_validation(NETWORK.validation(header(), 0) + blob_field("0B0C", b"x"))
