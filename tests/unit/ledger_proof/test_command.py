"""`python -m ledger_proof`: whom the reader trusts, what is printed, and the status by what was proven."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import msgspec
import pytest
from ledger_blobs import BLOB_SESSIONS
from life_proofs import NETWORK, life_proof, proven_session

from ledger_proof import LifeProof, write_document
from ledger_proof.__main__ import main

DATA = Path(__file__).parents[2] / "data" / "proofs" / "xls41"
TRUSTED = json.loads((DATA / "answers.json").read_text())["trusted"]
SESSION = BLOB_SESSIONS / "hybrid_both_books.json.gz"


def proof(votes: int = 28) -> LifeProof:
    session = proven_session(SESSION)
    order = next(key for key, one in session.orders.items() if one.ended and session.steps(*key)[1:])
    return life_proof(session, *order, votes=votes)


def without_validations() -> LifeProof:
    [run] = proof().runs
    return msgspec.structs.replace(proof(), lists=[], runs=[msgspec.structs.replace(run, validations=[])])


def without_its_end() -> LifeProof:
    return msgspec.structs.replace(proof(), steps=proof().steps[:-1])


def forged() -> LifeProof:
    return msgspec.structs.replace(proof(), sequence=proof().sequence + 1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "order.proof"


@pytest.mark.parametrize(
    ("made", "status", "said"),
    [
        (proof, 0, "PROVED CLOSED"),
        (forged, 1, "REFUSED"),
        (without_its_end, 3, "PROVED UNTIL LEDGER"),
        (lambda: proof(27), 4, "NOT ENOUGH VOTES"),
        (without_validations, 5, "ALL HANGS ON A LEDGER HASH"),
    ],
)
def test_the_exit_status_says_what_was_proven(
    made: object, status: int, said: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_bytes(write_document(made()))  # type: ignore[operator]
    assert main([str(file), "--publisher", NETWORK.trusted]) == status
    shown = capsys.readouterr().out
    assert any(line.startswith(said) for line in shown.splitlines())
    assert ("\nFAILED" in shown) == (status in {1, 4})


def test_a_hash_that_was_looked_up_proves_what_hangs_on_it(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_bytes(write_document(without_validations()))
    assert main([str(file), "--json"]) == 5
    [shown] = json.loads(capsys.readouterr().out)["anchors"].values()
    assert main([str(file), "--ledger-hash", shown.lower()]) == 0
    assert main([str(file), "--ledger-hash", "00" * 32]) == 1


def test_json_is_one_object_with_every_step_and_what_was_computed(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_bytes(write_document(proof()))
    main([str(file), "--publisher", NETWORK.trusted, "--json"])
    told = json.loads(capsys.readouterr().out)
    order = proven_session(SESSION).orders[told["account"], told["sequence"]]
    assert (told["end"], told["closed"]) == ("proved_closed", True)
    assert (told["order"]["status"], told["order"]["gave"]) == (order.status, str(order.gave))
    assert [(one["votes"], one["entries"]) for one in told["votes"]] == [(28, 35)]
    assert all(step["ok"] for step in told["chain"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--publisher", "00"], "publisher's key: expected 33 bytes, found 1"),
        (["--publisher", TRUSTED, "--publishers-needed", "2"], "expected 1 to 1"),
        (["--ledger-hash", "no hash"], "ledger hash: expected hexadecimal digits"),
        (["--validators", "missing.json"], "missing.json"),
    ],
)
def test_bad_input_has_a_status_of_its_own(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(DATA / "genuine_list.json"), *arguments]) == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert shown.out == ""


def test_a_kept_list_is_used_and_one_of_a_stranger_is_bad_input(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_bytes(write_document(msgspec.structs.replace(proof(), lists=[])))
    kept = tmp_path / "list.json"
    kept.write_bytes(msgspec.json.encode({**msgspec.to_builtins(NETWORK.list), "version": 1}))
    assert main([str(file), "--publisher", NETWORK.trusted]) == 1
    assert main([str(file), "--publisher", NETWORK.trusted, "--validators", str(kept)]) == 0
    assert main([str(file), "--validators", str(kept)]) == 2
    assert "a publisher whom the reader trusts" in capsys.readouterr().err


def test_nothing_of_a_file_reaches_the_terminal_as_a_command(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    account = "\u001b[2J" + base64.b64encode(b"rest").decode()
    file.write_bytes(write_document(msgspec.structs.replace(proof(), account=account)))
    assert main([str(file)]) == 1
    assert "\u001b" not in capsys.readouterr().out
