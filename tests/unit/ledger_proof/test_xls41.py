from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from ledger_blobs import BLOB_SESSIONS, session_ledgers
from made_validators import MadeNetwork

from ledger_proof import (
    ProofEnd,
    ProofReport,
    ProvenLedger,
    TrustPolicy,
    check_list,
    check_proof,
    list_form,
    prove_ledger,
    tree_form,
    write_xls41,
)
from replay_node.made_keys import MadeKey

MADE = Path(__file__).parents[2] / "data" / "proofs" / "xls41"
ANSWERS = json.loads((MADE / "answers.json").read_text())
GENUINE = MADE / "genuine_list.json"
TRUSTED = ANSWERS["trusted"]


def report(document: bytes, trusted: str = TRUSTED) -> ProofReport:
    return check_proof(document, TrustPolicy(publishers=[trusted]))


@pytest.mark.parametrize("name", sorted(ANSWERS["cases"]))
def test_a_made_file_is_judged_as_its_answer_says(name: str) -> None:
    case = ANSWERS["cases"][name]
    found = report((MADE / f"{name}.json").read_bytes(), case.get("trusted", TRUSTED))
    accepted = found.end is ProofEnd.PROVED_TRANSACTION
    assert accepted == (case["answer"] == "accept")
    assert [step.ok for step in found.chain] == [True] * (len(found.chain) - 1) + [accepted]


def test_a_file_tells_its_chain_of_trust_step_by_step() -> None:
    found = report(GENUINE.read_bytes())
    assert [step.what.partition(" ")[0] for step in found.chain] == ["file", "list", "ledger", "NFTokenBurn"]
    assert found.transaction is not None
    assert found.chain[-1].what == f"NFTokenBurn {found.transaction.hash}"
    assert [(one.votes, one.entries) for one in found.confirmations] == [(5, 5)]


def test_too_few_votes_are_told_apart_from_a_forgery() -> None:
    found = report((MADE / "three_of_five.json").read_bytes())
    assert found.end is ProofEnd.NOT_ENOUGH_VOTES
    assert found.chain[-1].found == "3 of 5 (needed 4)"


def test_a_file_of_a_publisher_whom_the_reader_does_not_trust_is_refused() -> None:
    found = report(GENUINE.read_bytes(), "ED" + "00" * 32)
    assert found.end is ProofEnd.REFUSED
    assert found.chain[-1].expected == "a publisher that the reader trusts"


def test_a_second_publisher_can_be_demanded_by_a_kept_list() -> None:
    document, kept, other = written(FIRST), check_list(SECOND.list), check_list(MadeNetwork().list)
    both = TrustPolicy(publishers=[FIRST.trusted, SECOND.trusted], publishers_needed=2)
    assert check_proof(document, both).end is ProofEnd.NOT_ENOUGH_VOTES
    agreeing = msgspec.structs.replace(both, lists=[kept])
    assert check_proof(document, agreeing).end is ProofEnd.PROVED_TRANSACTION
    untrusted = msgspec.structs.replace(both, lists=[other])
    assert check_proof(document, untrusted).end is ProofEnd.NOT_ENOUGH_VOTES


def test_without_validations_all_hangs_on_a_hash_that_the_reader_can_look_up() -> None:
    bare = changed(("validation", "data"), {})
    found = report(bare)
    assert found.end is ProofEnd.HANGS_ON_LEDGER_HASH
    [shown] = found.anchors.values()
    known = TrustPolicy(publishers=[TRUSTED], ledger_hashes=[shown.lower()])
    assert check_proof(bare, known).end is ProofEnd.PROVED_TRANSACTION
    other = TrustPolicy(publishers=[TRUSTED], ledger_hashes=["00" * 32])
    assert check_proof(GENUINE.read_bytes(), other).end is ProofEnd.REFUSED


