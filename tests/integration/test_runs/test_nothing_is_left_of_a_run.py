"""A test run that fails, times out or is killed leaves neither a process nor temporary data."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
import sweeper
from fillproof_command import read_until
from running_command import running
from waiting import limit, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

pytestmark = pytest.mark.stack

ROOT = Path(__file__).parents[3]
BADLY = Path(__file__).with_name("ending_badly.py")


class Run:
    """One run of a test that ends badly; `temporary` is where all its data goes."""

    def __init__(self, name: str, process: subprocess.Popen[str], temporary: Path) -> None:
        self.process = process
        self._name = name
        self._temporary = temporary

    def processes(self) -> list[str]:
        """Return the names of all processes of the run, its first one included."""
        return [psutil.Process(number).name() for number in sweeper.processes_of(self._name)]

    def leaves_nothing(self) -> None:
        """Wait until neither a process nor a file is left."""
        wait_until(lambda: not any(sweeper.processes_of(self._name)), "the end of the run's processes")
        wait_until(lambda: not list(self._temporary.iterdir()), f"nothing in {self._temporary}")


@contextmanager
def run(tests: Sequence[str], temporary: Path, *options: str) -> Iterator[Run]:
    name = uuid.uuid4().hex
    runs = f"{os.environ[sweeper.MARK]} {name}"
    environment = {**os.environ, "TMPDIR": str(temporary), sweeper.MARK: runs}
    chosen = [f"{BADLY}::{test}" for test in tests]
    command = [sys.executable, "-m", "pytest", "--capture=no", *options, *chosen]
    with running(command, stderr=subprocess.STDOUT, cwd=ROOT, env=environment) as process:
        yield Run(name, process, temporary)


@pytest.fixture
def temporary(enterable: Path) -> Path:
    """Give a place for temporary data that PostgreSQL's user can enter too."""
    return enterable


def test_of_tests_that_fail_or_time_out_nothing_is_left(temporary: Path) -> None:
    tests = ("test_fails_beside_a_service", "test_takes_too_long_beside_a_demo")
    with run(tests, temporary, "-n", "1") as ended:
        output, _ = ended.process.communicate(timeout=limit())
        assert ended.process.returncode == pytest.ExitCode.TESTS_FAILED
        assert "expected another world" in output
        assert "Timeout" in output
        ended.leaves_nothing()


@pytest.mark.parametrize(
    ("number", "test", "options"),
    [
        (signal.SIGINT, "test_hangs_beside_a_service", ["-n", "1"]),
        (signal.SIGKILL, "test_hangs_beside_a_demo", ["-n", "1"]),
        (signal.SIGKILL, "test_hangs_beside_a_service", []),
    ],
)
def test_of_a_run_that_is_ended_amid_a_test_nothing_is_left(
    number: signal.Signals, test: str, options: list[str], temporary: Path
) -> None:
    with run([test], temporary, *options) as ended:
        read_until(ended.process, lambda line: "everything runs" in line)
        assert {"postgres", "nats-server"} < set(ended.processes())
        ended.process.send_signal(number)
        ended.leaves_nothing()
