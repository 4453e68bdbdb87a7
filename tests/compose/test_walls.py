"""What a container may do, and what of it can be reached from where."""

import json
import subprocess

import pytest
from deployment import Deployment, docker, inspect
from waiting import until

WITH_HEALTH = ("reconciler", "audit-writer", "nats", "postgres")
LONG_RUNNING = (*WITH_HEALTH, "demo-node", "months")
CLOSED = [
    ("reconciler", "postgres", 5432),
    ("reconciler", "nats", 8222),
    ("audit-writer", "demo-node", 8080),
    ("demo-node", "nats", 4222),
    ("demo-node", "postgres", 5432),
]
OPEN = [("reconciler", "nats", 4222), ("audit-writer", "postgres", 5432), ("reconciler", "demo-node", 8080)]
CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=3)"


@pytest.fixture
async def running(deployment: Deployment) -> Deployment:
    deployment.up()
    await until(lambda: all(healthy(deployment, service) for service in WITH_HEALTH))
    return deployment


def healthy(deployment: Deployment, service: str) -> bool:
    return bool(inspect(deployment.containers(service)[0])["State"]["Health"]["Status"] == "healthy")


async def test_containers_are_walled_in(running: Deployment) -> None:
    for service in LONG_RUNNING:
        container = running.containers(service)[0]
        told = inspect(container)
        user, written = docker("exec", container, "id", "-u").strip(), told["HostConfig"]["ReadonlyRootfs"]
        assert (service, user != "0", written) == (service, True, True)
        assert told["HostConfig"]["CapDrop"] == ["ALL"], service
        assert not told["HostConfig"]["PortBindings"], service
        assert not can(container, "touch", "/written"), service
    for source, target, port in OPEN:
        assert reaches(running, source, target, port), (source, target, port)
    for source, target, port in CLOSED:
        assert not reaches(running, source, target, port), (source, target, port)
    for network in ("bus", "store", "metrics"):
        assert json.loads(docker("network", "inspect", f"fillproof-test_{network}"))[0]["Internal"]


def reaches(running: Deployment, source: str, target: str, port: int) -> bool:
    """Whether one service gets a connection to a port of another: by name, and by whatever address it has."""
    networks = inspect(running.containers(target)[0])["NetworkSettings"]["Networks"].values()
    places = [target, *(network["IPAddress"] for network in networks)]
    container = running.containers(source)[0]
    return any(can(container, "python", "-c", CONNECT, place, str(port)) for place in places)


def can(container: str, *command: str) -> bool:
    done = subprocess.run(["docker", "exec", container, *command], capture_output=True, check=False)
    return done.returncode == 0
