"""A session through the containers: whatever is stopped, killed, cut off or added, the rows are the same."""

import asyncio

import pytest
from deployment import PROJECT, Deployment, docker
from session_rows import until_fills_are_told, until_rows_are_as_replayed

EACH = ("reconciler", "audit-writer", "nats", "postgres")


async def test_the_demo_ends_with_the_rows_that_replay_computes(deployment: Deployment) -> None:
    deployment.up()
    await until_rows_are_as_replayed(deployment)


async def test_three_reconcilers_and_two_writers_store_what_one_of_each_would(deployment: Deployment) -> None:
    deployment.up(scale=("reconciler=3", "audit-writer=2"))
    assert len(deployment.containers("reconciler")) == 3
    assert len(deployment.containers("audit-writer")) == 2
    docker("kill", deployment.containers("reconciler")[0])
    docker("stop", deployment.containers("audit-writer")[0])
    await until_rows_are_as_replayed(deployment)


async def test_each_service_may_be_killed_and_restarted_while_a_session_runs(deployment: Deployment) -> None:
    deployment.up()
    for service in EACH:
        container = deployment.containers(service)[0]
        await asyncio.to_thread(docker, "kill", container)
        await asyncio.to_thread(docker, "start", container)
    for service in EACH:
        await asyncio.to_thread(deployment.compose, "restart", "--timeout", "12", service)
    await until_rows_are_as_replayed(deployment)


async def test_the_fills_need_neither_the_audit_writer_nor_postgres(deployment: Deployment) -> None:
    deployment.up("postgres", "audit-writer", "reconciler")
    deployment.compose("stop", "audit-writer", "postgres")
    deployment.up("demo-node")
    await until_fills_are_told(deployment)
    deployment.up("audit-writer")
    await until_rows_are_as_replayed(deployment)


@pytest.mark.parametrize(
    ("service", "network"), [("reconciler", "bus"), ("audit-writer", "store"), ("reconciler", "ledger")]
)
async def test_a_cut_between_two_services_heals(deployment: Deployment, service: str, network: str) -> None:
    deployment.up()
    container = deployment.containers(service)[0]
    docker("network", "disconnect", f"{PROJECT}_{network}", container)
    await asyncio.sleep(5)  # how long the cut lasts
    docker("network", "connect", f"{PROJECT}_{network}", container)
    await until_rows_are_as_replayed(deployment)
