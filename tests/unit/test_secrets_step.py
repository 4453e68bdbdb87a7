"""URLs and certificates, as `deploy/secrets.sh` makes them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

STEP = Path(__file__).parents[2] / "deploy" / "secrets.sh"
THREE = "nats:4222,nats-2:4222,nats-3:4222"

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")


def run_step(place: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    (place / "deploy").mkdir(exist_ok=True)
    shutil.copy(STEP, place / "deploy")
    return subprocess.run(
        ["sh", "deploy/secrets.sh"],
        cwd=place,
        env=os.environ | {"FILLPROOF_ACCOUNTS": "rX"} | settings,
        capture_output=True,
        text=True,
        check=False,
    )


def certificate_holds_for(secrets: Path, server: str, name: str) -> bool:
    checked = subprocess.run(
        [
            "openssl",
            "verify",
            "-x509_strict",
            "-CAfile",
            "ca_certificate",
            "-verify_hostname",
            name,
            f"{server}_certificate",
        ],
        cwd=secrets,
        capture_output=True,
        check=False,
    )
    return checked.returncode == 0


def test_the_servers_of_a_cluster_are_put_into_every_url_and_each_keeps_its_password(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    assert run_step(tmp_path).returncode == 0
    users = ("operator", "reconciler", "audit_writer", "engine")
    before = {user: (secrets / f"{user}_nats_url").read_text().strip() for user in users}
    assert all(url.endswith("@nats:4222") for url in before.values())
    run_step(tmp_path, FILLPROOF_NATS_SERVERS=THREE)
    for user, url in before.items():
        listed = (secrets / f"{user}_nats_url").read_text().strip().split(",")
        assert listed == [url.replace("@nats:", f"@{server}:") for server in ("nats", "nats-2", "nats-3")]
    passwords = (secrets / "nats_passwords").read_text()
    assert before["operator"].split(":")[2].partition("@")[0] in passwords


def test_urls_that_somebody_wrote_stay_where_no_servers_are_set(tmp_path: Path) -> None:
    run_step(tmp_path)
    written = tmp_path / "secrets" / "reconciler_nats_url"
    written.chmod(0o644)
    written.write_text("tls://mine:secret@bus.example.com:4223\n")
    assert run_step(tmp_path).returncode == 0
    assert written.read_text() == "tls://mine:secret@bus.example.com:4223\n"


@pytest.mark.parametrize("servers", ["nats", "nats:x", ":4222", "nats://nats:4222", "a:1 b;c:2"])
def test_a_list_that_is_none_is_refused_and_named(tmp_path: Path, servers: str) -> None:
    done = run_step(tmp_path, FILLPROOF_NATS_SERVERS=servers)
    assert (done.returncode, "expected HOST:PORT,HOST:PORT, found" in done.stderr) == (2, True)


def test_the_authority_signs_for_the_names_of_the_servers_and_for_no_others(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    run_step(tmp_path, FILLPROOF_TLS_NAMES="bus.example.com,db.example.com")
    for name in ("nats", "nats-2", "nats-3", "bus.example.com"):
        assert certificate_holds_for(secrets, "nats", name), name
    assert certificate_holds_for(secrets, "postgres", "postgres")
    assert not certificate_holds_for(secrets, "postgres", "nats")
    assert (secrets / "ca_key").stat().st_mode & 0o077 == 0


def test_what_is_there_stays_and_a_certificate_that_is_removed_is_made_by_the_same_authority(
    tmp_path: Path,
) -> None:
    secrets = tmp_path / "secrets"
    run_step(tmp_path)
    before = {file.name: file.read_text() for file in secrets.iterdir()}
    (secrets / "nats_certificate").unlink()
    run_step(tmp_path)
    changed = {name for name, text in before.items() if (secrets / name).read_text() != text}
    assert changed == {"nats_certificate", "nats_key"}
    assert certificate_holds_for(secrets, "nats", "nats")
