"""The whole stack on recorded ledgers, as a user starts it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from fillproof_command import fillproof, processes_of, read_until, run_directory, started
from globally_frozen import globally_frozen

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]

ENDS_OF_EVERY_KIND = (
    "account_deleted",
    "busy_ledger",
    "canceled_elsewhere",
    "expired_swept",
    "ioc_partial",
    "killed",
    "never_placed",
    "replaced_by_crossing",
    "ticketed",
    "underfunded_partial",
    "random_1",
)


def test_the_stack_and_the_pure_fold_give_the_same_lines(tmp_path: Path) -> None:
    asked_for = tmp_path / "globally_frozen.json"
    asked_for.write_text(json.dumps(globally_frozen()))
    sessions = (*ENDS_OF_EVERY_KIND, asked_for)
    demo = fillproof("demo", "--json", *sessions, seconds=200)
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
    process = started("demo", "random_1", "--pace", "5")
    output = read_until(process, lambda line: "the services' logs" in line)
    directory = run_directory(output)
    children = psutil.Process(process.pid).children(recursive=True)
    assert directory.exists()
    assert children
    process.send_signal(number)
    process.communicate(timeout=30)
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
    _, alive = psutil.wait_procs(children, timeout=20)
    assert alive == []
    deadline = time.monotonic() + 20
    while (directory.exists() or processes_of(directory)) and time.monotonic() < deadline:
        time.sleep(0.05)  # the janitor is no child of ours: there is nothing to wait on but its deed
    assert not directory.exists()
    assert processes_of(directory) == []


def test_make_demo_passes_its_arguments_on() -> None:
    root = Path(__file__).parents[2]
    shown = subprocess.run(
        ["make", "--no-print-directory", "--dry-run", "demo", "SESSION=canceled", "ARGS=--json"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
        env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
    )
    assert shown.stdout.splitlines()[-1].endswith("fillproof demo canceled --json")
