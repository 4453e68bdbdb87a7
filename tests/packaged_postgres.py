"""A PostgreSQL from the machine's packages, as a managed database: none of our roles is a superuser."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from running_command import running
from waiting import wait_until

from local_stack.account import postgres_account
from local_stack.ports import LOOPBACK, any_free

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from local_stack.account import Account

INSTALLATIONS = Path("/usr/lib/postgresql")
"""Where Debian has them, by major version."""
PASSWORD = "p-8f2c"  # noqa: S105 - of a server that lives as long as a test


class PackagedPostgres:
    """A running server; its superuser comes by the socket alone."""

    def __init__(self, place: Path, binaries: Path) -> None:
        self.port = any_free()
        self.place = place
        self._binaries = binaries

    def url(self, role: str, database: str, host: str = LOOPBACK) -> str:
        return f"postgresql://{role}:{PASSWORD}@{host}:{self.port}/{database}"

    def run_as_superuser(self, sql: str, database: str = "postgres") -> str:
        """Run statements as the provider of the database would."""
        return subprocess.run(
            [
                *(self._binaries / "psql", "-XqAt", "-v", "ON_ERROR_STOP=1"),
                *("-h", self.place, "-p", str(self.port), "-U", "postgres", "-d", database),
            ],
            input=sql,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()

    def create_database(self, name: str, *, owner_rights: str) -> None:
        """Make a database and its owner of the same name, with those rights."""
        self.run_as_superuser(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}' {owner_rights}")
        self.run_as_superuser(f"CREATE DATABASE {name} OWNER {name}")


def run_as(account: Account | None) -> dict[str, Any]:
    """Return the options of a process that is to run as this user; None: as the tests' own."""
    return {} if account is None else {"user": account.uid, "group": account.gid, "extra_groups": []}


@contextmanager
def packaged_postgres(
    *, settings: Sequence[str] = (), access: Sequence[str] = (), initdb: Sequence[str] = ()
) -> Iterator[PackagedPostgres]:
    """Run one until the block ends; a test is skipped where the machine has none.

    `settings`: as `timezone=UTC`; `access`: lines of pg_hba.conf before those that ask for passwords alone.
    """
    binaries = max(INSTALLATIONS.glob("*/bin"), default=None)
    if binaries is None or not (binaries / "initdb").exists():
        pytest.skip(
            "no PostgreSQL of the machine's packages: apt-get install postgresql (tests/ops/tools.sh)"
        )
    place = Path(tempfile.mkdtemp(prefix="postgres-"))
    account = postgres_account()
    as_account = run_as(account)
    if account is not None:
        account.own(place)
    try:
        cluster = place / "cluster"
        subprocess.run(
            [binaries / "initdb", "-D", cluster, "-U", "postgres", "-A", "trust", "--no-sync", *initdb],
            check=True, capture_output=True, cwd=place, **as_account,
        )  # fmt: skip
        (cluster / "pg_hba.conf").write_text(
            "\n".join(("local all all trust", *access, "host all all 127.0.0.1/32 scram-sha-256", ""))
        )
        server = PackagedPostgres(place, binaries)
        command = [binaries / "postgres", "-D", cluster, "-p", str(server.port), "-h", LOOPBACK, "-k", place]
        options = [one for setting in ("fsync=off", *settings) for one in ("-c", setting)]
        with (
            (place / "log").open("w") as log,
            running(
                [*command, *options], stdout=log.fileno(), stderr=log, cwd=place, **as_account
            ) as started,
        ):
            wait_until(lambda: started.poll() is not None or _ready(cluster), "PostgreSQL takes connections")
            assert started.poll() is None, (place / "log").read_text()
            yield server
    finally:
        shutil.rmtree(place)


def _ready(cluster: Path) -> bool:
    try:
        return "ready" in (cluster / "postmaster.pid").read_text()
    except FileNotFoundError:
        return False
