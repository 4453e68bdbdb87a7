"""The services' AsyncAPI documents, asked of the official parser (npm's @asyncapi/parser)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
MODULES = ROOT / ".ops/asyncapi/node_modules"
SCRIPT = Path(__file__).parent / "asyncapi/validate.cjs"
DOCUMENTS = sorted((ROOT / "docs/asyncapi").glob("*.json"))
OLDER_VERSION = "asyncapi-latest-version"
"""FastStream writes 3.0.0, and the parser recommends the newest."""


def parse(document: str) -> dict[str, Any]:
    node = shutil.which("node")
    if node is None or not (MODULES / "@asyncapi/parser").exists():
        pytest.skip("Node.js or @asyncapi/parser is not installed: run tests/ops/tools.sh")
    answered = subprocess.run(
        [node, SCRIPT],
        input=document,
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"NODE_PATH": str(MODULES)},
    )
    answer: dict[str, Any] = json.loads(answered.stdout)
    return answer


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_the_official_parser_accepts_the_document_and_finds_nothing_to_say(path: Path) -> None:
    answer = parse(path.read_text())
    assert answer["valid"], answer["problems"]
    assert [one for one in answer["problems"] if one["code"] != OLDER_VERSION] == []
    channels = json.loads(path.read_text())["channels"].values()
    assert sorted(answer["channels"]) == sorted(channel["address"] for channel in channels)


def test_the_parser_refuses_a_channel_whose_message_is_missing() -> None:
    document = json.loads(DOCUMENTS[0].read_text())
    document["components"]["messages"] = {}
    assert not parse(json.dumps(document))["valid"]


def test_both_services_have_a_document() -> None:
    assert [path.stem for path in DOCUMENTS] == ["audit_writer", "reconciler"]
