"""The programs of docs/engine.md, as they are printed, on a bus that demands a user and TLS."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nats
import pytest
from configured_nats import configured_nats
from engine_examples import EXAMPLES, read_books
from on_the_bus import fill
from running_command import running
from tls_certificates import write_certificates
from waiting import limit_of_a_test, until

from order_events import encode
from order_events.subjects import ENGINE_STREAM, order_subject

pytestmark = pytest.mark.stack

ACCOUNT = fill(1).account
CONFIGURATION = """
jetstream {{ store_dir: "{place}/data", domain: fillproof, max_file_store: 40GB }}
authorization {{ users: [{{ user: engine, password: "{password}" }}] }}
tls {{ cert_file: "{place}/server.pem", key_file: "{place}/server.key" }}
"""
PASSWORD = "of-a-test"  # noqa: S105


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("tls")
    write_certificates(directory)
    (directory / "nats.conf").write_text(CONFIGURATION.format(place=directory, password=PASSWORD))
    return directory


@pytest.fixture(scope="module")
def url(place: Path) -> Iterator[str]:
    """Give the address of a provisioned bus."""
    with configured_nats(place / "nats.conf", place) as port:
        address = f"tls://engine:{PASSWORD}@127.0.0.1:{port}"
        settings = {"FILLPROOF_NATS_URL": address, "FILLPROOF_NATS_CA": str(place / "ca.pem")}
        provision = [sys.executable, "-m", "service_kit.provision"]
        subprocess.run(provision, env=os.environ | settings, check=True, timeout=limit_of_a_test())
        yield address


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
    booked = [(fill(1).sequence, str(fill(1).gave.value))]
    with running(engine, stdout=None):
        await client.jetstream().publish(order_subject(fill(1)), encode(fill(1)))
        await until(lambda: read_books(books, "SELECT sequence, gave FROM fill") == booked)
    await client.close()
