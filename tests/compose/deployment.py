"""What compose.yaml describes, up and running on a real engine, with a recorded session."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec
from waiting import limit_of_a_test

from console.engine import engine_accounts
from replay_node.session import Session

ROOT = Path(__file__).parents[2]
PROJECT = "fillproof-test"


class Deployment:
    """One project; its containers are named by their service, and by a number where there are several."""

    def __init__(self, environment: Path) -> None:
        command = ["docker-compose"] if shutil.which("docker-compose") else ["docker", "compose"]
        files = ("--file", str(ROOT / "compose.yaml"), "--env-file", str(environment))
        self._command = [*command, *files, "--project-name", PROJECT, "--profile", "demo"]

    def compose(self, *arguments: str, version: str = "") -> str:
        """Run one command of compose and return what it prints."""
        return _run([*self._command, *arguments], version=version)

    def up(self, *services: str, scale: Sequence[str] = (), beside: bool = False, version: str = "") -> None:
        """Start services and what they depend on; by default all.

        `beside`: what runs goes on as it is; `version`: of the images, by default the latest.
        """
        scales = [word for one in scale for word in ("--scale", one)]
        others = ("--no-recreate", "--no-deps") if beside else ()
        self.compose("up", "--detach", "--no-build", *others, *scales, *services, version=version)

    def down(self) -> None:
        """Remove everything, data included."""
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "12")

    def containers(self, service: str, *, running: bool = True) -> list[str]:
        """Return the ids of a service's containers, by default of those that run, the oldest first."""
        labels = (f"com.docker.compose.project={PROJECT}", f"com.docker.compose.service={service}")
        filters = [word for label in labels for word in ("--filter", f"label={label}")]
        every = () if running else ("--all",)
        return docker("ps", "--quiet", "--no-trunc", *every, *filters).split()[::-1]

    def address(self, service: str) -> str:
        """Return the address of a service's only container, as this machine reaches it."""
        networks = inspect(self.containers(service)[0])["NetworkSettings"]["Networks"]
        return str(next(network["IPAddress"] for network in networks.values() if network["IPAddress"]))

    def nats_url(self) -> str:
        """Return where the operator reaches the bus from here."""
        return self._from_here("operator_nats_url", "nats")

    def dsn(self) -> str:
        """Return where the owner reaches the database from here."""
        return self._from_here("owner_database_url", "postgres")

    def _from_here(self, secret: str, service: str) -> str:
        inside = (ROOT / "secrets" / secret).read_text().strip()
        return inside.replace(f"@{service}:", f"@{self.address(service)}:")


def environment_of(session: Session, pace: float) -> str:
    """Return the .env of a demo of this session, `pace` seconds a ledger."""
    return (
        f"FILLPROOF_DEMO_SESSION={session.name}\n"
        f"FILLPROOF_DEMO_PACE={pace}\n"
        "FILLPROOF_XRPL_URLS=ws://demo-node:8080\n"
        f"FILLPROOF_ACCOUNTS={','.join(engine_accounts(session))}\n"
        f"FILLPROOF_START_LEDGER={session.ledgers[0].ledger_index}\n"
        "FILLPROOF_LEASE_SECONDS=2\n"
    )


def docker(*arguments: str) -> str:
    """Run one command of docker and return what it prints."""
    return _run(["docker", *arguments])


def image_is_there(name: str) -> bool:
    """Whether the engine has an image of that name."""
    done = subprocess.run(["docker", "image", "inspect", name], capture_output=True, check=False)
    return done.returncode == 0


def inspect(container: str) -> dict:  # type: ignore[type-arg] # Docker's own JSON
    """Return what the engine knows of a container."""
    found: list[dict] = msgspec.json.decode(docker("inspect", container))  # type: ignore[type-arg]
    return found[0]


def _run(command: Sequence[str], *, version: str = "") -> str:
    environment = {**os.environ, **({"FILLPROOF_VERSION": version} if version else {})}
    done = subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=limit_of_a_test(),
        check=False,
        env=environment,
    )
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout
