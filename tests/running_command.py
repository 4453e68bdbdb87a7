"""Commands that run beside a test and end with it, whatever comes of it."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def running(
    command: Sequence[str | Path],
    *,
    stdout: int | None = subprocess.PIPE,
    **options: Any,  # noqa: ANN401 - as Popen's own
) -> Iterator[subprocess.Popen[str]]:
    """Run a command until the block ends; all options are Popen's."""
    with subprocess.Popen(command, stdout=stdout, text=True, **options) as process:
        try:
            yield process
        finally:
            process.kill()


def first_line(process: subprocess.Popen[str]) -> str:
    """Return the first line of its output; where it ends without one, the test fails with what it said."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"expected {process.args} to say something, found: {process.communicate()}"
    return line
