"""The example of the package's README runs as it is printed there, on a real socket."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from replaying import recorded
from running_node import running_node

README = Path(__file__).parents[3] / "shared" / "ledger_client" / "README.md"
SESSION = "random_1"


def example() -> str:
    [code] = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    return str(code)


def test_the_example_is_short_enough_to_paste() -> None:
    assert len([text for text in example().splitlines() if text]) <= 6


@pytest.mark.stack
def test_the_example_reads_an_account_s_last_transactions() -> None:
    session = recorded(SESSION)
    account = session.accounts["maker"]
    sent = [
        raw["hash"]
        for ledger in session.ledgers[-11:]
        for raw in ledger.transactions
        if raw["Account"] == account
    ]
    assert sent
    [url], [named] = (
        re.findall(r'"(https://[^"]+)"', example()),
        re.findall(r'"(r[A-Za-z0-9]{24,})"', example()),
    )
    with running_node(SESSION, closed=True) as node:
        code = example().replace(url, node.url).replace(named, account)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(name in done.stdout for name in sent)
