"""The command line as a whole: every command's help, and output that can't be written."""

import subprocess

import pytest
from fillproof_command import FILLPROOF
from typer.testing import CliRunner
from waiting import limit

from console.main import COMMANDS, app


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_has_the_exit_statuses_and_an_example(command: str) -> None:
    shown = " ".join(CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"}).stdout.split())
    assert "Exit statuses of all commands: 0 done, and well; 1 failed" in shown
    assert f"Example: fillproof {command}" in shown


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
