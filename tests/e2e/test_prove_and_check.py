"""`fillproof prove` and `fillproof check`: the commands themselves, against a live node and without one."""

import json
from pathlib import Path

import pytest
from fillproof_command import fillproof
from replaying import recorded
from running_node import running_node

pytestmark = pytest.mark.stack

SESSION = "partial_then_full"
ORDER = recorded(SESSION).orders[0]
WHICH = (ORDER["account"], ORDER["sequence"])
MADE = Path(__file__).parents[1] / "data" / "proofs" / "xls41"
ANSWERS = json.loads((MADE / "answers.json").read_text())


def test_what_a_live_node_and_a_recorded_session_give_is_the_same_file(tmp_path: Path) -> None:
    live, offline = tmp_path / "live.proof", tmp_path / "offline.proof"
    with running_node(SESSION, closed=True) as node:
        proved = fillproof("prove", *WHICH, "--xrpl", node.url, "-o", live)
    assert proved.returncode == 0, proved.stderr  # a slow machine is told of the progress there
    assert "ALL HANGS ON A LEDGER HASH" in proved.stdout
    assert fillproof("prove", *WHICH, "--session", SESSION, "-o", offline).returncode == 0
    assert live.read_bytes() == offline.read_bytes()


def test_the_status_of_a_check_says_what_was_proven_and_json_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "order.proof"
    fillproof("prove", *WHICH, "--session", SESSION, "-o", file)
    hangs = fillproof("check", file, "--json")
    told = json.loads(hangs.stdout)
    assert (hangs.returncode, told["end"], hangs.stdout.count("\n")) == (5, "hangs_on_ledger_hash", 1)
    assert told["order"]["status"] == "FILLED"
    assert told["chain"][-1]["ok"]
    [ledger_hash] = told["anchors"].values()
    closed = fillproof("check", file, "--ledger-hash", ledger_hash)
    assert (closed.returncode, closed.stderr) == (0, "")
    assert "PROVED CLOSED: the whole life of order" in closed.stdout
    file.write_bytes(file.read_bytes().replace(b'"sequence":', b'"sequence":1', 1))
    refused = fillproof("check", file)
    assert refused.returncode == 1
    assert "\nREFUSED." in refused.stdout
    assert refused.stdout.splitlines()[-2].startswith("FAILED ")


@pytest.mark.parametrize("name", sorted(ANSWERS["cases"]))
def test_a_made_xls41_file_is_judged_as_its_answer_says(name: str) -> None:
    case = ANSWERS["cases"][name]
    trusted = case.get("trusted", ANSWERS["trusted"])
    checked = fillproof("check", MADE / f"{name}.json", "--publisher", trusted)
    assert checked.returncode == {"three_of_five": 4}.get(name, 0 if case["answer"] == "accept" else 1)
    assert ("FAILED " in checked.stdout) == (case["answer"] == "refuse")


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("check", "no such file"), 2, "expected a readable file"),
        (("check", MADE / "genuine_list.json", "--publisher", "ED00"), 2, "expected 33 bytes, found 2"),
        (("prove", *WHICH, "-o", "unwritten"), 2, "expected one source"),
        (("prove", *WHICH, "--session", SESSION, "--tree", "-o", "unwritten"), 2, "--tree with --xpop"),
        (("prove", ORDER["account"], 1, "--session", SESSION, "-o", "unwritten"), 5, "`explain` says more"),
        (("prove", *WHICH, "--session", SESSION, "--xpop", "-o", "unwritten"), 1, "expected validations"),
    ],
)
def test_what_can_not_be_done_is_said_and_nothing_is_written(
    arguments: tuple[object, ...], status: int, said: str
) -> None:
    ended = fillproof(*arguments)
    assert ended.returncode == status
    assert said in ended.stderr
    assert not Path("unwritten").exists()