def changed(path: tuple[str, ...], value: Any) -> bytes:  # noqa: ANN401 - any JSON
    document = json.loads(GENUINE.read_bytes())
    part = document
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("ledger", "index"), "100"),
        (("ledger", "index"), 101),
        (("ledger", "index"), -1),
        (("ledger", "index"), 2**40),
        (("ledger", "coins"), "1e17"),
        (("ledger", "coins"), 1),
        (("ledger", "cres"), 256),
        (("ledger", "txroot"), "00" * 32),
        (("ledger", "phash"), "zz"),
        (("transaction", "blob"), ""),
        (("transaction", "proof"), []),
        (("transaction", "proof"), {}),
        (("transaction", "proof"), [["00" * 32] * 16] * 16),
        (("transaction", "proof"), {"children": {"1": {"hash": 5}}}),
        (("validation", "data"), {"n9": "22"}),
        (("validation", "unl", "blob"), "QQ=="),
    ],
)
def test_a_changed_part_of_a_genuine_file_is_refused(path: tuple[str, ...], value: Any) -> None:  # noqa: ANN401
    assert report(changed(path, value)).end is ProofEnd.REFUSED


def test_the_label_of_the_list_is_never_believed_nor_needed() -> None:
    relabelled = changed(("validation", "unl", "public_key"), "no key")
    assert report(relabelled).end is ProofEnd.PROVED_TRANSACTION


def test_a_vote_under_a_name_that_is_not_its_validators_does_not_count() -> None:
    data = json.loads(GENUINE.read_bytes())["validation"]["data"]
    names = list(data)
    swapped = {**data, names[0]: data[names[1]], names[1]: data[names[0]]}
    found = report(changed(("validation", "data"), swapped))
    assert found.end is ProofEnd.NOT_ENOUGH_VOTES
    assert found.chain[-1].found == "3 of 5 (needed 4)"


def test_votes_that_all_stand_under_others_names_are_refused_and_not_called_absent() -> None:
    data = json.loads(GENUINE.read_bytes())["validation"]["data"]
    names = list(data)
    turned = dict(zip(names, [data[name] for name in (*names[1:], names[0])], strict=True))
    assert report(changed(("validation", "data"), turned)).end is ProofEnd.REFUSED


def test_repeated_members_and_towers_are_refused() -> None:
    text = GENUINE.read_bytes()
    for document in (
        text.replace(b'{"ledger"', b'{"ledger":1,"ledger"', 1),
        text.replace(b'"proof":', b'"proof":' + b"[" * 500 + b"]" * 500 + b',"other":', 1),
        b"[" * 1_000_000,
        b"{}",
        b"",
    ):
        assert report(document).end is ProofEnd.REFUSED


@pytest.mark.parametrize("whole_tree", [False, True], ids=["list", "tree"])
def test_a_written_file_proves_each_transaction_of_a_ledger(whole_tree: bool) -> None:  # noqa: FBT001
    for place, (name, _) in enumerate(ledger().leaves):
        document = written(FIRST, place, whole_tree=whole_tree)
        found = report(document, FIRST.trusted)
        assert found.transaction is not None, found.chain[-1]
        assert (found.end, found.transaction.hash) == (ProofEnd.PROVED_TRANSACTION, name.hex().upper())


class SecondPublisher(MadeNetwork):
    """A publisher who lists the same validators by another key."""

    @property
    def publisher(self) -> MadeKey:
        return MadeKey("second publisher")


FIRST, SECOND = MadeNetwork(size=5), SecondPublisher(size=5)


@lru_cache(maxsize=1)
def ledger() -> ProvenLedger:
    one = max(session_ledgers(BLOB_SESSIONS / "codes.json.gz"), key=lambda one: len(one.rows))
    return prove_ledger(one.header or b"", one.rows)


def written(network: MadeNetwork, place: int = 0, *, whole_tree: bool = False) -> bytes:
    """Return an XLS-41 file of a recorded transaction, signed by made validators."""
    name, _ = ledger().leaves[place]
    transaction, metadata = ledger().rows[place]
    return write_xls41(
        header=ledger().header,
        transaction=transaction,
        metadata=metadata,
        proof=tree_form(ledger().leaves) if whole_tree else list_form(ledger().path(name), name),
        validations=network.validations(ledger().header),
        validators=network.list,
    )


def test_the_tree_of_the_genuine_file_is_written_as_its_maker_wrote_it() -> None:
    genuine = json.loads((MADE / "genuine_tree.json").read_bytes())["transaction"]["proof"]

    def leaves_of(node: dict[str, Any]) -> list[tuple[bytes, bytes]]:
        if node["children"]:
            return [one for child in node["children"].values() for one in leaves_of(child)]
        return [(bytes.fromhex(node["key"]), bytes.fromhex(node["hash"]))]

    assert tree_form(leaves_of(genuine)) == genuine
