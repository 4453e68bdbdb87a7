"""What a person sees: the table of orders, the chip, the summary."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from console.fitted_tables import Cell, Column, fitted_table, show_table
from console.fitting import Piece, fitted, width_of
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
_ANY_LENGTH = 10_000
"""Columns of a pipe or a file, which nobody counts: no line is broken."""


def screen(*, stderr: bool = False) -> Console:
    """Return where to print for a person; square brackets in names and messages are just brackets."""
    console = Console(stderr=stderr, markup=False, highlight=False)
    if console.is_terminal:
        return console
    return Console(stderr=stderr, markup=False, highlight=False, width=_ANY_LENGTH)


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


class _OrderColumn(msgspec.Struct, frozen=True):
    column: Column
    cell: Callable[[OrderLine, dict[str, Any]], Cell]


_COLUMNS = (
    _OrderColumn(Column("session", drop=2), lambda line, _: line.session),
    _OrderColumn(Column("order", "right"), lambda line, _: str(line.sequence)),
    _OrderColumn(
        Column("gives", "right", drop=4), lambda _, order: quoted(parse_amount(order["taker_gets"]))
    ),
    _OrderColumn(Column("asks", "right", drop=5), lambda _, order: quoted(parse_amount(order["taker_pays"]))),
    _OrderColumn(
        Column("engine believed", drop=1), lambda _, order: "CANCEL SENT" if order["cancel_tx"] else "ACTIVE"
    ),
    _OrderColumn(
        Column("ledger says"), lambda line, _: Text(line.status, style=COLOURS.get(line.status, ""))
    ),
    _OrderColumn(Column("cause"), lambda line, _: line.removal_reason or ""),
    _OrderColumn(Column("fills", "right"), lambda line, _: str(len(line.fills) or "")),
    _OrderColumn(Column("given of it", "right", drop=3), _given),
    _OrderColumn(Column("removed by", drop=6), lambda line, _: (line.removed_by or "")[:SHORT_HASH]),
    _OrderColumn(Column(""), lambda line, _: Text("anomaly" if line.anomaly else "", style="bold red")),
)


def show_orders(
    console: Console, lines: list[OrderLine], recordings: Sequence[Recording], *, anomalies: int
) -> None:
    """Print what became of the recordings' orders, and how to ask why. `anomalies`: what the chip counts."""
    orders = [order for recording in recordings for order in recording.session.orders]
    show_table(console, order_table(lines, orders, width_of(console)))
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


def order_table(
    lines: Sequence[OrderLine], orders: Sequence[dict[str, Any]], width: int | None
) -> Table | Text:
    """Return the table of orders for a terminal of that width: engine's belief beside the ledger's word."""
    rows = [[one.cell(line, order) for one in _COLUMNS] for line, order in zip(lines, orders, strict=True)]
    return fitted_table("Orders", [one.column for one in _COLUMNS], rows, width)


def summary(console: Console, lines: Iterable[OrderLine], anomalies: int) -> None:
    """Print how many orders ended in which way, and the chip."""
    causes = Counter(line.removal_reason or line.status for line in lines)
    ends = [Piece(f"{cause} {count}") for cause, count in causes.most_common()]
    console.print(fitted(ends, width_of(console)), soft_wrap=True)
    mark = chip(anomalies)
    console.print(
        Text("Anomalies: ").append_text(mark) if mark.plain else Text("No anomaly: the chip stays dark.")
    )
