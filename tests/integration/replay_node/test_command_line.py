"""`python -m replay_node` as others start and stop it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from aiohttp import ClientSession
from replaying import session_path
from running_command import first_line, running
from waiting import limit

from replay_node.__main__ import main

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path


def started(*arguments: object) -> AbstractContextManager[subprocess.Popen[str]]:
    return running([sys.executable, "-m", "replay_node", *map(str, arguments)], stderr=subprocess.PIPE)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_says_where_it_listens_and_stops_with_status_0(number: signal.Signals) -> None:
    options = ("--pace", "manual", "--fault", "lag=1", "--network-id", 7)
    with started(session_path("full_fill"), *options) as process:
        ready = json.loads(first_line(process))
        async with (
            ClientSession() as http,
            http.ws_connect(ready["url"]),  # an open connection must not hold the stop up
            http.post(ready["url"], json={"method": "server_info"}) as answer,
        ):
            info = (await answer.json())["result"]["info"]
            process.send_signal(number)
        _, err = process.communicate(timeout=limit())

    assert (process.returncode, err) == (0, "")
    assert ready["url"].startswith("http://127.0.0.1:")
    assert (ready["first_ledger"], ready["last_ledger"]) == (7, 10)
    assert ready["accounts"]["maker"].startswith("r")
    assert info["network_id"] == 7


def test_a_file_that_is_no_session_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "other.json"
    path.write_text('{"name": "other"}')

    assert main([str(path)]) == 2
    assert capsys.readouterr().err.startswith(f"replay_node: {path}: expected a recorded session")


def test_a_missing_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "missing.json.gz")]) == 2
    assert "No such file" in capsys.readouterr().err


def test_a_taken_port_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with started(session_path("full_fill"), "--port", port) as process:
            out, err = process.communicate(timeout=limit())

    assert (process.returncode, out) == (2, "")
    assert f"expected to listen on 127.0.0.1:{port}" in err


@pytest.mark.parametrize("pace", ["fast", "0", "-1", "nan"])
def test_a_pace_that_is_none_is_refused(pace: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main([str(session_path("full_fill")), f"--pace={pace}"])

    assert refused.value.code == 2
    assert "expected `read`, `manual` or seconds above zero" in capsys.readouterr().err


@pytest.mark.parametrize("fault", ["skip=2", "nonsense=1", "hole=[9,8]", "skip=half"])
def test_a_fault_that_is_none_is_refused(fault: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(session_path("full_fill")), "--fault", fault]) == 2
    assert capsys.readouterr().err.startswith("replay_node: ")
