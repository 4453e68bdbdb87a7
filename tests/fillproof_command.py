"""The command `fillproof`, run as a user runs it, and what it leaves behind."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import psutil
from running_command import running
from waiting import limit_of_a_test

FILLPROOF = Path(sys.executable).with_name("fillproof")


def fillproof(*arguments: object, temporary: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run it to its end; `temporary`: where it puts what it does not keep."""
    environment = {**os.environ, **({} if temporary is None else {"TMPDIR": str(temporary)})}
    command = [FILLPROOF, *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=limit_of_a_test(), check=False, env=environment
    )


def run_with(settings: Mapping[str, str], command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
    """Run a command or a step of a deployment to its end, with these settings of the project alone."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("FILLPROOF_")}
    return subprocess.run(
        command,
        env={**others, **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=limit_of_a_test(),
    )


def started(*arguments: object) -> AbstractContextManager[subprocess.Popen[str]]:
    """Run it until the block ends; standard output and error come together."""
    return running([FILLPROOF, *map(str, arguments)], stderr=subprocess.STDOUT)


def read_until(process: subprocess.Popen[str], wanted: Callable[[str], bool]) -> str:
    """Read its output up to the first line that is wanted and return all of it."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if wanted(line):
            return "".join(lines)
    raise AssertionError("it ended before it said so: " + "".join(lines))


def run_directory(output: str) -> Path:
    """Return the stack's temporary directory from the path of the logs that it names."""
    [line] = [line for line in output.splitlines() if "the services' logs" in line]
    return Path(line.split()[-1]).parents[1]


def processes_of(directory: Path) -> list[str]:
    """Return the command lines of processes that have to do with that directory."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        command = " ".join(process.info["cmdline"] or [])
        if str(directory) in command:
            found.append(command)
    return found
