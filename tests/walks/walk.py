"""A newcomer's walk: real commands one after the other, each with what it must say and how long it took."""

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
from fillproof_command import FILLPROOF
from waiting import limit_of_a_test


class WrongTurn(Exception):
    """A command did not do what its page says."""


class Step(msgspec.Struct, frozen=True):
    """What was done, and how long it took."""

    what: str
    seconds: float


class Walk:
    """One newcomer's way, in a directory of their own."""

    def __init__(self, who: str, directory: Path) -> None:
        """`directory`: where the commands run."""
        self.who = who
        self.directory = directory
        self.steps: list[Step] = []

    def fillproof(self, *arguments: object, status: int = 0, says: str = "") -> str:
        """Run a command to its end and return its output.

        Raises:
            WrongTurn: it ended with another exit status, or did not say that.

        """
        return self.command([str(FILLPROOF), *map(str, arguments)], status=status, says=says)

    def command(self, command: Sequence[str], *, status: int = 0, says: str = "") -> str:
        """Run any command as `fillproof` does."""
        what = " ".join([Path(command[0]).name, *(_short(one) for one in command[1:])])
        with self.step(what):
            done = subprocess.run(
                command,
                cwd=self.directory,
                capture_output=True,
                text=True,
                timeout=limit_of_a_test(),
                check=False,
            )
        said = done.stdout + done.stderr
        if done.returncode != status or says not in said or "Traceback" in said:
            raise WrongTurn(
                f"{what}: expected status {status} and {says!r}, found {done.returncode} and: {said}"
            )
        return done.stdout

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Time what is done in the block."""
        began = time.monotonic()
        yield
        self.steps.append(Step(what, time.monotonic() - began))

    def table(self) -> str:
        """Return the steps and their times, and the whole time, as lines."""
        total = sum(step.seconds for step in self.steps)
        rows = [f"{step.seconds:6.1f} s  {step.what}" for step in self.steps]
        return "\n".join([f"The walk of the {self.who}", *rows, f"{total:6.1f} s  in all"])


def _short(argument: str) -> str:
    """Return an argument as the table shows it: no password, no path, no line longer than it is useful."""
    if "://" in argument:
        return "URL"
    if argument.startswith("/"):
        return Path(argument).name
    return argument if argument.isascii() and " " not in argument else repr(argument)
