"""Three NATS servers: leaders killed, a quorum lost, each restarted, all restored; and no row differs."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

import nats.errors
import pytest
from deployment import Deployment, docker, inspect
from session_rows import FILLS, fills_told, until_fills_are_told, until_rows_are_as_replayed
from waiting import until, until_found

from order_events.subjects import ORDERS_STREAM, STATE_BUCKET
from service_kit.connection import connect

if TYPE_CHECKING:
    from collections.abc import Callable

SERVERS = ("nats", "nats-2", "nats-3")


@pytest.fixture
def settings() -> str:
    return (
        "COMPOSE_FILE=compose.yaml:compose.cluster.yaml\n"
        "FILLPROOF_DEMO_PACE=1.2\n"  # the faults below take two minutes
        f"FILLPROOF_NATS_SERVERS={','.join(f'{server}:4222' for server in SERVERS)}\n"
    )


async def leader_of(deployment: Deployment, stream: str) -> str:
    """Return the server that leads a stream of three copies; waits while there is none."""
    leaders: list[str] = []

    async def is_there() -> bool:
        with contextlib.suppress(nats.errors.Error, OSError, TimeoutError):
            client = await connect(deployment.nats_url())
            try:
                cluster = (await client.jetstream().stream_info(stream)).cluster
            finally:
                await client.close()
            if cluster is not None and cluster.leader and len(cluster.replicas or []) == len(SERVERS) - 1:
                leaders.append(cluster.leader)
        return bool(leaders)

    await until_found(is_there)
    return leaders[-1]


def healthy(deployment: Deployment, server: str) -> bool:
    running = deployment.containers(server)
    return bool(running) and inspect(running[0])["State"]["Health"]["Status"] == "healthy"


async def more_fills(deployment: Deployment) -> float:
    """Wait until another fill is told, or all are; returns the seconds."""
    began, before = time.monotonic(), None

    async def told() -> bool:
        nonlocal before
        with contextlib.suppress(nats.errors.Error, OSError, TimeoutError):
            now = len(await fills_told(deployment))
            before = now if before is None else before
            return now > before or now == FILLS
        return False

    await until_found(told)
    return time.monotonic() - began


async def test_leaders_killed_a_quorum_lost_a_rolling_restart_and_a_restore_change_no_row(
    deployment: Deployment, record_property: Callable[[str, object], None]
) -> None:
    deployment.up()
    await more_fills(deployment)
    for stream in (ORDERS_STREAM, f"KV_{STATE_BUCKET}"):
        [killed] = deployment.containers(await leader_of(deployment, stream))
        await asyncio.to_thread(docker, "kill", killed)
        record_property(f"leader of {stream} killed", f"{await more_fills(deployment):.1f} s")
        await asyncio.to_thread(docker, "start", killed)
        await until(lambda: all(healthy(deployment, server) for server in SERVERS))
    lost = [deployment.containers(server)[0] for server in SERVERS[:2]]
    for container in lost:
        await asyncio.to_thread(docker, "kill", container)
    for container in lost:
        await asyncio.to_thread(docker, "start", container)
    record_property("quorum lost and back", f"{await more_fills(deployment):.1f} s")
    for server in SERVERS:
        await until(lambda: all(healthy(deployment, one) for one in SERVERS))
        await asyncio.to_thread(deployment.compose, "restart", "--timeout", "12", server)
        record_property(f"{server} restarted", f"{await more_fills(deployment):.1f} s")
    await until_fills_are_told(deployment)
    await until_rows_are_as_replayed(deployment)

    copied = deployment.shell("deploy/backup.sh backups")
    assert copied.returncode == 0, copied.stderr
    deployment.down()
    restored = deployment.shell("deploy/restore.sh backups/*Z")
    assert restored.returncode == 0, restored.stderr
    await until_rows_are_as_replayed(deployment)
    assert len(await fills_told(deployment)) == FILLS
