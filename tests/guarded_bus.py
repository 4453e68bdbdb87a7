"""A nats-server with the configuration that is deployed: users, passwords, permissions by subject."""

import json
import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from running_command import running
from waiting import wait_until

USERS = ("operator", "reconciler", "audit_writer", "engine")
CONFIGURATION = Path(__file__).parents[1] / "deploy" / "nats" / "nats.conf"


class GuardedBus:
    """A running one; `log` has what it says of violations."""

    def __init__(self, port: int, log: Path) -> None:
        self._port = port
        self.log = log

    def url(self, user: str) -> str:
        return f"nats://{user}:{password(user)}@127.0.0.1:{self._port}"

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self._port

    def violations(self) -> list[str]:
        return [line for line in self.log.read_text().splitlines() if "Violation" in line]


def password(user: str) -> str:
    return f"{user}-secret"


@contextmanager
def guarded_bus(place: Path) -> Iterator[GuardedBus]:
    """Run one until the block ends; the files stand as they do in the container."""
    configuration, secrets = place / "etc" / "nats" / "nats.conf", place / "run" / "secrets"
    configuration.parent.mkdir(parents=True)
    secrets.mkdir(parents=True)
    deployed = CONFIGURATION.read_text().replace("nats-watch:8222", "127.0.0.1:-1")
    configuration.write_text(deployed.replace("/data", str(place / "data")))
    passwords = "".join(f'PASSWORD_OF_{user.upper()}: "{password(user)}"\n' for user in USERS)
    (secrets / "nats_passwords").write_text(passwords)
    log = place / "nats.log"
    command = [
        *(Path(sysconfig.get_path("scripts")) / "nats-server", "-c", configuration),
        *("-a", "127.0.0.1", "-p", "-1"),
        *("--ports_file_dir", place, "-l", log),
    ]
    with running(command, stderr=subprocess.STDOUT) as server:
        written = place / f"nats-server_{server.pid}.ports"
        wait_until(lambda: server.poll() is not None or _port(written) is not None, "nats-server's port")
        port = _port(written)
        assert port is not None, f"expected nats-server to start, found: {server.communicate()[0]}"
        yield GuardedBus(port, log)


def _port(written: Path) -> int | None:
    try:
        return urlsplit(json.loads(written.read_text())["nats"][0]).port
    except (FileNotFoundError, json.JSONDecodeError):
        return None
