"""The example of the package's README runs as it is printed there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from ledger_blobs import BLOB_SESSIONS
from life_proofs import life_proof, proven_session

from ledger_proof import write_document

if TYPE_CHECKING:
    import pytest

README = Path(__file__).parents[3] / "shared" / "ledger_proof" / "README.md"


def example() -> str:
    [code] = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    return str(code)


def test_the_example_has_six_statements() -> None:
    assert sum(bool(line.strip()) for line in example().splitlines()) == 6


def test_the_example_tells_the_chain_of_trust_and_the_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    session = proven_session(BLOB_SESSIONS / "hybrid_both_books.json.gz")
    proof = life_proof(session, *next(iter(session.orders)))
    bare = msgspec.structs.replace(
        proof, lists=[], runs=[msgspec.structs.replace(proof.runs[0], validations=[])]
    )
    (tmp_path / "order.proof").write_bytes(write_document(bare))
    monkeypatch.chdir(tmp_path)
    exec(compile(example(), str(README), "exec"), {})  # noqa: S102 - the documentation's own code
    *steps, last = capsys.readouterr().out.splitlines()
    assert all(line.startswith("ok ") for line in steps)
    assert last.startswith("hangs_on_ledger_hash Order(")
