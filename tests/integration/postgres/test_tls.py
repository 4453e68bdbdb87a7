"""A PostgreSQL that demands TLS and a certificate of each client, for steps, writer and commands."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from audit_tables import rows
from fillproof_command import FILLPROOF, run_with
from packaged_postgres import PASSWORD, packaged_postgres
from sample_events import mixed
from tls_certificates import write_certificates

from audit_writer.adapters.database import PostgresStore
from audit_writer.ports import StoreUnavailable
from local_stack.account import postgres_account
from service_kit.database_access import DatabaseAccess

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

pytestmark = pytest.mark.stack

ACCESS = (
    "hostssl all all 127.0.0.1/32 scram-sha-256 clientcert=verify-ca",
    "hostnossl all all 127.0.0.1/32 reject",
)


class TlsDatabase:
    """The database, and the settings of one who has a certificate."""

    def __init__(self, place: Path, owner: str, writer: str) -> None:
        self.place = place
        self.writer = writer
        self.settings = {
            "FILLPROOF_OWNER_DATABASE_URL": owner,
            "FILLPROOF_DATABASE_URL": writer,
            "FILLPROOF_GRAFANA_READER_PASSWORD": PASSWORD,
            **{f"FILLPROOF_DATABASE_{name}": str(path) for name, path in self.files("client").items()},
        }

    def files(self, shown: str, ca: str = "ca") -> dict[str, Path]:
        """Return the files by the ends of their settings' names."""
        return {
            "CA": self.place / f"{ca}.pem",
            "CERTIFICATE": self.place / f"{shown}.pem",
            "KEY": self.place / f"{shown}.key",
        }


@pytest.fixture(scope="module")
def database() -> Iterator[TlsDatabase]:
    place = Path(tempfile.mkdtemp(prefix="certificates-"))
    place.chmod(0o755)
    write_certificates(place)
    (place / "server.key").chmod(0o600)
    if account := postgres_account():
        account.own(place / "server.key")
    names = {"ssl_cert_file": "server.pem", "ssl_key_file": "server.key", "ssl_ca_file": "ca.pem"}
    settings = ("ssl=on", *(f"{name}={place / file}" for name, file in names.items()))
    with packaged_postgres(settings=settings, access=ACCESS) as server:
        server.create_database("fillproof", owner_rights="CREATEROLE")
        yield TlsDatabase(
            place, server.url("fillproof", "fillproof"), server.url("audit_writer", "fillproof")
        )


def settings_of(files: dict[str, Path]) -> dict[str, Path]:
    return {f"database_{name}".lower(): path for name, path in files.items()}


def prepare(settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return run_with(settings, [sys.executable, "-m", "audit_writer.prepare"])


async def test_step_writer_and_commands_are_let_in_by_their_certificate(database: TlsDatabase) -> None:
    ended = prepare(database.settings)
    assert ended.returncode == 0, ended.stderr
    access = DatabaseAccess.model_validate(settings_of(database.files("client")))
    async with PostgresStore(database.writer, access=access) as tables:
        assert await tables.write(rows(mixed(4))) == 4
    verified = run_with(database.settings, [FILLPROOF, "verify"])
    assert (verified.returncode, "4 events" in verified.stdout) == (0, True), verified.stderr


async def test_a_certificate_that_is_missing_or_not_believed_is_named(database: TlsDatabase) -> None:
    """The writer holds what it has meanwhile, and readiness says the same."""
    shown = database.files("stranger")
    for files, said in (
        ({}, "FILLPROOF_DATABASE_CA, _CERTIFICATE and _KEY name the files"),
        ({"database_ca": shown["CA"]}, f"by the certificates of {shown['CA']}"),
        (settings_of(shown), f"showing {shown['CERTIFICATE']}"),
        ({"database_ca": database.place / "other_ca.pem"}, "CERTIFICATE_VERIFY_FAILED"),
    ):
        async with PostgresStore(database.writer, access=DatabaseAccess.model_validate(files)) as tables:
            with pytest.raises(StoreUnavailable) as held:
                await tables.write(rows(mixed(1)))
            assert said in str(held.value)
            assert said in (await tables.check() or "")


def test_a_server_of_another_authority_or_name_is_not_believed_by_a_step(database: TlsDatabase) -> None:
    other = str(database.place / "other_ca.pem")
    ended = prepare({**database.settings, "FILLPROOF_DATABASE_CA": other})
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert f"TLS fails, by the certificates of {other}" in ended.stderr
    owner = database.settings["FILLPROOF_OWNER_DATABASE_URL"].replace("127.0.0.1", "localhost")
    settings = {**database.settings, "FILLPROOF_OWNER_DATABASE_URL": owner}
    ended = run_with(settings, [FILLPROOF, "verify"])
    assert (ended.returncode, "Hostname mismatch" in ended.stderr) == (2, True)
    assert PASSWORD not in ended.stderr


def test_files_that_can_not_be_meant_are_refused_at_once(database: TlsDatabase) -> None:
    for files, said in (
        ({"database_ca": "/nowhere/ca.pem"}, "in PEM at /nowhere/ca.pem"),
        ({"database_certificate": str(database.place / "client.pem")}, "FILLPROOF_DATABASE_KEY together"),
    ):
        with pytest.raises(ValueError, match=said):
            DatabaseAccess.model_validate(files)
