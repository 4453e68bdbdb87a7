"""A nats-server with the configuration that is deployed: users, passwords, permissions by subject."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from configured_nats import configured_nats

DEPLOY = Path(__file__).parents[1] / "deploy"


class GuardedBus:
    """A running one; `log` has what it says of violations."""

    def __init__(self, port: int, place: Path) -> None:
        self._port = port
        self._place = place
        self.log = place / "nats.log"

    def url(self, user: str) -> str:
        """Return the URL of a service or an engine, as the secrets step has written it."""
        written = (self._place / "secrets" / f"{user}_nats_url").read_text().strip()
        return written.replace("@nats:4222", f"@127.0.0.1:{self._port}")

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self._port

    def violations(self) -> list[str]:
        return [line for line in self.log.read_text().splitlines() if "Violation" in line]


@contextmanager
def guarded_bus(place: Path, engines: str) -> Iterator[GuardedBus]:
    """Run one until the block ends, with the secrets step's engines (see FILLPROOF_ENGINES)."""
    configuration = place / "etc" / "nats" / "nats.conf"
    configuration.parent.mkdir(parents=True)
    text = (DEPLOY / "nats" / "nats.conf").read_text()
    text = text.replace("/data", str(place / "data")).replace("../../run/secrets", "../../secrets")
    text = text.replace("$MONITORING", '"127.0.0.1:-1"')
    configuration.write_text(text)
    make_secrets(place, engines)
    with configured_nats(configuration, place, "-l", place / "nats.log") as port:
        yield GuardedBus(port, place)


def make_secrets(place: Path, engines: str) -> subprocess.CompletedProcess[str]:
    """Run the deployment's secrets step in a directory of its own."""
    step = place / "deploy" / "secrets.sh"
    step.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(DEPLOY / "secrets.sh", step)
    environment = {**os.environ, "FILLPROOF_ENGINES": engines}
    return subprocess.run([step], env=environment, capture_output=True, text=True, check=False)
