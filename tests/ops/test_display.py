"""What a person sees, asked of the display code of the oldest and newest Grafana (npm's @grafana/data)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from grafana_files import DASHBOARDS, GRAFANA, ROOT, panels

VERSIONS = ("oldest", "newest")
SCRIPT = Path(__file__).parent / "display/display.cjs"
VALUES = (0, 1, 2, 3, 50, None)


@pytest.fixture(scope="module", params=VERSIONS)
def display(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Show the chip at each value, and at an answer without rows."""
    node, modules = shutil.which("node"), ROOT / ".ops" / request.param / "node_modules"
    if node is None or not (modules / "@grafana/data").exists():
        pytest.skip("Node.js or @grafana/data is not installed: run tests/ops/tools.sh")
    [chip, *_] = panels(GRAFANA / "dashboards/orders.json")
    asked = {"defaults": chip["fieldConfig"]["defaults"], "values": VALUES}
    answered = subprocess.run(
        [node, SCRIPT],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"NODE_PATH": str(modules)},
    )
    shown: dict[str, Any] = json.loads(answered.stdout)
    return shown


def test_the_chip_is_invisible_at_0_orange_then_red_and_purple_where_nobody_knows(
    display: dict[str, Any],
) -> None:
    colors = display["colors"]
    seen = [(one["text"], one["color"]) for one in display["values"]]
    assert seen == [
        (" ", colors["transparent"]),
        ("1", colors["orange"]),
        ("2", colors["orange"]),
        ("3", colors["red"]),
        ("50", colors["red"]),
        ("unknown", colors["purple"]),
    ]
    assert len(set(colors.values())) == 4


def test_the_chip_says_unknown_where_the_query_gives_no_rows(display: dict[str, Any]) -> None:
    assert display["none"] == {"text": "unknown", "color": display["colors"]["purple"]}


def test_every_unit_is_one_that_grafana_knows(display: dict[str, Any]) -> None:
    for path in DASHBOARDS:
        for panel in panels(path):
            config = panel["fieldConfig"]
            overridden = [one for override in config["overrides"] for one in override["properties"]]
            units = [config["defaults"]["unit"], *(one["value"] for one in overridden if one["id"] == "unit")]
            unknown = [
                unit for unit in units if unit not in display["units"] and not unit.startswith("suffix:")
            ]
            assert unknown == [], panel["title"]
