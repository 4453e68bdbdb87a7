"""Command blocks of the operator's pages, each run where an operator would run it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import asyncpg
import pytest
import yaml
from deployment import ROOT, Deployment, docker, environment_of, image_is_there
from documented_commands import (
    PAGES,
    PLACEHOLDERS,
    RAN_AS_DOCUMENTED,
    Block,
    blocks,
    filled_in,
    placeholders,
)
from session_rows import LAST, PACE, SESSION, until_rows_are_as_replayed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROLLED_OUT = "next"
[PRELUDE] = [block.text for block in blocks(PLACEHOLDERS)]
"""Has `fillproof` of the pages be the console's."""
BLOCKS = [block for page in PAGES[1:] + PAGES[:1] for block in blocks(page)]
"""The one that restores comes last."""
WATCHING = {
    name: service["image"]
    for name, service in yaml.safe_load((ROOT / "compose.yaml").read_text())["services"].items()
    if service.get("profiles") == ["observability"] and name != "grafana"
}


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Give a deployment whose session has ended, with an image to roll out."""
    deployment = Deployment(tmp_path_factory.mktemp("fillproof"), environment_of(SESSION, PACE))
    deployment.down()
    for service in ("reconciler", "audit-writer"):
        docker("tag", f"fillproof/{service}:latest", f"fillproof/{service}:{ROLLED_OUT}")
    deployment.up()
    asyncio.run(until_rows_are_as_replayed(deployment))
    yield deployment
    deployment.down()


def values(deployment: Deployment) -> dict[str, Callable[[], str]]:
    """Return what a reader puts in the place of each word that the pages declare."""
    order = SESSION.orders[0]
    an_index = "SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'fill'::regclass LIMIT 1"
    return {
        "ACCOUNT": lambda: str(order["account"]),
        "SEQUENCE": lambda: str(order["sequence"]),
        "EVENT_ID": lambda: asked(deployment, "SELECT event_id FROM reconciler_anomaly_log LIMIT 1"),
        "FIRST": lambda: str(LAST - 5),
        "LAST": lambda: str(LAST),
        "XRPL_URL": lambda: "ws://demo-node:8080",
        "INDEX_NAME": lambda: asked(deployment, an_index),
        "OLD_CONTAINER": lambda: deployment.containers("reconciler")[0],
        "NEW_VERSION": lambda: ROLLED_OUT,
        "COPY": lambda: str(max((deployment.place / "backups").glob("*Z"))),
    }


def asked(deployment: Deployment, query: str) -> str:
    """Return the answer of the deployment's database to a question with one."""

    async def answer() -> str:
        connection = await asyncpg.connect(deployment.dsn())
        try:
            return str(await connection.fetchval(query))
        finally:
            await connection.close()

    return asyncio.run(answer())


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.name)
def test_a_block_ends_as_its_page_says(
    block: Block, ended: Deployment, record_property: Callable[[str, object], None]
) -> None:
    if block.why_not_run:
        pytest.skip(block.why_not_run)
    if missing := [
        image for service, image in WATCHING.items() if service in block.text and not image_is_there(image)
    ]:
        pytest.skip(f"no image {missing[0]}")
    script = filled_in(block.text, values(ended))
    if "deploy/restore.sh" in script:
        ended.down()  # "into an empty deployment"
    done = ended.shell(f"{PRELUDE}\n{script}")
    assert done.returncode == block.status, f"{script}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    assert "Traceback" not in done.stdout + done.stderr
    record_property(RAN_AS_DOCUMENTED, block.name)


def test_after_all_of_them_the_rows_are_those_of_replay(ended: Deployment) -> None:
    asyncio.run(until_rows_are_as_replayed(ended))


def test_the_declared_words_are_those_that_are_replaced(ended: Deployment) -> None:
    assert set(values(ended)) == placeholders()
