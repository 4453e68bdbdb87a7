"""The witness: it knows after a restart what was committed, and nothing that its files hold can stop it."""

from pathlib import Path

import pytest

from reconciler.adapters.witness import LEDGERS_BETWEEN_WRITES, FileWitness

ONE, OTHER = "0.rOne", "0.rOther"


def test_it_knows_at_once_what_was_committed_and_after_a_restart_nearly_so(tmp_path: Path) -> None:
    witness = FileWitness(tmp_path)
    for ledger in range(101, 120):
        witness.note(ONE, ledger)
    assert (witness.read(ONE), witness.read(OTHER)) == (119, 0)
    after_a_restart = FileWitness(tmp_path).read(ONE)
    assert 119 - LEDGERS_BETWEEN_WRITES < after_a_restart <= 119


def test_without_a_directory_a_restart_forgets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    witness = FileWitness(None)
    witness.note(ONE, 101)
    assert (witness.read(ONE), FileWitness(None).read(ONE)) == (101, 0)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_can_not_be_read_or_written_is_no_more_than_a_warning(tmp_path: Path) -> None:
    (tmp_path / ONE).write_text("no number")
    (tmp_path / f"{OTHER}.new").mkdir()
    witness = FileWitness(tmp_path)
    witness.note(OTHER, 101)
    assert (witness.read(ONE), witness.read(OTHER), FileWitness(tmp_path).read(OTHER)) == (0, 101, 0)
