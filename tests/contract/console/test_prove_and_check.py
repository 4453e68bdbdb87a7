"""`prove` and `check` on recorded orders: the same verdict as `replay`, by the evidence of the file alone."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from ledger_blobs import BLOB_SESSIONS, session_paths
from life_proofs import NETWORK, RESERVES, ProvenSession, proven_session
from made_validators import manifest_of
from typer.testing import CliRunner

from console import life_evidence
from console.main import app
from order_events import OrderStatus
from replay_node.made_keys import MadeKey

if TYPE_CHECKING:
    from pathlib import Path

    from ledger_proof import ProvenLedger
    from offer_lifecycle import Order

SAMPLE = 3
"""How many orders of a session are proved."""
SESSIONS = session_paths() if os.environ.get("FILLPROOF_EXHAUSTIVE") else sorted(BLOB_SESSIONS.glob("*.gz"))


def called(*arguments: object) -> tuple[int, str]:
    """Run a command of `fillproof` in this process; return its exit status and standard output."""
    ended = CliRunner().invoke(app, list(map(str, arguments)))
    assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
    return ended.exit_code, ended.stdout


def sampled(session: ProvenSession) -> list[tuple[tuple[str, int], Order]]:
    placed = [
        (key, order)
        for key, order in session.orders.items()
        if order.status is not OrderStatus.LOST and session.steps(*key)
    ]
    return placed[:: max(len(placed) // SAMPLE, 1)][:SAMPLE]


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    """Return where the made list of validators is, as a publisher serves it."""
    path = tmp_path / "list.json"
    published = NETWORK.list
    parts = {"manifest": published.manifest, "blob": published.blob, "signature": published.signature}
    path.write_text(json.dumps({**parts, "version": 1}))
    return path


def kept(path: Path, *ledgers: ProvenLedger) -> Path:
    """Write the validations of ledgers as the stream brings them."""
    messages = [
        json.dumps({"type": "validationReceived", "data": one.hex().upper()})
        for ledger in ledgers
        for one in NETWORK.validations(ledger.header, 28)
    ]
    path.write_text("\n".join([json.dumps({"type": "ledgerClosed"}), *messages]) + "\n")
    return path


@pytest.mark.parametrize("path", SESSIONS, ids=lambda path: path.name.partition(".")[0])
def test_an_order_is_proved_and_checked_with_the_verdict_of_replay(
    path: Path, tmp_path: Path, signed: Path
) -> None:
    session = proven_session(path)
    votes = kept(tmp_path / "stream.jsonl", session.last)
    file = tmp_path / "order.proof"
    for (account, sequence), order in sampled(session):
        where = ("--session", path, "-o", file, "--validators", signed, "--validations", votes)
        status, _ = called("prove", account, sequence, *where)
        assert status == 0
        trust = ("--publisher", NETWORK.trusted, "--reserves", RESERVES.base, RESERVES.increment)
        status, shown = called("check", file, *trust, "--json")
        told = json.loads(shown)
        closed = order.ended and not order.listed
        assert (status, told["end"]) == ((0, "proved_closed") if closed else (3, "proved_until"))
        for name in ("status", "removal_reason", "removed_by", "resolution"):
            assert told["order"][name] == getattr(order, name), name
        assert (told["order"]["gave"], told["order"]["got"]) == (str(order.gave), str(order.got))


@pytest.mark.parametrize("form", [(), ("--tree",)], ids=["list", "tree"])
def test_each_transaction_can_be_written_as_an_xls41_file(
    form: tuple[str, ...], tmp_path: Path, signed: Path
) -> None:
    session = proven_session(SESSIONS[0])
    key, _ = sampled(session)[0]
    votes = kept(tmp_path / "stream.jsonl", *session.ledgers)
    where = (
        "--session",
        SESSIONS[0],
        "-o",
        tmp_path / "files",
        "--validators",
        signed,
        "--validations",
        votes,
    )
    assert called("prove", *key, *where, "--xpop", *form)[0] == 0
    steps = {step.touching.hash for step in session.steps(*key)}
    written = {path.stem: path for path in (tmp_path / "files").iterdir()}
    assert written.keys() == steps
    for name, path in written.items():
        status, shown = called("check", path, "--publisher", NETWORK.trusted, "--json")
        told = json.loads(shown)
        assert (status, told["end"], told["transaction"]["hash"]) == (0, "proved_transaction", name)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("no json", "line 2: expected a stream's message"),
        ('{"type": "validationReceived", "data": "zz"}', "line 2: non-hexadecimal"),
        ('{"type": "manifestReceived", "manifest": "24"}', "line 2: "),
    ],
)
def test_a_kept_line_that_can_not_be_read_is_named(
    line: str, said: str, tmp_path: Path, signed: Path
) -> None:
    votes = tmp_path / "stream.jsonl"
    votes.write_text('{"type": "ledgerClosed"}\n' + line)
    where = ("--session", SESSIONS[0], "-o", tmp_path / "file")
    key, _ = sampled(proven_session(SESSIONS[0]))[0]
    ended = CliRunner().invoke(
        app, [*map(str, ("prove", *key, *where, "--validators", signed, "--validations", votes))]
    )
    assert ended.exit_code == 2
    assert said in ended.stderr


def test_without_validations_the_hash_that_was_looked_up_proves_it(tmp_path: Path) -> None:
    path = SESSIONS[0]
    session = proven_session(path)
    key, _ = next((key, one) for key, one in session.orders.items() if one.ended and not one.listed)
    file = tmp_path / "order.proof"
    assert called("prove", *key, "--session", path, "-o", file)[0] == 0
    status, shown = called("check", file, "--json")
    assert (status, json.loads(shown)["end"]) == (5, "hangs_on_ledger_hash")
    [(index, ledger_hash)] = json.loads(shown)["anchors"].items()
    looked_up = next(one.header for one in session.ledgers if one.header.ledger_index == int(index))
    assert ledger_hash == looked_up.ledger_hash.hex().upper()
    assert called("check", file, "--ledger-hash", ledger_hash)[0] == 0
    assert called("check", file, "--ledger-hash", "00" * 32)[0] == 1


def several_ledgers() -> tuple[Path, tuple[str, int], list[int]]:
    """Return a session, an order that was changed in several of its ledgers, and these."""
    for path in SESSIONS:
        session = proven_session(path)
        for key, order in session.orders.items():
            ledgers = sorted({step.touching.ledger_index for step in session.steps(*key)})
            if order.ended and not order.listed and len(ledgers) > 1:
                return path, key, ledgers
    raise AssertionError("no order of the sessions lives longer than a ledger")


def test_a_life_with_a_long_pause_has_an_anchor_on_either_side_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, key, ledgers = several_ledgers()
    monkeypatch.setattr(life_evidence, "LONGEST_CHAIN", 0)
    file = tmp_path / "order.proof"
    assert called("prove", *key, "--session", path, "-o", file)[0] == 0
    anchors = json.loads(called("check", file, "--json")[1])["anchors"]
    assert [int(index) for index in anchors] == ledgers
    hashes = [one for shown in anchors.values() for one in ("--ledger-hash", shown)]
    assert called("check", file, *hashes[2:])[0] == 5
    assert called("check", file, *hashes)[0] == 0


def test_too_few_kept_votes_leave_the_file_hanging_on_a_hash(tmp_path: Path, signed: Path) -> None:
    path, key, _ = several_ledgers()
    votes = kept(tmp_path / "stream.jsonl", proven_session(path).last)
    lines = votes.read_text().splitlines()
    file = tmp_path / "order.proof"
    where = ("--session", path, "-o", file, "--validators", signed, "--validations", votes)
    assert "PROVED CLOSED" in called("prove", *key, *where)[1]
    votes.write_text("\n".join(lines[:-1]))
    assert "ALL HANGS ON A LEDGER HASH" in called("prove", *key, *where)[1]
    votes.write_text("\n".join([*lines[:-1], lines[-2]]))
    assert "ALL HANGS ON A LEDGER HASH" in called("prove", *key, *where)[1], "one voted twice"


def test_a_validator_that_changed_its_key_votes_by_its_newer_manifest(tmp_path: Path, signed: Path) -> None:
    path, key, _ = several_ledgers()
    header = proven_session(path).last.header
    new_key = MadeKey("rotated", "secp256k1")
    votes = kept(tmp_path / "stream.jsonl", proven_session(path).last)
    lines = votes.read_text().splitlines()[:-1]
    rotated = NETWORK.validation(header, 27, signing=new_key).hex()
    newer = manifest_of(NETWORK.master(27), new_key, 2).hex()
    lines.append(json.dumps({"type": "validationReceived", "data": rotated}))
    file = tmp_path / "order.proof"
    where = ("--session", path, "-o", file, "--validators", signed, "--validations", votes)
    votes.write_text("\n".join(lines))
    assert "ALL HANGS ON A LEDGER HASH" in called("prove", *key, *where)[1]
    votes.write_text("\n".join([*lines, json.dumps({"type": "manifestReceived", "manifest": newer})]))
    assert "PROVED CLOSED" in called("prove", *key, *where)[1]
    assert called("check", file, "--publisher", NETWORK.trusted)[0] == 0
