"""A NATS that demands TLS, and a certificate of whoever connects."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import trustme
from fillproof_command import FILLPROOF
from running_command import running
from waiting import limit_of_a_test, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.stack

CONFIGURATION = """
listen: "127.0.0.1:-1"
ports_file_dir: "{place}"
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
    authority = trustme.CA()
    authority.cert_pem.write_to_path(place / "ca.pem")
    trustme.CA().cert_pem.write_to_path(place / "other_ca.pem")
    for name, issued in (
        ("server", authority.issue_cert("127.0.0.1")),
        ("client", authority.issue_cert("reconciler@desk.invalid")),
    ):
        issued.cert_chain_pems[0].write_to_path(place / f"{name}.pem")
        issued.private_key_pem.write_to_path(place / f"{name}.key")
    (place / "nats.conf").write_text(CONFIGURATION.format(place=place))
    binary = Path(sysconfig.get_path("scripts")) / "nats-server"
    with running([binary, "-c", place / "nats.conf"], stderr=subprocess.STDOUT) as server:
        written = place / f"nats-server_{server.pid}.ports"
        wait_until(lambda: server.poll() is not None or _port(written) is not None, "nats-server's port")
        port = _port(written)
        assert port is not None, f"expected nats-server to start, found: {server.communicate()[0]}"
        yield TlsBus(place, port)


def _port(written: Path) -> int | None:
    try:
        return urlsplit(json.loads(written.read_text())["nats"][0]).port
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def provision(settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the step that makes the streams, with these settings and no others of ours."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("FILLPROOF_")}
    return subprocess.run(
        [sys.executable, "-m", "service_kit.provision"],
        env={**others, **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=limit_of_a_test(),
    )


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
    others = {name: value for name, value in os.environ.items() if not name.startswith("FILLPROOF_")}
    doctor = [FILLPROOF, "doctor", "--json"]
    ended = subprocess.run(
        doctor, env={**others, **bus.settings}, capture_output=True, timeout=limit_of_a_test(), check=False
    )
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
