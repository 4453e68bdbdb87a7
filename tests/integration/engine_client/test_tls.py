"""The programs of docs/engine.md, as they are printed, on a bus that demands a user and TLS."""

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import nats
import pytest
import trustme
from on_the_bus import fill
from running_command import running
from waiting import limit_of_a_test, until, wait_until

from order_events import encode
from order_events.subjects import ENGINE_STREAM, order_subject

pytestmark = pytest.mark.stack

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
ACCOUNT = fill(1).account
CONFIGURATION = """
listen: "127.0.0.1:-1"
ports_file_dir: "{place}"
jetstream {{ store_dir: "{place}/data", domain: fillproof, max_file_store: 40GB }}
authorization {{ users: [{{ user: engine, password: "{password}" }}] }}
tls {{ cert_file: "{place}/server.pem", key_file: "{place}/server.key" }}
"""
PASSWORD = "of-a-test"  # noqa: S105


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(directory / "ca.pem")
    issued = authority.issue_cert("127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(directory / "server.pem")
    issued.private_key_pem.write_to_path(directory / "server.key")
    (directory / "nats.conf").write_text(CONFIGURATION.format(place=directory, password=PASSWORD))
    return directory


@pytest.fixture(scope="module")
def url(place: Path) -> Iterator[str]:
    """Give the address of a provisioned bus."""
    binary = Path(sysconfig.get_path("scripts")) / "nats-server"
    with running([binary, "-c", place / "nats.conf"], stderr=subprocess.STDOUT) as server:
        written = place / f"nats-server_{server.pid}.ports"
        wait_until(lambda: server.poll() is not None or _address(written) != "", "nats-server's port")
        address = f"tls://engine:{PASSWORD}@{_address(written)}"
        settings = {"FILLPROOF_NATS_URL": address, "FILLPROOF_NATS_CA": str(place / "ca.pem")}
        provision = [sys.executable, "-m", "service_kit.provision"]
        subprocess.run(provision, env=os.environ | settings, check=True, timeout=limit_of_a_test())
        yield address


def _address(written: Path) -> str:
    try:
        return str(json.loads(written.read_text())["nats"][0]).partition("://")[2]
    except (FileNotFoundError, json.JSONDecodeError):
        return ""


def booked(books: Path) -> list[tuple[object, ...]]:
    if not books.exists():
        return []
    with contextlib.closing(sqlite3.connect(books)) as connection:
        try:
            return connection.execute("SELECT sequence, gave FROM fill").fetchall()
        except sqlite3.OperationalError:
            return []  # it has made the file and not the table yet


async def test_the_printed_programs_announce_and_book_by_tls_as_a_user(
    url: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(place / "ca.pem"))  # as docs/engine.md says
    announce = [sys.executable, str(EXAMPLES / "announce_order.py"), url, ACCOUNT]
    done = subprocess.run(  # noqa: ASYNC221 - nothing else runs here
        announce, capture_output=True, text=True, timeout=limit_of_a_test(), check=False
    )
    assert done.returncode == 0, done.stderr
    client = await nats.connect(url)
    assert (await client.jetstream().stream_info(ENGINE_STREAM)).state.messages == 2
    books = place / "books.sqlite"
    engine = [sys.executable, str(EXAMPLES / "first_engine.py"), url, ACCOUNT, str(books)]
    with running(engine, stdout=None):
        await client.jetstream().publish(order_subject(fill(1)), encode(fill(1)))
        await until(lambda: booked(books) == [(fill(1).sequence, str(fill(1).gave.value))])
    await client.close()
