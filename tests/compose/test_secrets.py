"""TLS inside the deployment, and secrets in environments, command lines and logs: there must be none."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from deployment import Deployment, docker
from session_rows import until_rows_are_as_replayed

if TYPE_CHECKING:
    from collections.abc import Iterator

NO_SECRETS = {"ca_certificate", "nats_certificate", "postgres_certificate", "verifier_keys"}
TLS = """FILLPROOF_TLS=true
FILLPROOF_NATS_CA=/run/secrets/ca_certificate
FILLPROOF_DATABASE_CA=/run/secrets/ca_certificate
FILLPROOF_POSTGRES_SSLMODE=verify-full
"""
SHORTEST_SECRET = 16


@pytest.fixture
def settings() -> str:
    linked = "ldd $(command -v postgres) | grep libssl"
    looked = ["docker", "run", "--rm", "--entrypoint", "sh", "postgres:18", "-c", linked]
    if subprocess.run(looked, capture_output=True, check=False).returncode != 0:
        pytest.skip("this PostgreSQL has no TLS: npm could not be asked for one that has")
    return TLS


def secret_values(place: Path) -> set[str]:
    """Return every password and every line of a key that the secrets step has made."""
    values: set[str] = set()
    for file in (place / "secrets").iterdir():
        if file.name not in NO_SECRETS:
            values |= set(re.findall(rf"[A-Za-z0-9+/=]{{{SHORTEST_SECRET},}}", file.read_text()))
    accounts = set(re.findall(r"\br[A-Za-z0-9]{24,}\b", (place / ".env").read_text()))
    return {value for value in values - accounts if not value.startswith("//")} - {"fillproof/audit"}


def what_is_seen(deployment: Deployment) -> Iterator[tuple[str, str]]:
    """Give what can be read of each container without entering it, with where that stands."""
    for container in deployment.containers(running=False):
        told = docker("inspect", container)
        name = msgspec.json.decode(told)[0]["Name"]
        yield f"docker inspect {name}", told
        logs = subprocess.run(["docker", "logs", container], capture_output=True, text=True, check=True)
        yield f"the log of {name}", logs.stdout + logs.stderr
    for container in deployment.containers():
        for pid in docker("top", container, "-o", "pid").split()[1:]:
            for file in ("environ", "cmdline"):
                yield f"/proc/{pid}/{file}", Path("/proc", pid, file).read_bytes().decode(errors="replace")


async def test_a_session_with_tls_ends_as_without_and_no_secret_is_seen(deployment: Deployment) -> None:
    deployment.up()
    following = deployment.compose("run", "--detach", "console", "tail")
    assert following
    values = secret_values(deployment.place)
    assert len(values) > 15
    seen = dict(what_is_seen(deployment))
    assert len([place for place in seen if place.endswith("/environ")]) > 6
    found = {place for place, text in seen.items() if any(value in text for value in values)}
    assert found == set()
    await until_rows_are_as_replayed(deployment)
    assert {
        place for place, text in what_is_seen(deployment) if any(value in text for value in values)
    } == set()


async def test_nobody_is_let_in_without_tls_and_no_other_authority_is_believed(
    deployment: Deployment,
) -> None:
    deployment.up("streams", "schema")
    in_console = "docker compose run --rm -T"
    trusted = deployment.shell(f"{in_console} console doctor")
    assert "CERTIFICATE_VERIFY_FAILED" not in trusted.stdout + trusted.stderr
    for variable in ("FILLPROOF_NATS_CA", "FILLPROOF_DATABASE_CA"):
        other = deployment.shell(
            f"{in_console} -e {variable}=/etc/ssl/certs/ca-certificates.crt console doctor"
        )
        assert other.returncode == 1
        assert "ca-certificates.crt" in other.stdout + other.stderr
    bare = (
        "import asyncio, asyncpg; url = open('/run/secrets/fillproof_owner_database_url').read().strip(); "
        "asyncio.run(asyncpg.connect(url + '?sslmode=disable'))"
    )
    refused = deployment.shell(f'{in_console} --entrypoint python console -c "{bare}"')
    assert "no encryption" in refused.stderr
