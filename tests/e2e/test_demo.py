"""The whole stack on recorded ledgers, as a user starts it."""

import json
import os
import signal
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import psutil
import pytest
from fillproof_command import fillproof, processes_of, read_until, run_directory, started
from globally_frozen import globally_frozen
from running_command import running
from waiting import limit, wait_until

pytestmark = pytest.mark.stack

ENDS_OF_EVERY_KIND = ("account_deleted", "expired_swept", "ioc_partial", "never_placed", "random_1")


def test_the_stack_and_the_pure_fold_give_the_same_lines(tmp_path: Path) -> None:
    asked_for = tmp_path / "globally_frozen.json"
    asked_for.write_text(json.dumps(globally_frozen()))
    sessions = (*ENDS_OF_EVERY_KIND, asked_for)
    demo = fillproof("demo", "--json", *sessions)
    replay = fillproof("replay", "--json", *sessions)
    assert (demo.returncode, replay.returncode) == (0, 0), demo.stderr
    assert demo.stdout.splitlines() == replay.stdout.splitlines()


def test_every_line_has_just_the_agreed_fields() -> None:
    line = json.loads(fillproof("replay", "--json", "full_fill").stdout)
    assert list(line) == [
        "session",
        "account",
        "sequence",
        "status",
        "removal_reason",
        "removed_by",
        "fills",
        "resolution",
        "anomaly",
    ]
    assert list(line["fills"][0]) == ["tx_hash", "ledger_index", "gave", "got"]


def test_the_demo_ends_with_a_table_and_the_chip() -> None:
    sessions = ("canceled", "canceled_elsewhere", "never_placed", "self_crossed")
    ended = fillproof("demo", *sessions)
    assert ended.returncode == 0, ended.stderr
    assert "Anomalies:  BAD 3" in ended.stdout
    assert all(f" {session} " in ended.stdout for session in sessions)


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)],
    ids=["Ctrl-C", "TERM", "KILL"],
)
def test_however_the_demo_is_ended_no_process_and_no_data_stays(number: signal.Signals, status: int) -> None:
    with started("demo", "random_1", "--pace", "5") as process:
        directory = run_directory(read_until(process, lambda line: "the services' logs" in line))
        children = psutil.Process(process.pid).children(recursive=True)
        assert directory.exists()
        assert children
        process.send_signal(number)
        process.communicate(timeout=limit())
    assert process.returncode == status
    _wait_until_gone(directory, children)


_CTRL_C_WHILE_LOADING = """
import sys
from console.__main__ import main

class CtrlC:
    def find_spec(self, name, path=None, target=None):
        if name == "typer":
            raise KeyboardInterrupt

sys.meta_path.insert(0, CtrlC())
main()
"""


def test_ctrl_c_before_anything_has_begun_ends_it_without_a_traceback() -> None:
    command = [sys.executable, "-c", _CTRL_C_WHILE_LOADING]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


def _wait_until_gone(directory: Path, children: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(children, timeout=limit())
    assert alive == []
    # the janitor is no child of ours: there is nothing to wait on but its deed
    wait_until(
        lambda: not directory.exists() and processes_of(directory) == [], f"nothing is left of {directory}"
    )


def _make_demo(*arguments: str) -> AbstractContextManager[subprocess.Popen[str]]:
    return running(
        ["make", "--no-print-directory", "--old-file=.venv/ready", "demo", *arguments],
        cwd=Path(__file__).parents[2],
        stderr=subprocess.STDOUT,
        env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
    )


def test_killing_make_ends_the_demo_that_it_started() -> None:
    with _make_demo("SESSION=random_1", "ARGS=--pace 5") as process:
        directory = run_directory(read_until(process, lambda line: "the services' logs" in line))
        children = psutil.Process(process.pid).children(recursive=True)
        assert children
        process.kill()
        process.communicate(timeout=limit())
    _wait_until_gone(directory, children)


def test_make_demo_passes_its_arguments_on() -> None:
    with _make_demo("--dry-run", "SESSION=canceled", "ARGS=--json") as process:
        output, _ = process.communicate(timeout=limit())
    assert output.splitlines()[-1].endswith("fillproof demo canceled --json")
