"""One panel of a dashboard, drawn with characters: what its query answered, in its file's colors."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from rich.align import Align
from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from offer_lifecycle import format_decimal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from grafana_files import Json
    from rich.console import RenderableType

Rows = list[dict[str, Any]]

NAMED = {"orange": "#ff9830", "purple": "#b877d9", "red": "#f2495c", "green": "#73bf69", "blue": "#5794f2"}
PALETTE = ("#73bf69", "#fade2a", "#5794f2", "#ff9830", "#f2495c", "#b877d9", "#5fc9c9", "#8f3bb8", "#c0d8ff")
QUIET = "#8e8e8e"
CELL = 26
"""Characters of the longest cell."""
BLOCK = "█"


def drawn(panel: Json, rows: Rows | None, width: int, height: int) -> RenderableType:
    """Draw what a query answered within so many characters and lines; None: it was not asked."""
    if rows is None:
        return _middle(Text("from Prometheus", style=QUIET), height)
    match panel["type"]:
        case "stat":
            return _stat(panel, rows, width, height)
        case "timeseries":
            return _over_time(rows, width, height)
        case "barchart":
            return _bars(rows, width)
        case "table":
            return _table(panel, rows, width, height)
    raise ValueError(f"expected a type of panel that can be drawn, found {panel['type']}")


def _stat(panel: Json, rows: Rows, width: int, height: int) -> RenderableType:
    [row] = rows
    [value] = row.values()
    defaults = panel["fieldConfig"]["defaults"]
    color = _color(defaults, value)
    text = "" if color == "transparent" else _written(value)
    if panel["options"]["colorMode"].startswith("background") and text:
        ground = NAMED[color]
        lines = [" " * width] * height
        lines[height // 2] = text.center(width)
        return Text("\n".join(lines), style=f"bold white on {ground}")
    return _middle(Text(text, style=f"bold {NAMED.get(color, '')}"), height)


def _color(defaults: Json, value: float) -> str:
    if defaults["color"]["mode"] == "fixed":
        return str(defaults["color"]["fixedColor"])
    steps = defaults["thresholds"]["steps"]
    return str([step["color"] for step in steps if step["value"] is None or value >= step["value"]][-1])


def _middle(text: Text, height: int) -> RenderableType:
    return Align.center(text, vertical="middle", height=height)


def _over_time(rows: Rows, width: int, height: int) -> RenderableType:
    """Stack what each bucket has in columns, as many lines high as it counts where there is room."""
    values = [name for name in rows[0] if name not in {"time", "metric"}] if rows else []
    if not values:
        return _middle(Text("no data", style=QUIET), height)
    [value] = values
    buckets: dict[float, Counter[str]] = defaultdict(Counter)
    for row in rows:
        buckets[float(row["time"])][row["metric"]] += row[value]
    names = sorted({row["metric"] for row in rows})
    first, last = min(buckets), max(buckets)
    lines = height - 3
    most = max(bucket.total() for bucket in buckets.values())
    text = Text()
    for line in range(lines, 0, -1):
        text.append(f"{most * line / lines:>4.1f} ", style=QUIET)
        left = width - 6
        where = {round((at - first) / max(last - first, 1) * (left - 1)): at for at in buckets}
        for column in range(left):
            bucket = buckets[where[column]] if column in where else Counter[str]()
            text.append(*_block(bucket, names, most * (line - 0.5) / lines))
        text.append("\n")
    start, end = (f"{datetime.fromtimestamp(at, UTC):%H:%M:%S}" for at in (first, last))
    text.append(f"     {start}{end.rjust(width - 6 - len(start))}\n", style=QUIET)
    return Group(text, _legend(names))


def _block(bucket: Mapping[str, float], names: Sequence[str], level: float) -> tuple[str, str]:
    tops = accumulate(bucket.get(name, 0) for name in names)
    for name, top in zip(names, tops, strict=True):
        if level < top:
            return BLOCK, _of(names, name)
    return " ", ""


def _bars(rows: Rows, width: int) -> RenderableType:
    """Draw a bar for each row, its parts side by side."""
    label, *names = rows[0] if rows else ("", "")
    room = width - 26
    most = max((sum(row[name] for name in names) for row in rows), default=1)
    text = Text()
    for row in rows:
        text.append(f"{row[label]:>16} ")
        for name in names:
            text.append(BLOCK * round(row[name] / most * room), style=_of(names, name))
        text.append(f" {sum(row[name] for name in names):g}\n\n", style=QUIET)
    return Group(text, _legend(names))


def _legend(names: Sequence[str]) -> Text:
    return Text("  ").join(Text.assemble((BLOCK, _of(names, name)), f" {name}") for name in names)


def _of(names: Sequence[str], name: str) -> str:
    return PALETTE[names.index(name) % len(PALETTE)]


def _table(panel: Json, rows: Rows, width: int, height: int) -> RenderableType:
    if not rows:
        return _middle(Text(panel["fieldConfig"]["defaults"].get("noValue", "no data"), style=QUIET), height)
    table = Table(box=SIMPLE_HEAD, collapse_padding=True, pad_edge=False)
    shown = rows[: height - 3]
    for name in _fitting(shown, width):
        right = isinstance(rows[0][name], int | float | Decimal)
        table.add_column(name, justify="right" if right else "left", no_wrap=True, overflow="ellipsis")
    names = [str(column.header) for column in table.columns]
    for row in shown:
        table.add_row(*(_cell(row[name], _unit(panel, name)) for name in names))
    return table


def _fitting(rows: Rows, width: int) -> Iterable[str]:
    """Yield the first columns that there is room for; Grafana lets one scroll to the others."""
    for name in rows[0]:
        width -= max(len(name), *(len(_cell(row[name], "")) for row in rows)) + 2
        if width < 0:
            return
        yield name


def _unit(panel: Json, name: str) -> str:
    for override in panel["fieldConfig"]["overrides"]:
        if override["matcher"] == {"id": "byName", "options": name}:
            units = [one["value"] for one in override["properties"] if one["id"] == "unit"]
            return str(units[0]) if units else ""
    return ""


def _cell(value: object, unit: str) -> str:
    text = f"{value:.0%}" if unit == "percentunit" and isinstance(value, float | Decimal) else _written(value)
    return text if len(text) <= CELL else text[: CELL - 1] + "…"


def _written(value: object) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case float():
            return f"{value:g}"
        case Decimal():
            return format_decimal(value)
    return str(value)
