"""`fillproof run`: the same stack against a node that is not ours to control, told only URL and account."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from fillproof_command import fillproof, read_until, started
from replaying import recorded
from running_node import RunningNode, running_node
from waiting import limit

pytestmark = pytest.mark.stack

SESSION = "canceled_elsewhere"


@pytest.fixture
def node() -> Iterator[RunningNode]:
    with running_node(SESSION) as running:
        yield running


def test_it_tells_of_orders_that_no_engine_announced_until_it_is_interrupted(node: RunningNode) -> None:
    session = recorded(SESSION)
    with started("run", "--xrpl", node.url, "--account", session.accounts["maker"]) as process:
        read_until(process, lambda line: "the services' logs" in line)
        read_until(process, lambda line: line.startswith("following"))
        for _ in session.ledgers[1:]:
            node.close_ledger()
        told = read_until(process, lambda line: "order.canceled" in line)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=limit())
    sequence = session.orders[0]["sequence"]
    assert f"order {sequence}  order.accepted     ACCEPTED" in told
    assert f"by {session.orders[0]['truth']['removed_by']}" in told
    assert "anomaly" not in told
    assert process.returncode == 0


def test_it_says_that_it_follows_no_more_when_its_only_node_is_gone_and_at_the_end_what_it_saw() -> None:
    session = recorded("full_fill")
    with running_node("full_fill") as node:
        url = node.url.replace("http", "ws")
        with started("run", "--xrpl", url, "--account", session.accounts["maker"]) as process:
            read_until(process, lambda line: line.startswith("following"))
            for _ in session.ledgers[1:]:
                node.close_ledger()
            shown = read_until(process, lambda line: "order.disappeared" in line)
            node.end()
            read_until(process, lambda line: line.startswith("NOT FOLLOWING: no server answers"))
            process.send_signal(signal.SIGINT)
            rest, _ = process.communicate(timeout=limit())
    *_, fill, end = shown.splitlines()
    assert "order.filled" in fill
    assert "order.disappeared" in end
    assert " at " in fill
    assert "total " in fill
    assert "Followed for" in rest
    assert "1 fill " in rest
    assert "Traceback" not in rest


def test_an_account_that_is_not_on_the_ledger_is_refused(node: RunningNode) -> None:
    ended = fillproof("run", "--xrpl", node.url, "--account", "rrrrrrrrrrrrrrrrrrrrBZbvji")
    assert ended.returncode == 2
    assert "found none at rrrrrrrrrrrrrrrrrrrrBZbvji" in ended.stderr


def test_a_data_directory_that_can_not_be_written_is_refused(node: RunningNode, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    account = recorded(SESSION).accounts["maker"]
    ended = fillproof("run", "--xrpl", node.url, "--account", account, "--data-dir", file / "data")
    assert ended.returncode == 2
    assert "can't be written" in ended.stderr


def test_a_run_that_keeps_its_data_goes_on_where_it_was(node: RunningNode, enterable: Path) -> None:
    session = recorded(SESSION)
    arguments = ("run", "--xrpl", node.url, "--account", session.accounts["maker"])
    with started(*arguments, "--data-dir", enterable) as first:
        read_until(first, lambda line: line.startswith("following"))
        node.close_ledger()
        read_until(first, lambda line: "order.accepted" in line)
        first.send_signal(signal.SIGINT)
        first.communicate(timeout=limit())
    for _ in session.ledgers[2:]:
        node.close_ledger()
    with started(*arguments, "--data-dir", enterable) as second:
        shown = read_until(second, lambda line: "order.canceled" in line)
        second.send_signal(signal.SIGINT)
        shown += second.communicate(timeout=limit())[0]
    assert "order.accepted" not in shown
    assert shown.count("order.canceled") == 1
    assert second.returncode == 0
