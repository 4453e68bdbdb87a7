"""What a person sees: the table of orders, the chip, the summary."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from console.invocation import pasteable
from console.lines import OrderLine
from console.sessions import Recording
from offer_lifecycle import format_decimal, parse_amount, units
from order_events import Amount
from replay_node.recordings import FOLDERS


def printable(text: str) -> str:
    """Return a foreign text without what a terminal would obey."""
    return "".join(char if char.isprintable() else "?" for char in text)


WARN_FROM, BAD_FROM = 1, 3
"""The chip: nothing at 0, WARN at 1 and 2, BAD at 3 and more."""

COLOURS = {"FILLED": "green", "REMOVED": "red", "LOST": "red", "REJECTED": "yellow", "EXPIRED": "yellow"}
SHORT_HASH = 8
_PADDING = 2
_EDGES = 2
"""Columns of a terminal between two of the table's, and at its edges."""


def screen(*, stderr: bool = False) -> Console:
    """Return where to print for a person; square brackets in names and messages are just brackets."""
    console = Console(stderr=stderr, markup=False, highlight=False)
    if console.is_terminal:
        return console
    return Console(stderr=stderr, markup=False, highlight=False, width=200)  # a log keeps a table's columns


def chip(anomalies: int) -> Text:
    """Return the anomaly chip; empty at 0."""
    if anomalies >= BAD_FROM:
        return Text(f" BAD {anomalies} ", style="bold white on red")
    if anomalies >= WARN_FROM:
        return Text(f" WARN {anomalies} ", style="bold black on orange1")
    return Text()


def quoted(amount: Amount) -> str:
    """Write an amount as people do: `100 XRP`, `50 USD`."""
    return f"{format_decimal(units(amount))} {amount.asset.partition('.')[0]}"


def _given(line: OrderLine, order: dict[str, Any]) -> str:
    if not line.fills:
        return ""
    asset = parse_amount(order["taker_gets"]).asset
    return quoted(Amount(asset, sum((Decimal(fill.gave) for fill in line.fills), Decimal(0))))


class _Column(msgspec.Struct, frozen=True):
    heading: str
    cell: Callable[[OrderLine, dict[str, Any]], str | Text]
    justify: JustifyMethod = "left"
    drop: int = 0
    """Columns with the highest number are left out first where the terminal is narrow; those with 0 stay."""


_COLUMNS = (
    _Column("session", lambda line, _: line.session, drop=2),
    _Column("order", lambda line, _: str(line.sequence), "right"),
    _Column("gives", lambda _, order: quoted(parse_amount(order["taker_gets"])), "right", drop=4),
    _Column("asks", lambda _, order: quoted(parse_amount(order["taker_pays"])), "right", drop=5),
    _Column("engine believed", lambda _, order: "CANCEL SENT" if order["cancel_tx"] else "ACTIVE", drop=1),
    _Column("ledger says", lambda line, _: Text(line.status, style=COLOURS.get(line.status, ""))),
    _Column("cause", lambda line, _: line.removal_reason or ""),
    _Column("fills", lambda line, _: str(len(line.fills) or ""), "right"),
    _Column("given of it", _given, "right", drop=3),
    _Column("removed by", lambda line, _: (line.removed_by or "")[:SHORT_HASH], drop=6),
    _Column("", lambda line, _: Text("anomaly" if line.anomaly else "", style="bold red")),
)


def show_orders(
    console: Console, lines: list[OrderLine], recordings: Sequence[Recording], *, anomalies: int
) -> None:
    """Print what became of the recordings' orders, and how to ask why. `anomalies`: what the chip counts."""
    orders = [order for recording in recordings for order in recording.session.orders]
    console.print(order_table(lines, orders, console.width))
    summary(console, lines, anomalies)
    for line in lines:
        for lacks in line.lacks_state:
            console.print(f"Order {line.sequence}: the recording lacks {lacks}", markup=False, soft_wrap=True)
    if lines:
        _hint(console, next((line for line in lines if line.anomaly), lines[0]), recordings)


def _hint(console: Console, line: OrderLine, recordings: Sequence[Recording]) -> None:
    path = next(recording.path for recording in recordings if recording.session.name == line.session)
    session = path.name.removesuffix(".json.gz") if path.parent in FOLDERS else path
    why = pasteable("explain", line.account, line.sequence, "--session", session)
    console.print(f"Why: {why}", soft_wrap=True)


def order_table(lines: Sequence[OrderLine], orders: Sequence[dict[str, Any]], width: int) -> Table:
    """Return the table of orders for a terminal of that width: engine's belief beside the ledger's word."""
    table = Table(title="Orders", title_justify="left", box=SIMPLE_HEAD, collapse_padding=True)
    cells = {
        column: [column.cell(line, order) for line, order in zip(lines, orders, strict=True)]
        for column in _COLUMNS
    }
    shown = _fitting(cells, width)
    for column in shown:
        table.add_column(column.heading, justify=column.justify, overflow="fold")
    for row in zip(*(cells[column] for column in shown), strict=True):
        table.add_row(*row)
    return table


def _fitting(cells: Mapping[_Column, Sequence[str | Text]], width: int) -> list[_Column]:
    """Return the columns that fit side by side with no cell cut."""
    taken = {column: max(map(len, (column.heading, *found))) + _PADDING for column, found in cells.items()}
    shown = list(cells)
    while sum(taken[column] for column in shown) + _EDGES > width and any(column.drop for column in shown):
        shown.remove(max(shown, key=lambda column: column.drop))
    return shown


def summary(console: Console, lines: Iterable[OrderLine], anomalies: int) -> None:
    """Print how many orders ended in which way, and the chip."""
    causes = Counter(line.removal_reason or line.status for line in lines)
    console.print("  ".join(f"{cause} {count}" for cause, count in causes.most_common()))
    mark = chip(anomalies)
    console.print(
        Text("Anomalies: ").append_text(mark) if mark.plain else Text("No anomaly: the chip stays dark.")
    )
