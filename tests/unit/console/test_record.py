"""Recording a session from a node: what is recorded replays to the same end."""

from pathlib import Path

import msgspec
import pytest
from fillproof_command import fillproof
from running_node import running_node

from console.lines import OrderLine
from console.record import recorded_session
from console.recorded_server import closed_session
from console.replay import replay
from console.sessions import find_session
from order_events import RemovalReason
from replay_node.session import read_session

SESSIONS = ("partial_then_full", "reserve_unfunded", "credential_expired", "mpt_locked", "batch_all_fails")


def of_account(lines: list[OrderLine], account: str) -> list[dict[str, object]]:
    """Return the lines without what the recording calls itself, and without announcements' consequences."""
    return [
        {"sequence": line.sequence, "status": line.status, "reason": line.removal_reason, "fills": line.fills}
        for line in lines
        if line.account == account and line.status != "LOST"
    ]


@pytest.mark.parametrize("name", SESSIONS)
async def test_a_recording_of_a_node_replays_as_the_node_s_own_session(name: str, tmp_path: Path) -> None:
    session = find_session(name).session
    [account] = {order["account"] for order in session.orders}
    ends = session.ledgers[0].ledger_index, session.ledgers[-1].ledger_index
    taken = await recorded_session(closed_session(session), account, *ends)
    file = tmp_path / "mine.json"
    file.write_bytes(msgspec.json.encode(taken))
    again = list(replay(read_session(file)))
    assert of_account(again, account) == of_account(list(replay(session)), account)


async def test_the_state_that_a_replay_would_lack_is_recorded_with_it() -> None:
    session = find_session("credential_expired").session
    account = session.orders[0]["account"]
    removed = session.ledgers[-3].ledger_index
    taken = await recorded_session(closed_session(session), account, removed - 4, removed)
    asked = [name for ledger in taken.ledgers for answer in ledger.state for name in answer["entry"]]
    assert "permissioned_domain" in asked
    [line] = replay(taken)
    assert line.removal_reason is RemovalReason.OUT_OF_DOMAIN


@pytest.mark.stack
def test_the_command_writes_a_file_that_replay_reads(tmp_path: Path) -> None:
    session = find_session("partial_then_full").session
    account = session.orders[0]["account"]
    ledgers = f"{session.ledgers[0].ledger_index}-{session.ledgers[-1].ledger_index}"
    file = tmp_path / "mine.json.gz"
    with running_node("partial_then_full", closed=True) as node:
        ended = fillproof(
            "record", "--xrpl", node.url, "--account", account, "--ledgers", ledgers, "-o", str(file)
        )
    assert (ended.returncode, ended.stdout) == (0, "")
    replayed = fillproof("replay", str(file), "--json")
    assert msgspec.json.decode(replayed.stdout)["status"] == "FILLED"


def test_a_range_that_is_none_is_refused() -> None:
    ended = fillproof(
        "record", "--xrpl", "http://127.0.0.1:9", "--account", "rA", "--ledgers", "9-3", "-o", "x"
    )
    assert ended.returncode == 2
    assert "expected --ledgers FIRST-LAST, as 100-120, found '9-3'" in ended.stderr
