"""What a person sees: the table of orders, the chip, the summary."""

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from console.lines import OrderLine
from offer_lifecycle import parse_amount, plain
from offer_lifecycle.amounts import units
from order_events import Amount

WARN_FROM, BAD_FROM = 1, 3
"""The chip: nothing at 0, WARN at 1 and 2, BAD at 3 and more."""

_COLOURS = {"FILLED": "green", "REMOVED": "red", "LOST": "red", "REJECTED": "yellow", "EXPIRED": "yellow"}
_SHORT_HASH = 8


def chip(anomalies: int) -> Text:
    """Return the anomaly chip; empty at 0."""
    if anomalies >= BAD_FROM:
        return Text(f" BAD {anomalies} ", style="bold white on red")
    if anomalies >= WARN_FROM:
        return Text(f" WARN {anomalies} ", style="bold black on orange1")
    return Text()


def order_table(lines: Sequence[OrderLine], orders: Sequence[dict[str, Any]]) -> Table:
    """Return the table of orders: what the engine believed beside what the ledger says."""
    table = Table(title="Orders", title_justify="left", header_style="bold", pad_edge=False)
    for heading, justify in (
        ("session", "left"),
        ("order", "right"),
        ("gives", "right"),
        ("asks", "right"),
        ("engine believed", "left"),
        ("ledger says", "left"),
        ("cause", "left"),
        ("fills", "right"),
        ("given of it", "right"),
        ("removed by", "left"),
        ("", "left"),
    ):
        table.add_column(heading, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for line, order in zip(lines, orders, strict=True):
        gets = parse_amount(order["taker_gets"])
        table.add_row(
            line.session,
            str(line.sequence),
            quoted(gets),
            quoted(parse_amount(order["taker_pays"])),
            "CANCEL SENT" if order["cancel_tx"] else "ACTIVE",
            Text(line.status, style=_COLOURS.get(line.status, "")),
            line.removal_reason or "",
            str(len(line.fills)) if line.fills else "",
            _given(line, gets),
            (line.removed_by or "")[:_SHORT_HASH],
            Text("anomaly", style="bold red") if line.anomaly else "",
        )
    return table


def summary(console: Console, lines: Iterable[OrderLine], anomalies: int) -> None:
    """Print how many orders ended in which way, and the chip."""
    causes = Counter(line.removal_reason or line.status for line in lines)
    console.print("  ".join(f"{cause} {count}" for cause, count in causes.most_common()))
    mark = chip(anomalies)
    console.print(
        Text("Anomalies: ").append_text(mark) if mark.plain else Text("No anomaly: the chip stays dark.")
    )


def quoted(amount: Amount) -> str:
    """Write an amount as people do: `100 XRP`, `50 USD`."""
    return f"{plain(units(amount))} {amount.asset.partition('.')[0]}"


def _given(line: OrderLine, gets: Amount) -> str:
    if not line.fills:
        return ""
    return quoted(Amount(gets.asset, sum((Decimal(fill.gave) for fill in line.fills), Decimal(0))))
