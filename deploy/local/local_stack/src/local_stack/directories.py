"""Where a stack keeps its data, and how what is temporary goes away."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Self

from local_stack.errors import StackError

JANITOR = Path(__file__).with_name("janitor.py")
ENTERABLE = 0o711
"""Others may pass through but see nothing, whatever the umask says."""
LOCK_SECONDS = 2.0
"""How long the children of a killed supervisor may still hold the data directory."""


class Directories:
    """The run directory (temporary) and the data directory (in it, or a given one that stays).

    `held` are descriptors that every child must hold: the janitor's pipe and the data directory's lock.
    """

    def __init__(self, *, run: Path, data: Path, janitor: subprocess.Popen[bytes], held: list[int]) -> None:
        self.run = run
        self.data = data
        self.data_is_kept = not data.is_relative_to(run)
        """Else it need not survive the machine: a server's writes wait for no disk."""
        self.held = held
        self._janitor = janitor

    @classmethod
    def create(cls, given: Path | None) -> Self:
        """Make both directories, enterable by others: PostgreSQL's user has to pass.

        Raises:
            StackError: a directory can't be written, or another stack uses it.

        """
        lock = [] if given is None else [_lock(_writable(given.absolute()))]
        try:
            run = Path(tempfile.mkdtemp(prefix="fillproof-"))
        except OSError as error:
            raise StackError(
                f"no temporary directory can be made: {error}; set TMPDIR to one that can"
            ) from error
        reader, writer = os.pipe()
        janitor = subprocess.Popen(  # noqa: S603 - the command is ours
            [sys.executable, "-I", "-S", str(JANITOR), str(run)],
            cwd="/",
            stdin=reader,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(reader)
        data = run / "data" if given is None else given.absolute()
        data.mkdir(exist_ok=True)
        for made in (run, data) if given is None else (run,):
            made.chmod(ENTERABLE)
        return cls(run=run, data=data, janitor=janitor, held=[writer, *lock])

    def close(self) -> None:
        """Let go; returns once the janitor has removed the run directory. All children must have ended."""
        while self.held:
            os.close(self.held.pop())
        self._janitor.wait()


def _writable(path: Path) -> Path:
    try:
        if not path.exists():
            path.mkdir(parents=True)
            path.chmod(ENTERABLE)
        shutil.rmtree(tempfile.mkdtemp(dir=path))
    except OSError as error:
        raise StackError(
            f"the data directory {path} can't be written ({error.strerror}): choose another one"
        ) from error
    return path


def _lock(directory: Path) -> int:
    """Return a descriptor that keeps other stacks out for as long as anybody holds it."""
    descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(descriptor)
                raise StackError(
                    f"the data directory {directory} is used by another stack: stop it or choose another one"
                ) from None
            time.sleep(0.05)
        else:
            return descriptor
