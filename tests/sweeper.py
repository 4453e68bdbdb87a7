"""End the processes and remove the data that a test run leaves behind, however the run ends.

The first process of the run starts `python sweeper.py RUN DIRECTORY SECONDS` and holds the write end of its
standard input: the end of the input says that the run is over, also when it was killed. Every process of the
run, whatever its parent or its session, carries the run's name in its environment. Only the standard library:
it runs without site-packages.
"""

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

MARK = "FILLPROOF_TEST_RUNS"
"""The environment variable with the names of the runs that a process belongs to: a run may start another."""


def processes_of(run: str) -> Iterator[int]:
    """Yield the ids of the run's processes that have not ended."""
    for place in Path("/proc").glob("[0-9]*"):
        try:
            variables = (place / "environ").read_bytes().split(b"\0")
        except OSError:  # it has ended, or belongs to somebody else
            continue
        for variable in variables:
            name, _, runs = variable.partition(b"=")
            if name == MARK.encode() and run.encode() in runs.split():
                yield int(place.name)


def end(run: str, seconds: float) -> None:
    """Ask all processes of the run to end, and kill those that have not after so many seconds."""
    _send(signal.SIGTERM, run)
    deadline = time.monotonic() + seconds
    while any(processes_of(run)):
        if time.monotonic() > deadline:
            _send(signal.SIGKILL, run)
        time.sleep(0.05)


def _send(number: signal.Signals, run: str) -> None:
    for process in processes_of(run):
        try:
            os.kill(process, number)
        except ProcessLookupError:
            continue


def main() -> None:
    """Wait for the end of standard input, then sweep."""
    run, directory, seconds = sys.argv[1:]
    sys.stdin.buffer.read()
    end(run, float(seconds))
    shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
