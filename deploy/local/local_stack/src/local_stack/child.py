"""One supervised child process: start, readiness, stop, and what it said before it died."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar
from urllib.parse import urlsplit

from local_stack.errors import StackError
from local_stack.interrupts import check_interrupts
from local_stack.patience import PATIENCE, patience, stop_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from local_stack.account import Account

LEASH = Path(__file__).with_name("leash.py")
POLL_SECONDS = 0.01
ANSWER_SECONDS = 5.0
"""Longer than a service's own checks take at most; without an answer it is asked again."""
TAIL_BYTES = 4_000
LISTENING = re.compile(rb"^listening on (\S+)$", re.MULTILINE)
"""The line with which a service announces where it serves."""

Found = TypeVar("Found")


class ChildFailed(StackError):
    """A child ended that should be running, or did not become ready in time."""


class Child:
    """A process that dies with its supervisor; standard output and error go to `log_path`."""

    def __init__(
        self, *, name: str, process: subprocess.Popen[bytes], log_path: Path, log_start: int
    ) -> None:
        self.name = name
        self.log_path = log_path
        self._process = process
        self._log_start = log_start
        self._asked_to_end = False

    @classmethod
    def spawn(  # noqa: PLR0913 - the ways in which children differ, all by keyword
        cls,
        command: Sequence[str | Path],
        *,
        name: str,
        log_path: Path,
        env: Mapping[str, str | None] | None = None,
        account: Account | None = None,
        death_signal: signal.Signals = signal.SIGKILL,
        held: Sequence[int] = (),
    ) -> Self:
        """Start `command` in a session of its own.

        Args:
            command: absolute path and arguments.
            name: what messages call it.
            log_path: where its output is appended.
            env: added to the supervisor's own environment, less its PG variables; None: not passed on.
            account: who it runs as; None for the supervisor's own user.
            death_signal: what it gets when the supervisor dies.
            held: file descriptors that stay open as long as it runs.

        """
        if threading.current_thread() is not threading.main_thread():
            msg = f"{name} must be started from the main thread: its leash would end with this thread"
            raise RuntimeError(msg)
        user = f"{account.uid}:{account.gid}" if account else "-"
        leash = [sys.executable, "-I", "-S", str(LEASH), str(int(death_signal)), str(os.getpid()), user]
        environment = {**own_environment(), **(env or {})}
        with log_path.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - commands are ours
                [*leash, *map(str, command)],
                cwd="/" if account else None,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={name: value for name, value in environment.items() if value is not None},
                start_new_session=True,
                pass_fds=held,
            )
            return cls(name=name, process=process, log_path=log_path, log_start=log.tell())

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit status; None while it runs, negative for the signal that ended it."""
        return self._process.poll()

    def output(self) -> bytes:
        """Return what it has written since it started."""
        with self.log_path.open("rb") as log:
            log.seek(self._log_start)
            return log.read()

    def check(self) -> None:
        """Raise ChildFailed, with the end of its log, if it has ended without being asked to."""
        if self.returncode is not None and not self._asked_to_end:
            raise self._ended()

    def wait_for(self, probe: Callable[[], Found | None], *, what: str) -> Found:
        """Return the first answer of `probe` that is not None.

        Raises:
            ChildFailed: it died first, or the stack's patience (patience.py) ended; with the end of its log.
            Interrupted: the process was asked to end (interrupts.py).

        """
        seconds = patience()
        deadline = time.monotonic() + seconds
        while True:
            check_interrupts()
            ended = self.returncode is not None  # asked first: its last deed may be what is probed for
            found = probe()
            if found is not None:
                return found
            if ended:
                raise self._ended()
            if time.monotonic() > deadline:
                raise self._failure(f"did not {what} within {seconds:g} s ({PATIENCE})")
            time.sleep(POLL_SECONDS)

    def wait_listening(self) -> str:
        """Return the URL of its line `listening on URL`; raises ChildFailed as :meth:`wait_for`."""
        return self.wait_for(self._announced, what="say where it listens")

    def wait_ready(self) -> str:
        """Wait for its line `listening on URL` and for 200 from URL/health/ready; returns the URL.

        Raises:
            ChildFailed: as :meth:`wait_for`.

        """
        url = self.wait_listening()
        self.wait_for(lambda: answers_ok(f"{url}/health/ready"), what="become ready")
        return url

    def wait(self) -> int:
        """Return its exit status once it has ended by itself; raises ChildFailed as :meth:`wait_for`."""
        return self.wait_for(lambda: self.returncode, what="end")

    def send(self, number: signal.Signals) -> None:
        """Send it a signal; nothing happens where it has ended."""
        self._process.send_signal(number)

    def ask_to_end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Ask it to end and do not wait for that."""
        self._asked_to_end = True
        self.send(number)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end, kill it where it takes too long (patience.py), and return the exit status."""
        self.ask_to_end(number)
        return self.wait_or_kill(seconds=stop_seconds())

    def wait_or_kill(self, *, seconds: float) -> int:
        """Wait for the end that it was asked for, kill it after `seconds`, and return the exit status."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """Kill it at once (SIGKILL) and return the exit status."""
        self._asked_to_end = True
        self._process.kill()
        return self._process.wait()

    def _announced(self) -> str | None:
        match = LISTENING.search(self.output())
        return match[1].decode() if match else None

    def _ended(self) -> ChildFailed:
        return self._failure(f"ended unexpectedly with status {self.returncode}")

    def _failure(self, happened: str) -> ChildFailed:
        tail = self.output()[-TAIL_BYTES:].decode(errors="replace").strip() or "(nothing)"
        return ChildFailed(f"{self.name} {happened}; the end of its log {self.log_path}:\n{tail}")


def own_environment() -> dict[str, str]:
    """Return the environment without what the user set for another PostgreSQL (PGSSLMODE, PGOPTIONS...)."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def answers_ok(url: str) -> bool | None:
    """Return True if `url` answers 200 within `ANSWER_SECONDS`, else None."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", parts._replace(scheme="", netloc="").geturl())
        return True if connection.getresponse().status == http.HTTPStatus.OK else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
