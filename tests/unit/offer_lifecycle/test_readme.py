"""The example of the package's README runs as it is printed there."""

import json
import re
from pathlib import Path

import pytest
from made_ledger import ISSUER, OWNER, line, offer, tx, usd

README = Path(__file__).parents[3] / "shared" / "offer_lifecycle" / "README.md"


def example() -> str:
    [code] = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    return str(code)


def test_the_example_is_short_enough_to_paste() -> None:
    assert len([text for text in example().splitlines() if text]) <= 6


def test_the_example_explains_a_removal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = offer("DeletedNode", 7, usd("5"), "10000000")
    record = tx("Payment", [gone, line("0", "0")]) | {"ledger_index": 101}
    (tmp_path / "transaction.json").write_text(json.dumps(record))
    monkeypatch.chdir(tmp_path)
    exec(compile(example(), str(README), "exec"), {})  # noqa: S102 - the documentation's own code
    evidence = f"the owner had 0 of USD.{ISSUER} to give before it"
    assert capsys.readouterr().out == f"{OWNER} 7 UNFUNDED unfunded_before {evidence}\n"
