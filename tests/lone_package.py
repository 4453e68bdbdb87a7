"""A fresh environment outside the source tree in which one package is installed with what it declares."""

import os
import signal
import subprocess
from pathlib import Path
from typing import NamedTuple, Self

SECONDS = 240.0
"""A command that is not through by then hangs."""


def build_wheels(uv: Path, root: Path, directory: Path) -> None:
    """Build the wheel of every package of the workspace at `root`."""
    _call(uv, "build", "--all-packages", "--wheel", "--out-dir", directory, cwd=root)


class LonePackage(NamedTuple):
    """The environment, and an empty directory in which its commands are run."""

    environment: Path
    directory: Path
    uv: Path

    @classmethod
    def install(cls, requirement: str, *, uv: Path, root: Path, wheels: Path, directory: Path) -> Self:
        """Install a package of ours, as `fillproof-console[local]`, in an environment of its own.

        Others' packages come in the versions that the lock names, our own from `wheels`. The last step
        asks no registry: what a wheel declares and the environment lacks is an error. It uses no cache: a
        wheel of the same version there may be an older one.
        """
        environment = directory / "environment"
        name, _, extra = requirement.removesuffix("]").partition("[")
        extras = ("--extra", extra) if extra else ()
        _call(
            *(uv, "sync", "--frozen", "--no-default-groups", "--no-install-workspace"),
            *("--package", name, *extras),
            cwd=root,
            UV_PROJECT_ENVIRONMENT=str(environment),
        )
        _call(
            *(uv, "pip", "install", "--offline", "--no-cache", "--no-index", "--find-links", wheels),
            *("--python", environment / "bin" / "python", requirement),
            cwd=directory,
        )
        elsewhere = directory / "elsewhere"
        elsewhere.mkdir()
        return cls(environment, elsewhere, uv)

    def installed(self) -> set[str]:
        """Return the names of all packages in the environment."""
        listed = _call(
            *(self.uv, "pip", "freeze", "--python", self.environment / "bin" / "python"), cwd=self.directory
        )
        return {line.partition("==")[0].partition(" @ ")[0] for line in listed.splitlines()}

    def run(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the environment (`python`, `fillproof`) to its end."""
        return subprocess.run(
            [self.environment / "bin" / command, *arguments],
            cwd=self.directory,
            env=_environment(),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def first_line(self, command: str, *arguments: str) -> str:
        """Start a command that serves, return its first line of output, and end it."""
        with subprocess.Popen(
            [self.environment / "bin" / command, *arguments],
            cwd=self.directory,
            env=_environment(),
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            try:
                return process.stdout.readline()
            finally:
                process.send_signal(signal.SIGTERM)


def _environment(**more: str) -> dict[str, str]:
    """Return our own less what would lead a command back into the source tree or set a service up."""
    ours = ("PYTHON", "VIRTUAL_ENV", "FILLPROOF_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)} | more


def _call(*command: str | Path, cwd: Path, **more: str) -> str:
    done = subprocess.run(
        command,
        cwd=cwd,
        env=_environment(UV_PYTHON_DOWNLOADS="never", **more),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stderr}"
    return done.stdout
