"""Tests that end badly, for test_nothing_is_left_of_a_run.py; each first starts what could be left behind."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from fillproof_command import read_until, started

from local_stack import LocalStack

WAITS_FOR_EVER = "import signal; signal.pause()"
nobody_ends_these: list[subprocess.Popen[bytes]] = []


@pytest.fixture(autouse=True)
def litter(tmp_path: Path) -> None:
    """Leave a process in a session of its own, and temporary data of pytest's and of the test's own."""
    command = [sys.executable, "-c", WAITS_FOR_EVER]
    nobody_ends_these.append(subprocess.Popen(command, start_new_session=True))
    (tmp_path / "data").touch()
    (Path(tempfile.mkdtemp()) / "data").touch()


def say_that_everything_runs() -> None:
    print("everything runs", file=sys.stderr, flush=True)  # noqa: T201 - the test that watches reads it


def test_fails_beside_a_service(stack: LocalStack) -> None:
    stack.spawn("http.server", "0", "--bind", "127.0.0.1")
    raise AssertionError("expected another world")


def test_hangs_beside_a_service(stack: LocalStack) -> None:
    service = stack.spawn("http.server", "0", "--bind", "127.0.0.1")
    say_that_everything_runs()
    service.wait()


def test_hangs_beside_a_demo() -> None:
    with started("demo", "canceled", "--pace", "3600") as demo:
        read_until(demo, lambda line: "the services' logs" in line)
        say_that_everything_runs()
        demo.wait()


@pytest.mark.timeout(1)
def test_takes_too_long_beside_a_demo() -> None:
    with started("demo", "canceled", "--pace", "3600") as demo:
        demo.wait()
