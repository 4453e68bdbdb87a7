"""The README's pictures are what `make pictures` draws, and they show the numbers that are true."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from grafana_files import ROOT
from pictures import demo, orders
from pictures.__main__ import PICTURES
from pictures.panels import NAMED

from console.replay import replay
from console.sessions import SELECTION, find_session

if TYPE_CHECKING:
    from conftest import Dsn

SESSIONS = [find_session(name).session for name in SELECTION]
LINES = [line for session in SESSIONS for line in replay(session)]
SVG = "{http://www.w3.org/2000/svg}"
REDRAW = "the picture shows something else now: run `make pictures`, look at it, and commit it"


def words(name: str) -> list[str]:
    """Return what stands in a picture, piece by piece."""
    found = ET.parse(PICTURES / name).getroot().iter(f"{SVG}text")  # noqa: S314 - our own file
    return [(text.text or "").replace("\xa0", " ").strip() for text in found]


def test_the_picture_of_the_demo_is_what_is_drawn_now() -> None:
    assert demo.drawn(SESSIONS) == (PICTURES / "demo.svg").read_text(), REDRAW


@pytest.mark.stack
def test_the_picture_of_the_dashboard_is_what_its_queries_answer_now(postgres_dsn: Dsn) -> None:
    view = orders.filled(postgres_dsn, SESSIONS)
    assert orders.drawn(postgres_dsn, view) == (PICTURES / "orders.svg").read_text(), REDRAW


def test_the_chip_is_red_and_counts_the_anomalies() -> None:
    anomalies = sum(line.anomaly for line in LINES)
    assert f"BAD {anomalies}" in words("demo.svg")
    drawing = (PICTURES / "orders.svg").read_text()
    assert f'<rect fill="{NAMED["red"]}"' in drawing
    assert str(anomalies) in words("orders.svg")


def test_the_dashboard_shows_as_many_orders_of_each_cause_as_there_were() -> None:
    said = words("orders.svg")
    for cause, count in Counter(line.removal_reason for line in LINES if line.removal_reason).items():
        assert re.search(rf"{cause} +{count}\b", " ".join(said)), cause


def test_the_readme_shows_both() -> None:
    readme = (ROOT / "README.md").read_text()
    shown = re.findall(r"\(docs/pictures/(\S+)\)", readme)
    assert sorted(shown) == sorted(path.name for path in PICTURES.iterdir())


@pytest.mark.parametrize("name", ["demo.svg", "orders.svg"])
def test_a_picture_asks_nobody_for_anything(name: str) -> None:
    assert "url(http" not in (PICTURES / name).read_text()
    assert "href" not in (PICTURES / name).read_text()
