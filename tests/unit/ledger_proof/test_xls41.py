from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ledger_blobs import BLOB_SESSIONS, session_ledgers
from made_validators import MadeNetwork

from ledger_proof import Unproven, check_xls41, list_form, prove_ledger, tree_form, write_xls41

MADE = Path(__file__).parents[2] / "data" / "proofs" / "xls41"
ANSWERS = json.loads((MADE / "answers.json").read_text())
GENUINE = MADE / "genuine_list.json"
TRUSTED = ANSWERS["trusted"]


@pytest.mark.parametrize("name", sorted(ANSWERS["cases"]))
def test_a_made_file_is_judged_as_its_answer_says(name: str) -> None:
    case = ANSWERS["cases"][name]
    document, trusted = (MADE / f"{name}.json").read_bytes(), [case.get("trusted", TRUSTED)]
    if case["answer"] == "accept":
        assert check_xls41(document, trusted).confirmation.confirmed
        return
    with pytest.raises(Unproven, match="expected"):
        check_xls41(document, trusted)


def test_a_file_of_a_publisher_whom_the_reader_does_not_trust_is_refused() -> None:
    with pytest.raises(Unproven, match="a publisher that the reader trusts"):
        check_xls41(GENUINE.read_bytes(), ["ED" + "00" * 32])


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
        (("validation", "data"), {}),
        (("validation", "unl", "blob"), "QQ=="),
    ],
)
def test_a_changed_part_of_a_genuine_file_is_refused(path: tuple[str, ...], value: Any) -> None:  # noqa: ANN401
    with pytest.raises(Unproven):
        check_xls41(changed(path, value), [TRUSTED])


def test_the_label_of_the_list_is_never_believed_nor_needed() -> None:
    assert check_xls41(changed(("validation", "unl", "public_key"), "no key"), [TRUSTED])


def test_a_vote_under_a_name_that_is_not_its_validators_does_not_count() -> None:
    data = json.loads(GENUINE.read_bytes())["validation"]["data"]
    names = list(data)
    swapped = {**data, names[0]: data[names[1]], names[1]: data[names[0]]}
    with pytest.raises(Unproven, match="expected 4 of 5, found 3"):
        check_xls41(changed(("validation", "data"), swapped), [TRUSTED])


def test_repeated_members_and_towers_are_refused() -> None:
    text = GENUINE.read_bytes()
    for document in (
        text.replace(b'{"ledger"', b'{"ledger":1,"ledger"', 1),
        text.replace(b'"proof":', b'"proof":' + b"[" * 500 + b"]" * 500 + b',"other":', 1),
        b"[" * 1_000_000,
        b"{}",
        b"",
    ):
        with pytest.raises(Unproven):
            check_xls41(document, [TRUSTED])


@pytest.mark.parametrize("whole_tree", [False, True], ids=["list", "tree"])
def test_a_written_file_proves_each_transaction_of_a_ledger(whole_tree: bool) -> None:  # noqa: FBT001
    network = MadeNetwork()
    ledger = max(session_ledgers(BLOB_SESSIONS / "codes.json.gz"), key=lambda one: len(one.rows))
    proven = prove_ledger(ledger.header or b"", ledger.rows)
    for (name, _), (transaction, metadata) in zip(proven.leaves, proven.rows, strict=True):
        document = write_xls41(
            header=proven.header,
            transaction=transaction,
            metadata=metadata,
            proof=tree_form(proven.leaves) if whole_tree else list_form(proven.path(name), name),
            validations=network.validations(proven.header),
            validators=network.list,
        )
        assert check_xls41(document, [network.trusted]).transaction.hash == name.hex().upper()


def test_the_tree_of_the_genuine_file_is_written_as_its_maker_wrote_it() -> None:
    genuine = json.loads((MADE / "genuine_tree.json").read_bytes())["transaction"]["proof"]

    def leaves_of(node: dict[str, Any]) -> list[tuple[bytes, bytes]]:
        if node["children"]:
            return [one for child in node["children"].values() for one in leaves_of(child)]
        return [(bytes.fromhex(node["key"]), bytes.fromhex(node["hash"]))]

    assert tree_form(leaves_of(genuine)) == genuine
