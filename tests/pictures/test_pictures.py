"""The README's picture of the demo is what `make pictures` draws, and it shows the numbers that are true."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from grafana_files import ROOT
from pictures import demo
from pictures.__main__ import PICTURES

from console.replay import replay
from console.sessions import SELECTION, find_session

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


def test_the_chip_counts_the_anomalies() -> None:
    assert f"BAD {sum(line.anomaly for line in LINES)}" in words("demo.svg")


def test_the_readme_shows_every_picture() -> None:
    readme = (ROOT / "README.md").read_text()
    shown = re.findall(r"\(docs/pictures/(\S+)\)", readme)
    assert sorted(shown) == sorted(path.name for path in PICTURES.iterdir())


def test_a_picture_asks_nobody_for_anything() -> None:
    assert "url(http" not in (PICTURES / "demo.svg").read_text()
    assert "href" not in (PICTURES / "demo.svg").read_text()
