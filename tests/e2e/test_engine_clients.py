"""The engines in TypeScript and Go, made from the published schemas, book each fill once however they end.

Where a toolchain or its registry is missing, the test is skipped and says so.
"""

import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import nats
import pytest
from nats.js import JetStreamContext
from on_the_bus import EVENTS, fill
from running_command import running
from waiting import limit_of_a_test, until

from order_events import encode
from order_events.subjects import order_subject

pytestmark = pytest.mark.stack

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
SCHEMAS = ROOT / "shared" / "order_events" / "schemas"
ACCOUNT = fill(1).account


def done(command: list[str | Path], where: Path) -> None:
    ended = subprocess.run(
        command, cwd=where, capture_output=True, text=True, timeout=limit_of_a_test(), check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def fetched(command: list[str], where: Path) -> None:
    """Run a step that asks a package registry, and skip where that is not reached."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"NOT TRIED: no {command[0]} on this machine")
    try:
        ended = subprocess.run(command, cwd=where, capture_output=True, text=True, timeout=120, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip(f"NOT TRIED: {' '.join(command)} did not end in 120 s")
    if ended.returncode:
        pytest.skip(f"NOT TRIED: {' '.join(command)} failed: {ended.stderr[-300:]}")


def typescript(place: Path) -> list[str | Path]:
    shutil.copytree(EXAMPLES / "typescript", place, ignore=shutil.ignore_patterns("node_modules", "built"))
    fetched(["npm", "install", "--no-audit", "--no-fund", "--no-package-lock"], place)
    done(["node", "make_events.mjs", SCHEMAS], place)
    written = (place / "events.ts").read_text()
    assert written == (EXAMPLES / "typescript" / "events.ts").read_text(), "run: npm run events"
    done(["npm", "run", "build"], place)
    return ["node", place / "built" / "engine.js"]


def go(place: Path) -> list[str | Path]:
    shutil.copytree(EXAMPLES / "go", place)
    fetched(["go", "mod", "download"], place)
    done(["go", "build", "-o", "engine", "."], place)
    return [place / "engine"]


@pytest.fixture
async def jetstream(provisioned_nats_url: str) -> AsyncIterator[JetStreamContext]:
    connection = await nats.connect(provisioned_nats_url)
    yield connection.jetstream()
    await connection.close()


async def publish(jetstream: JetStreamContext, *numbers: int) -> None:
    for number in numbers:
        await jetstream.publish(order_subject(fill(number)), encode(fill(number)))


@pytest.mark.parametrize("build", [typescript, go])
async def test_an_engine_made_from_the_schemas_books_every_fill_once_however_it_ends(
    jetstream: JetStreamContext,
    provisioned_nats_url: str,
    tmp_path: Path,
    build: Callable[[Path], list[str | Path]],
) -> None:
    books = tmp_path / "fills.jsonl"
    command = [*map(str, build(tmp_path / "engine")), provisioned_nats_url, ACCOUNT, str(books)]

    def booked() -> list[str]:
        whole = books.read_text().rpartition("\n")[0] if books.exists() else ""
        return [json.loads(line)["event_id"] for line in whole.splitlines()]

    for sample in sorted(EVENTS.iterdir()):  # whatever else comes, it goes on
        if sample.name.startswith(("order.", "reconciler.")):
            await jetstream.publish(f"order.sample.{ACCOUNT}", sample.read_bytes())
    already = 1  # the golden sample of a fill; the presumed one is none
    await publish(jetstream, 1, 2, 1)
    with running(command, stdout=None):
        await until(lambda: len(booked()) == already + 2)
    with books.open("a") as file:
        file.write('{"event_id": "half a li')  # as a crash leaves it
    await publish(jetstream, 2, 3)
    with running(command, stdout=None):
        await until(lambda: len(booked()) == already + 3)
    assert len(set(booked())) == len(booked())
    assert json.loads(books.read_text().splitlines()[-1])["gave"] == {
        "asset": fill(3).gave.asset,
        "value": str(fill(3).gave.value),
    }
