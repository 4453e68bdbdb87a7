"""What an operator does to a running deployment: back it up and restore it, put a new version beside it."""

from __future__ import annotations

import asyncio

import pytest
from audit_tables import broken
from deployment import Deployment, docker, image_is_there, inspect
from session_rows import FILLS, fills_told, until_fills_are_told, until_rows_are_as_replayed
from waiting import until, until_found

EARLIER = "81d50baf0a73c0fa9c13b474a5d105193cc1da29"
"""The last commit before the reconciler's state and the events' contracts got their present names."""
TOLD_BY_THE_EARLIER = 10
"""Digits of an amount that the earlier version told surely: it booked what a balance of 16 digits shows."""


async def until_a_third_is_told(deployment: Deployment) -> None:
    async def a_third() -> bool:
        return len(await fills_told(deployment)) > FILLS // 3

    await until_found(a_third)


async def test_a_backup_of_the_bus_and_then_of_the_database_brings_everything_back(
    deployment: Deployment,
) -> None:
    deployment.up()
    await until_a_third_is_told(deployment)
    assert len(await fills_told(deployment)) < FILLS
    done_by_script(deployment, "deploy/backup.sh backups 2")
    deployment.down()
    done_by_script(deployment, "deploy/restore.sh backups/*Z")
    await until_rows_are_as_replayed(deployment)
    assert await broken(deployment.dsn()) == []
    refused = deployment.shell("deploy/restore.sh backups/*Z")
    assert (refused.returncode, "expected an empty deployment" in refused.stderr) == (2, True)
    for _ in range(2):
        done_by_script(deployment, "deploy/backup.sh backups 2")
    assert len(list((deployment.place / "backups").iterdir())) == 2


@pytest.mark.parametrize("old", ["next", "earlier"])
async def test_a_new_version_takes_over_from_an_old_one_that_runs_beside_it(
    deployment: Deployment, old: str
) -> None:
    if old == "earlier" and not image_is_there("fillproof/reconciler:earlier"):
        pytest.skip(f"the images as of {EARLIER} are built only where the checkout has that commit")
    services = ("reconciler", "audit-writer", "prepare", "demo", "nats")
    for service in services if old == "next" else services[2:]:
        docker("tag", f"fillproof/{service}:latest", f"fillproof/{service}:{old}")
    deployment.up(version=old)
    await until_a_third_is_told(deployment)
    for service in ("audit-writer", "reconciler"):
        [before] = deployment.containers(service)
        deployment.up(service, scale=(f"{service}=2",), beside=True, version="latest")
        [after] = [one for one in deployment.containers(service) if one != before]
        versions = [str(inspect(one)["Config"]["Image"]).rpartition(":")[2] for one in (before, after)]
        assert versions == [old, "latest"]
        await until(lambda after=after: inspect(after)["State"]["Health"]["Status"] == "healthy")  # type: ignore[misc]
        await asyncio.to_thread(docker, "stop", before)
    await until_fills_are_told(deployment)
    await until_rows_are_as_replayed(deployment, digits=TOLD_BY_THE_EARLIER if old == "earlier" else None)


def done_by_script(deployment: Deployment, command: str) -> None:
    done = deployment.shell(command)
    assert done.returncode == 0, done.stdout + done.stderr
