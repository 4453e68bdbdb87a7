"""A NATS that demands TLS and a certificate of each client, for steps, doctor and services."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from configured_nats import configured_nats
from fillproof_command import FILLPROOF, run_with
from running_command import running
from tls_certificates import write_certificates

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.stack

CONFIGURATION = """
jetstream {{ store_dir: "{place}/data", max_file_store: 40GB }}
tls {{
  cert_file: "{place}/server.pem"
  key_file: "{place}/server.key"
  ca_file: "{place}/ca.pem"
  verify: true
}}
"""


class TlsBus:
    """A NATS that demands a certificate, and the settings of one that has it."""

    def __init__(self, place: Path, port: int) -> None:
        self.url = f"tls://127.0.0.1:{port}"
        self.settings = {
            "FILLPROOF_NATS_URL": self.url,
            "FILLPROOF_NATS_CA": str(place / "ca.pem"),
            "FILLPROOF_NATS_CERTIFICATE": str(place / "client.pem"),
            "FILLPROOF_NATS_KEY": str(place / "client.key"),
        }


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsBus]:
    place = tmp_path_factory.mktemp("tls")
    write_certificates(place)
    (place / "nats.conf").write_text(CONFIGURATION.format(place=place))
    with configured_nats(place / "nats.conf", place) as port:
        yield TlsBus(place, port)


def provision(settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the step that makes the streams."""
    return run_with(settings, [sys.executable, "-m", "service_kit.provision"])


def test_a_server_that_demands_a_certificate_lets_in_who_has_one(bus: TlsBus) -> None:
    assert provision(bus.settings).returncode == 0


def test_without_a_certificate_nobody_is_let_in(bus: TlsBus) -> None:
    only_ca = {name: bus.settings[name] for name in ("FILLPROOF_NATS_URL", "FILLPROOF_NATS_CA")}
    ended = provision(only_ca)
    assert ended.returncode == 1
    assert "expected NATS at 127.0.0.1" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_server_of_another_authority_is_not_believed_and_the_authority_is_named(bus: TlsBus) -> None:
    other = str(Path(bus.settings["FILLPROOF_NATS_CA"]).with_name("other_ca.pem"))
    ended = provision({**bus.settings, "FILLPROOF_NATS_CA": other})
    assert ended.returncode == 1
    assert f"by the certificates of {other}" in ended.stderr
    assert "CERTIFICATE_VERIFY_FAILED" in ended.stderr


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("FILLPROOF_NATS_CA", "/nowhere/ca.pem", "/nowhere/ca.pem"),
        ("FILLPROOF_NATS_KEY", None, "FILLPROOF_NATS_KEY together"),
        ("FILLPROOF_NATS_CREDENTIALS", "/nowhere/engine.creds", "/nowhere/engine.creds"),
    ],
)
def test_files_that_can_not_be_meant_are_refused_at_once(
    bus: TlsBus, name: str, value: str | None, said: str
) -> None:
    changed = {key: text for key, text in bus.settings.items() if key != name}
    ended = provision(changed if value is None else {**changed, name: value})
    assert ended.returncode == 2
    assert said in ended.stderr


def test_the_doctor_says_that_it_is_encrypted_and_until_when(bus: TlsBus) -> None:
    provision(bus.settings)
    ended = run_with(bus.settings, [FILLPROOF, "doctor", "--json"])
    found = [json.loads(line) for line in ended.stdout.splitlines()]
    assert any(one["found"].startswith("encrypted, the certificate ends 3000") for one in found)


def test_services_run_where_nats_demands_a_certificate(bus: TlsBus, tmp_path: Path) -> None:
    assert provision(bus.settings).returncode == 0
    command = [sys.executable, "-m", "reconciler"]
    settings = {
        **bus.settings,
        "FILLPROOF_XRPL_URLS": "http://127.0.0.1:1",
        "FILLPROOF_ACCOUNTS": "rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe",
    }
    with running(command, env={**os.environ, **settings}, stderr=subprocess.STDOUT, cwd=tmp_path) as service:
        assert service.stdout is not None
        until = next(line for line in service.stdout if '"replicas"' in line)
    assert '"accounts": 1' in until
