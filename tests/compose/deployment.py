"""What compose.yaml describes, up and running on a real engine, with a recorded session."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from waiting import limit_of_a_test

from console.engine import engine_accounts
from replay_node.session import Session

ROOT = Path(__file__).parents[2]
PROJECT = os.environ.get("COMPOSE_PROJECT_NAME", "fillproof-test")
"""Another one runs beside it."""
_PARTS = ("compose.yaml", "compose.cluster.yaml", "deploy", "grafana")
_BUS = ("nats", "nats-2", "nats-3")


class Deployment:
    """One project in a directory of its own; its containers are named by their service, and by a number."""

    def __init__(self, place: Path, settings: str) -> None:
        """Lay out what an operator has in a checkout, and make the secrets; `settings`: the `.env`."""
        self.place = place
        for part in _PARTS:
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
            copy(ROOT / part, place / part)
        (place / ".env").write_text(settings)
        (place / "bin").mkdir()
        if not _has_compose_2():
            (place / "bin" / "docker").write_text(_DOCKER_OF_COMPOSE_1.format(docker=shutil.which("docker")))
            (place / "bin" / "docker").chmod(0o755)
        self.environment = {
            **os.environ,
            "PATH": f"{place / 'bin'}:{os.environ['PATH']}",
            "COMPOSE_PROJECT_NAME": PROJECT,
            "COMPOSE_PROFILES": "demo",
        }
        _run([str(place / "deploy" / "secrets.sh")], self.place, self.environment)

    def compose(self, *arguments: str, version: str = "") -> str:
        """Run one command of compose and return what it prints."""
        versioned = {"FILLPROOF_VERSION": version} if version else {}
        return _run(["docker", "compose", *arguments], self.place, {**self.environment, **versioned})

    def shell(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run a script where an operator would; ends with the first command that fails."""
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.place,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=limit_of_a_test(),
            check=False,
        )

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

    def containers(self, service: str = "", *, running: bool = True) -> list[str]:
        """Return the ids of a service's containers, by default of those that run, the oldest first."""
        labels = [f"com.docker.compose.project={PROJECT}"]
        labels += [f"com.docker.compose.service={service}"] if service else []
        filters = [word for label in labels for word in ("--filter", f"label={label}")]
        every = () if running else ("--all",)
        return docker("ps", "--quiet", "--no-trunc", *every, *filters).split()[::-1]

    def address(self, service: str) -> str:
        """Return the address of a service's only container, as this machine reaches it."""
        networks = inspect(self.containers(service)[0])["NetworkSettings"]["Networks"]
        return str(next(network["IPAddress"] for network in networks.values() if network["IPAddress"]))

    def nats_url(self) -> str:
        """Return where the operator reaches the bus from here: each of its servers that runs."""
        urls = (self.place / "secrets" / "operator_nats_url").read_text().strip().split(",")
        return ",".join(
            url.replace(f"@{server}:", f"@{self.address(server)}:")
            for server, url in zip(_BUS, urls, strict=False)
            if self.containers(server)
        )

    def dsn(self) -> str:
        """Return where the owner reaches the database from here."""
        inside = (self.place / "secrets" / "owner_database_url").read_text().strip()
        return inside.replace("@postgres:", f"@{self.address('postgres')}:")


def _has_compose_2() -> bool:
    return subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0


_DOCKER_OF_COMPOSE_1 = """#!/bin/sh
[ "$1" = compose ] || exec {docker} "$@"
shift
exec docker-compose "$@"
"""


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
    return _run(["docker", *arguments], ROOT, os.environ)


def image_is_there(name: str) -> bool:
    """Whether the engine has an image of that name."""
    done = subprocess.run(["docker", "image", "inspect", name], capture_output=True, check=False)
    return done.returncode == 0


def inspect(container: str) -> dict:  # type: ignore[type-arg] # Docker's own JSON
    """Return what the engine knows of a container."""
    found: list[dict] = msgspec.json.decode(docker("inspect", container))  # type: ignore[type-arg]
    return found[0]


def _run(command: Sequence[str], place: Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        command,
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
        timeout=limit_of_a_test(),
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout
