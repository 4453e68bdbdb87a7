"""A PostgreSQL and its standby, real servers, at one address that leads to whichever is the primary."""

from __future__ import annotations

import contextlib
import shutil
import signal
from typing import TYPE_CHECKING

from chaos.proxy import Proxy
from waiting import wait_until

from local_stack.ports import LOOPBACK
from local_stack.postgres_server import SUPERUSER, PostgresServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local_stack import LocalStack, Role

STANDBY = "standby"
STREAMING = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"
RECEIVING = "SELECT count(*) FROM pg_stat_wal_receiver"


class _Standby(PostgresServer):
    """A server that begins as a copy of another one and follows it."""

    def __init__(self, stack: LocalStack, primary: PostgresServer) -> None:
        super().__init__(
            stack._directories,  # noqa: SLF001 - beside the stack's own server
            port=0,
            log_path=stack.log_dir / f"{STANDBY}.log",
            name=STANDBY,
        )
        self._primary = primary

    def remove(self) -> None:
        """End it and remove what it has."""
        self.stop()
        shutil.rmtree(self._home)

    def _reachable(self, installed: Path) -> Path:  # noqa: ARG002 - the base's
        return self._primary._binaries.parent  # noqa: SLF001 - a copy of its own, where one was needed

    def _make_cluster(self, place: Path) -> None:
        password = self._primary._password_file.read_text()  # noqa: SLF001 - the copy has the same
        self._password_file.write_text(password)
        address = (
            f"host={LOOPBACK} port={self._primary.port} user={SUPERUSER} password={password} "
            f"application_name={STANDBY}"
        )
        backup = self._spawn(
            "pg_basebackup",
            [self._binaries / "pg_basebackup", "-D", place, "-d", address, "-R", "-c", "fast", "--no-sync"],
            death_signal=signal.SIGKILL,
        )
        if backup.wait() != 0:
            backup.check()


class PostgresPair:
    """The stack's own server, which is the primary, and its standby; its address leads to the primary."""

    def __init__(self, stack: LocalStack, *, synchronous: bool) -> None:
        """`synchronous`: a commit is confirmed once the standby has it."""
        self._stack = stack
        self._synchronous = synchronous
        self._primary = stack._postgres  # noqa: SLF001 - the server that is to fail
        self._standby = _Standby(stack, self._primary)
        self._moved = contextlib.ExitStack()

    def both_addresses(self, role: Role, database: str) -> str:
        """Return an address that names both servers and wants the one that can be written to."""
        hosts = f"{LOOPBACK}:{self._primary.port}"
        url = self._stack.postgres_dsn(role, database)
        both = url.replace(hosts, f"{hosts},{LOOPBACK}:{self._standby.port}")
        return f"{both}?target_session_attrs=read-write"

    def begin(self) -> None:
        """Copy the primary, and wait until the standby follows it."""
        self._standby.create()
        self._standby.start()
        wait_until(lambda: self._primary.run_sql(STREAMING) == "1", "the standby follows")
        if self._synchronous:
            self._wait_for_standby(f"'{STANDBY}'")

    def fall_behind(self) -> None:
        """Cut the standby off: what is committed from now on, it does not get."""
        self._standby.run_sql("ALTER SYSTEM SET primary_conninfo = ''")
        self._standby.run_sql("SELECT pg_reload_conf()")
        wait_until(lambda: self._standby.run_sql(RECEIVING) == "0", "the standby gets nothing")

    def fail_over(self) -> None:
        """Kill the primary, promote the standby and have the stack's address lead there."""
        self._stack.kill_postgres()
        self._standby.run_sql("SELECT pg_promote()")
        promoted = f"postgresql://{LOOPBACK}:{self._standby.port}"
        self._moved.enter_context(Proxy(promoted, port=self._primary.port))

    def end(self) -> None:
        """End the standby, and leave the stack's server running as it was before."""
        self._moved.close()
        self._standby.remove()
        self._stack.stop_postgres()
        self._stack.start_postgres()
        if self._synchronous:
            self._wait_for_standby("''")

    def _wait_for_standby(self, names: str) -> None:
        """Have the primary confirm a commit when these standbys have it."""
        self._primary.run_sql(f"ALTER SYSTEM SET synchronous_standby_names = {names}")
        self._primary.run_sql("SELECT pg_reload_conf()")


@contextlib.contextmanager
def postgres_pair(stack: LocalStack, *, synchronous: bool) -> Iterator[PostgresPair]:
    """Run a standby beside the stack's PostgreSQL until the block ends."""
    pair = PostgresPair(stack, synchronous=synchronous)
    try:
        pair.begin()
        yield pair
    finally:
        pair.end()
