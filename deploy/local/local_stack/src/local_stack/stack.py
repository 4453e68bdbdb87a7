"""NATS, PostgreSQL and our services, started and ended together."""

from __future__ import annotations

import secrets
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from local_stack.child import Child
from local_stack.directories import Directories
from local_stack.errors import StackError
from local_stack.nats_server import NatsServer
from local_stack.patience import stop_seconds
from local_stack.ports import LOOPBACK, require_free
from local_stack.postgres_server import PostgresServer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

DATABASE = "fillproof"
SECRETS_DIRECTORY = "FILLPROOF_SECRETS_DIRECTORY"
"""Tells a service where files are that it reads in place of variables."""
OWNER = "owner"
MIGRATED_ROLES = ("audit_writer", "grafana_reader", "metrics_reader")
"""Roles that preparing the database makes."""

Role = Literal["owner", "audit_writer", "grafana_reader", "metrics_reader"]


class LocalStack:
    """A running stack; a context manager that stops it. Synchronous; start and spawn in the main thread."""

    def __init__(self, directories: Directories, *, nats_port: int, postgres_port: int) -> None:
        self.log_dir = directories.data / "logs"
        self._directories = directories
        self._nats = NatsServer(directories, port=nats_port, log_path=self.log_dir / "nats.log")
        self._postgres = PostgresServer(
            directories, port=postgres_port, log_path=self.log_dir / "postgres.log"
        )
        self._children: list[Child] = []
        self._passwords: dict[str, str] = {}

    @classmethod
    def start(cls, data_dir: Path | None = None, nats_port: int = 0, postgres_port: int = 0) -> Self:
        """Start NATS and PostgreSQL on the loopback interface and create the empty database.

        Args:
            data_dir: where data stays from one run to the next; None for a temporary place that is removed.
            nats_port: 0 for any free one.
            postgres_port: 0 for any free one.

        Raises:
            StackError: a port is taken, a directory can't be written or entered, a server doesn't start.

        """
        if sys.platform != "linux":
            raise StackError(
                f"the local stack runs on Linux, this is {sys.platform}: use Docker (compose.yaml)"
            )
        require_free(nats_port, server="NATS")
        require_free(postgres_port, server="PostgreSQL")
        directories = Directories.create(data_dir)
        stack: Self | None = None
        try:
            stack = cls(directories, nats_port=nats_port, postgres_port=postgres_port)
            stack._start_servers()
        except BaseException:
            if stack is None:
                directories.close()
            else:
                stack.stop()
            raise
        return stack

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def nats_url(self) -> str:
        """Where NATS listens; the same after a restart."""
        return self._nats.url

    @property
    def nats_monitoring_url(self) -> str:
        """NATS's own HTTP pages (/varz, /jsz, /healthz)."""
        return self._nats.monitoring_url

    def postgres_dsn(self, role: Role = "owner", database: str = DATABASE) -> str:
        """Return `postgresql://role:password@host:port/database`; the same after a restart of the server.

        Raises:
            StackError: the role has no password yet; :meth:`migrate` makes the roles other than owner.

        """
        if role not in self._passwords:
            raise StackError(f"the role {role!r} does not exist yet: migrate first")
        return f"postgresql://{role}:{self._passwords[role]}@{LOOPBACK}:{self._postgres.port}/{database}"

    def psql_command(self, role: Role) -> str:
        """Return the command line that opens the database as that role, for a shell."""
        return f"{self._postgres.psql} {self.postgres_dsn(role)}"

    def migrate(self, database: str = DATABASE) -> None:
        """Bring `database` to the newest schema, make its months, give the roles made by it passwords.

        Raises:
            ChildFailed: with the output of the step that failed.

        """
        # a role keeps its password: where this step fails, the one that the database has is still known
        self._passwords = {role: secrets.token_hex(24) for role in MIGRATED_ROLES} | self._passwords
        self._run_step(
            "the migration",
            "audit_writer.prepare",
            secret={
                "FILLPROOF_OWNER_DATABASE_URL": self.postgres_dsn("owner", database),
                "FILLPROOF_DATABASE_URL": self.postgres_dsn("audit_writer", database),
                "FILLPROOF_GRAFANA_READER_PASSWORD": self._passwords["grafana_reader"],
                "FILLPROOF_METRICS_READER_PASSWORD": self._passwords["metrics_reader"],
            },
        )

    def create_database(self, name: str, template: str = "template1") -> None:
        """Create a database as a copy of `template`; nobody may be connected to that one."""
        self._postgres.run_sql(f'CREATE DATABASE "{name}" OWNER {OWNER} TEMPLATE "{template}"')

    def drop_database(self, name: str) -> None:
        """Drop a database, ending its sessions."""
        self._postgres.run_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def spawn(
        self,
        module: str,
        *arguments: str,
        name: str | None = None,
        env: Mapping[str, str] | None = None,
        secret: Mapping[str, str] | None = None,
        log_path: Path | None = None,
    ) -> Child:
        """Start `python -m module arguments...` as a child that ends with the stack.

        Args:
            module: as `reconciler.main`.
            arguments: its command line.
            name: what messages and the log file call it; by default the module.
            env: added to the environment.
            secret: settings that it reads from files, which no other user may read and which end with us.
            log_path: by default `log_dir/name.log`.

        Raises:
            StackError: another running child writes that log.

        """
        name = name or module
        log_path = log_path or self.log_dir / f"{name}.log"
        if any(child.log_path == log_path for child in self._children if child.returncode is None):
            raise StackError(f"a running child writes {log_path} already: give this one another name")
        child = Child.spawn(
            [sys.executable, "-m", module, *arguments],
            name=name,
            log_path=log_path,
            env={**(env or {}), **self._kept_secret(secret or {})},
            held=self._directories.held,
        )
        self._children.append(child)
        return child

    def check(self) -> None:
        """Raise ChildFailed, with the end of its log, if a service or a server has died unexpectedly."""
        for child in (self._nats.child, self._postgres.child, *self._children):
            child.check()

    @property
    def nats_pid(self) -> int:
        """NATS's process id; another one after a restart."""
        return self._nats.child.pid

    @property
    def nats_store(self) -> Path:
        """Where NATS keeps its streams; change it only while the server is not running."""
        return self._nats.store

    @property
    def postgres_cluster(self) -> Path:
        """PostgreSQL's data directory; change it only while the server is not running."""
        return self._postgres.cluster

    def kill_nats(self) -> None:
        """Kill NATS (SIGKILL)."""
        self._nats.child.kill()

    def stop_nats(self) -> None:
        """End NATS: it writes down what it knows of its streams."""
        self._nats.stop()

    def restart_nats(self) -> None:
        """Start NATS again on the same port and data, after ending it where it still runs."""
        self._nats.stop()
        self._nats.start()

    def kill_postgres(self) -> None:
        """Kill PostgreSQL (SIGKILL)."""
        self._postgres.child.kill()

    def stop_postgres(self) -> None:
        """End PostgreSQL and its sessions."""
        self._postgres.stop()

    def start_postgres(self) -> None:
        """Start PostgreSQL again on the same port and data."""
        self._postgres.start()

    def end_services(self) -> None:
        """End all that was spawned; the servers go on."""
        deadline = time.monotonic() + stop_seconds()
        for child in self._children:
            child.ask_to_end()
        while self._children:
            self._children[-1].wait_or_kill(seconds=max(0.0, deadline - time.monotonic()))
            self._children.pop()

    def stop(self) -> None:
        """End the services, then the servers, and remove what is temporary. A second call does nothing."""
        self.end_services()
        self._nats.stop()
        self._postgres.stop()
        self._directories.close()

    def _kept_secret(self, secret: Mapping[str, str]) -> dict[str, str | None]:
        """Write settings into files, and return the environment of a process that is to read them there."""
        if not secret:
            return {}
        place = Path(tempfile.mkdtemp(prefix="secrets-", dir=self._directories.run))
        for variable, value in secret.items():
            file = place / variable.lower()
            file.touch(mode=0o600)
            file.write_text(value)
        return {**dict.fromkeys(secret), SECRETS_DIRECTORY: str(place)}

    def _run_step(self, name: str, module: str, *, secret: Mapping[str, str]) -> None:
        step = Child.spawn(
            [sys.executable, "-m", module],
            name=name,
            log_path=self.log_dir / "migrate.log",
            env=self._kept_secret(secret),
            held=self._directories.held,
        )
        if step.wait() != 0:
            step.check()

    def _start_servers(self) -> None:
        self.log_dir.mkdir(mode=0o700, exist_ok=True)
        self._nats.start()
        self._postgres.create()
        self._postgres.start()
        if DATABASE not in self._postgres.run_sql("SELECT datname FROM pg_database").split():
            self._postgres.run_sql(f"CREATE ROLE {OWNER} CREATEROLE")
            self._postgres.run_sql(f"GRANT SET ON PARAMETER temp_file_limit TO {OWNER}")
            self.create_database(DATABASE)
        self._set_password(OWNER)

    def _set_password(self, role: str) -> None:
        """Give `role` a new password at every start: only its hash is ever on the disk."""
        password = secrets.token_hex(24)
        self._postgres.run_sql(f"ALTER ROLE {role} LOGIN PASSWORD '{password}'")
        self._passwords[role] = password
