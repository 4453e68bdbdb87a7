"""Bad input: what was expected, what was found, what to do, a status of its own, and nothing half done."""

import gzip
import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fillproof_command import fillproof
from replaying import session_path

pytestmark = pytest.mark.stack

Refused = Callable[..., str]
ADDRESS = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def refused(tmp_path: Path) -> Iterator[Refused]:
    """Call it, expecting status 2 and silence on standard output; afterwards nothing may be left."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()

    def call(*arguments: object) -> str:
        ended = fillproof(*arguments, temporary=temporary)
        assert (ended.returncode, ended.stdout) == (2, "")
        return ended.stderr

    yield call
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("command", ["replay", "demo"])
@pytest.mark.parametrize(
    ("content", "found"),
    [("not json", "expected a recorded session"), ('{"name": 1}', "expected a recorded session")],
)
def test_a_file_that_is_no_session(
    command: str, content: str, found: str, tmp_path: Path, refused: Refused
) -> None:
    file = tmp_path / "x.json"
    file.write_text(content)
    said = refused(command, "--json", file)
    assert found in said


@pytest.mark.parametrize("command", ["replay", "demo"])
def test_a_session_with_an_order_that_is_none(command: str, tmp_path: Path, refused: Refused) -> None:
    session = json.loads(gzip.decompress(session_path("canceled").read_bytes()))
    del session["orders"][0]["sequence"]
    file = tmp_path / "x.json"
    file.write_text(json.dumps(session))
    assert "orders[0]: expected an order" in refused(command, "--json", file)


def test_a_session_with_a_transaction_that_can_not_be_read(tmp_path: Path, refused: Refused) -> None:
    session = json.loads(gzip.decompress(session_path("canceled").read_bytes()))
    [tx] = session["ledgers"][1]["transactions"]
    tx["Flags"] = "none"
    file = tmp_path / "x.json"
    file.write_text(json.dumps(session))
    assert f"transaction {tx['hash']}: expected a validated transaction" in refused("replay", "--json", file)


def test_a_session_that_does_not_exist(refused: Refused) -> None:
    said = refused("demo", "no_such_session")
    assert "found 'no_such_session'" in said


def test_sessions_that_can_not_be_told_apart_or_have_nothing_to_follow(
    tmp_path: Path, refused: Refused
) -> None:
    session = json.loads(gzip.decompress(session_path("canceled").read_bytes()))
    same, idle = tmp_path / "same.json", tmp_path / "idle.json"
    same.write_text(json.dumps(session))
    idle.write_text(json.dumps({**session, "name": "idle", "orders": []}))
    assert "found canceled twice" in refused("demo", "--json", "canceled", same)
    assert f"found none in {idle}" in refused("demo", "--json", idle)


def test_brackets_in_a_name_are_just_brackets(refused: Refused) -> None:
    assert "found 'no[/such]session'" in refused("replay", "no[/such]session")


def test_replay_without_a_session(refused: Refused) -> None:
    said = refused("replay")
    assert "expected at least one SESSION" in said


@pytest.mark.parametrize("address", ["nonsense", ADDRESS[:-1] + "a", "0x123"])
def test_an_address_that_is_none(address: str, refused: Refused) -> None:
    said = refused("run", "--xrpl", "http://127.0.0.1:1", "--account", address)
    assert f"found '{address}'" in said


@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_a_url_that_nobody_answers(scheme: str, refused: Refused) -> None:
    said = refused("run", "--xrpl", f"{scheme}://127.0.0.1:1", "--account", ADDRESS)
    assert f"found none at {scheme}://127.0.0.1:1" in said


def test_a_url_of_another_kind(refused: Refused) -> None:
    said = refused("run", "--xrpl", "ftp://127.0.0.1", "--account", ADDRESS)
    assert "found one with another scheme" in said


@pytest.mark.parametrize("option", ["--nats-port", "--postgres-port"])
def test_a_port_that_is_taken(option: str, taken_port: int, refused: Refused) -> None:
    said = refused("demo", "--json", "canceled", option, taken_port)
    assert f"port {taken_port}" in said
    assert "taken" in said
