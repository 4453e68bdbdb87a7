"""The command line as a whole: every command's help, and output that can't be written."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest
from fillproof_command import FILLPROOF
from typer.testing import CliRunner
from waiting import limit

from console.__main__ import main
from console.main import COMMANDS, app


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_has_the_exit_statuses_and_an_example(command: str) -> None:
    shown = " ".join(CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"}).stdout.split())
    assert "Exit statuses of all commands: 0 done, and well; 1 failed" in shown
    assert f"Example: fillproof {command}" in shown


def help_fails_to(output: TextIO, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Print a command's help to an output that can't be written, and assert that it ends with 1."""
    with monkeypatch.context() as changed:
        changed.setattr(sys, "argv", ["fillproof", command, "--help"])
        changed.setattr(sys, "stdout", output)
        with pytest.raises(SystemExit) as ended:
            main()
    assert ended.value.code == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_disk_ends_every_command_in_one_line(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        help_fails_to(full, command, monkeypatch)
    assert capsys.readouterr().err == "fillproof: the output can't be written: No space left on device\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_closed_pipe_ends_every_command_without_a_word(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w") as pipe:  # noqa: PTH123 - a descriptor
        help_fails_to(pipe, command, monkeypatch)
    assert capsys.readouterr().err == ""


def test_output_that_can_not_be_written_ends_in_one_line() -> None:
    command = [FILLPROOF, "replay", "canceled"]
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        done = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=limit(), check=False
        )
    assert done.returncode == 1
    assert done.stderr == "fillproof: the output can't be written: No space left on device\n"


def test_a_reader_that_has_read_enough_is_no_error() -> None:
    command = [FILLPROOF, "replay", "random_1", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""


BOOK = str(Path(__file__).parents[2] / "data" / "engines" / "hummingbot_random_1.sqlite")
ACCOUNT = "rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe"
NEEDED = {
    "run": ["--account", ACCOUNT, "--xrpl"],
    "doctor": ["--xrpl", "--nats", "--database"],
    "status": ["--nats"],
    "orders": ["--nats"],
    "tail": ["--no-follow", "--nats"],
    "verify": ["--database"],
    "refill": ["--nats", "nats://127.0.0.1:9", "--database"],
    "dead-letters": ["--nats"],
    "explain": [ACCOUNT, "5", "--xrpl"],
    "compare": [BOOK, "--account", ACCOUNT, "--database"],
    "resume": [ACCOUNT, "--note", "seen", "--nats"],
    "ack": ["00000000-0000-0000-0000-000000000000", "--note", "seen", "--database"],
    "record": ["--account", ACCOUNT, "--ledgers", "5-6", "--output", "/dev/null", "--xrpl"],
    "prove": [ACCOUNT, "5", "-o", "/dev/null", "--xrpl"],
}
"""How each command is called that is given an address: the options at the end are given a wrong one."""
SCHEMES = {"--xrpl": "ws", "--nats": "nats", "--database": "postgresql"}
WRONG = ("{}://[::1", "{}://user:secret@127.0.0.1:99999/x", "{}://127.0.0.1:9", "nonsense")
PYTHON = re.compile(r"Traceback|[a-z]Error\b|<class|\bb'|Errno|\('|secret|\bNone\b|object at|\bSome\(")
"""What only a programmer would understand, or nobody may see."""


def calls() -> Iterator[list[str]]:
    for command, arguments in NEEDED.items():
        addresses = [one for one in arguments if one in SCHEMES][-3 if command == "doctor" else -1 :]
        fixed = arguments[: arguments.index(addresses[0])]
        for option in addresses:
            for wrong in WRONG:
                yield [command, *fixed, option, wrong.format(SCHEMES[option])]


@pytest.mark.parametrize("arguments", [pytest.param(one, id=" ".join(one)) for one in calls()])
def test_a_wrong_address_ends_in_one_line_without_python_and_without_what_is_secret(
    arguments: list[str],
) -> None:
    done = CliRunner().invoke(app, arguments)
    assert isinstance(done.exception, SystemExit), done.exception
    found = [line for line in done.output.splitlines() if line.startswith(("fillproof: ", "FAIL "))]
    if arguments[0] == "doctor":
        assert done.exit_code == 1
        assert len(found) == 1
    else:
        assert done.exit_code == 2
        assert found == done.output.splitlines()
        assert len(found) == 1
    assert not PYTHON.search(done.output), done.output
