"""The dashboard *Orders* over the demo's sessions: its file's layout, with what its queries answer."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from as_grafana import ask
from audit_tables import store
from grafana_files import AUDIT, GRAFANA, dashboard
from grafana_macros import View
from pictures.drawing import paper, picture
from pictures.panels import drawn as drawn_panel
from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from console.replay import steps

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from grafana_files import Json
    from pictures.panels import Rows
    from rich.console import RenderableType

    from replay_node.session import Session

GRID = 24
"""Columns of Grafana's."""
CHARACTERS, LINES = 7, 2
"""Of each grid column and row."""
FRAME = 4
INTERVAL = "10s"


def filled(dsn: Callable[..., str], sessions: Sequence[Session]) -> View:
    """Write the sessions' events as the audit writer does; returns the time that they are in."""
    events = [event for session in sessions for step in steps(session) for event in step.events]
    asyncio.run(store(dsn("audit_writer"), events))
    times = [event.occurred_at for event in events]
    return View(min(times), max(times) + timedelta(seconds=1))


def drawn(dsn: Callable[..., str], view: View) -> str:
    """Return the dashboard over what the database holds as SVG."""
    content = dashboard(GRAFANA / "dashboards/orders.json")
    console = paper(GRID * CHARACTERS)
    console.print(Text(f"{content['title']}   {view.start:%Y-%m-%d %H:%M:%S} to {view.end:%H:%M:%S} UTC"))
    for _, panels in groupby(content["panels"], key=lambda panel: panel["gridPos"]["y"]):
        console.print(_side_by_side([(panel, _answer(panel, dsn, view)) for panel in panels]))
    return picture(console, name="orders", title="The dashboard Orders: its layout over the demo's sessions")


def _answer(panel: Json, dsn: Callable[..., str], view: View) -> Rows | None:
    queries = [target for target in panel.get("targets", ()) if target["datasource"]["uid"] == AUDIT]
    return ask(dsn("grafana_reader"), queries[0]["rawSql"], view, interval=INTERVAL) if queries else None


def _side_by_side(answers: Sequence[tuple[Json, Rows | None]]) -> RenderableType:
    grid = Table.grid()
    for panel, _ in answers:
        grid.add_column(width=panel["gridPos"]["w"] * CHARACTERS)
    grid.add_row(*(_framed(panel, rows) for panel, rows in answers))
    return Group(grid)


def _framed(panel: Json, rows: Rows | None) -> RenderableType:
    if panel["type"] == "row":
        return Text(f"\n▾ {panel['title']}", style="bold")
    width, height = panel["gridPos"]["w"] * CHARACTERS, panel["gridPos"]["h"] * LINES
    content = drawn_panel(panel, rows, width - FRAME, height - 2)
    return Panel(
        content,
        title=Text(panel["title"], style="#d8d9da"),
        title_align="left",
        width=width,
        height=height,
        border_style="#5a5f66",
    )
