"""Tables that fit a terminal: the least important columns are left out, and no amount or word is cut.

Where even the important columns do not fit side by side, each row becomes a line of its own. A pipe or a file
gets every column.
"""

from collections.abc import Sequence

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from console.fitting import Piece, fitted, width_of

_PADDING = 2
_EDGES = 2
"""Columns of a terminal between two of the table's, and at its edges."""

Cell = str | Text


class Column(msgspec.Struct, frozen=True):
    """A column: its heading, and how it is shown."""

    heading: str
    justify: JustifyMethod = "left"
    drop: int = 0
    """Columns with the highest number are left out first where the terminal is narrow; those with 0 stay."""
    wraps: bool = False
    """A cell holds words, and may be broken between two of them."""


def print_table(
    console: Console, title: str, columns: Sequence[Column], rows: Sequence[Sequence[Cell]]
) -> None:
    """Print the rows, whose cells stand in the order of the columns, as the console's width allows."""
    show_table(console, fitted_table(title, columns, rows, width_of(console)))


def show_table(console: Console, table: Table | Text) -> None:
    """Print what `fitted_table` has made."""
    console.print(table, soft_wrap=isinstance(table, Text))


def fitted_table(
    title: str, columns: Sequence[Column], rows: Sequence[Sequence[Cell]], width: int | None
) -> Table | Text:
    """Return the rows for a terminal of that width; None: with every column, on lines of any length.

    A `Text` where even the important columns do not fit: one line, or more, a row.
    """
    cells = [[Text(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
    by_column = list(zip(*cells, strict=True)) or [()] * len(columns)
    whole = [_longest(column, found, whole=True) for column, found in zip(columns, by_column, strict=True)]
    least = [_longest(column, found, whole=False) for column, found in zip(columns, by_column, strict=True)]
    shown = list(range(len(columns)))
    while width is not None and _taken(least, shown) > width and any(columns[at].drop for at in shown):
        shown.remove(max(shown, key=lambda at: columns[at].drop))
    if width is not None and _taken(least, shown) > width:
        lines = [fitted([Piece(title, style="italic")], width)]
        return Text("\n").join([*lines, *(_as_line(columns, row, width) for row in cells)])
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, collapse_padding=True)
    free = None if width is None else width - _taken(least, shown)
    for at in shown:
        more = whole[at] - least[at] if free is None else min(whole[at] - least[at], free)
        free = None if free is None else free - more
        edge = at == shown[0]  # rich takes the first column's for narrower by one than it is
        table.add_column(columns[at].heading, justify=columns[at].justify, width=least[at] + more + edge)
    for row in cells:
        table.add_row(*(row[at] for at in shown))
    return table


def _longest(column: Column, cells: Sequence[Text], *, whole: bool) -> int:
    """Return the width that the column needs: for all on one line, or where heading and cells wrap."""
    heading = [column.heading] if whole else column.heading.split() or [""]
    lines = [line for cell in cells for line in cell.plain.split("\n")]
    if column.wraps and not whole:
        lines = [word for line in lines for word in line.split()]
    return max(map(len, (*heading, *lines)))


def _taken(widths: Sequence[int], shown: Sequence[int]) -> int:
    return sum(widths[at] + _PADDING for at in shown) + _EDGES


def _as_line(columns: Sequence[Column], row: Sequence[Text], width: int) -> Text:
    """Write a row as pieces, each with its heading, of which the least important are left out."""
    pieces = [
        Piece(f"{column.heading} {cell.plain}".strip(), column.drop, str(cell.style))
        for column, cell in zip(columns, row, strict=True)
        if cell.plain
    ]
    return fitted(pieces, width)
