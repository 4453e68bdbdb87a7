"""What a person sees at the end."""

import io
import re

import pytest
from rich.console import Console

from console.replay import replay
from console.sessions import find_session
from console.tables import chip, order_table, summary


@pytest.mark.parametrize(
    ("anomalies", "shown"), [(0, ""), (1, "WARN 1"), (2, "WARN 2"), (3, "BAD 3"), (50, "BAD 50")]
)
def test_the_chip_shows_nothing_at_0_warns_from_1_and_is_bad_from_3(anomalies: int, shown: str) -> None:
    assert chip(anomalies).plain.strip() == shown


def shown(name: str, width: int = 200) -> str:
    session = find_session(name).session
    lines = list(replay(session))
    written = io.StringIO()
    console = Console(file=written, width=width)
    console.print(order_table(lines, session.orders, width))
    summary(console, lines, sum(line.anomaly for line in lines))
    return written.getvalue()


def test_the_table_sets_what_the_engine_believed_beside_what_the_ledger_says() -> None:
    [row] = [line for line in shown("cancel_race_lost").splitlines() if "cancel_race_lost" in line]
    assert re.split(r"\s{2,}", row.strip()) == [
        "cancel_race_lost", "64", "100 XRP", "50 USD", "CANCEL SENT", "FILLED", "FILLED", "1", "100 XRP",
        "11618ACF",
    ]  # fmt: skip


def test_the_summary_counts_causes_and_says_when_there_is_no_anomaly() -> None:
    assert "CANCELED 1\nNo anomaly: the chip stays dark." in shown("canceled")


def test_a_narrow_terminal_gets_fewer_columns_and_whole_words() -> None:
    [row] = [line for line in shown("cancel_race_lost", width=80).splitlines() if "cancel_race" in line]
    assert row.split() == ["cancel_race_lost", "64", "CANCEL", "SENT", "FILLED", "FILLED", "1", "100", "XRP"]


def test_a_currency_with_brackets_is_shown_as_it_is() -> None:
    session = find_session("full_fill").session
    [order] = session.orders
    odd = {**order, "taker_pays": {**order["taker_pays"], "currency": "[/]"}}
    written = io.StringIO()
    console = Console(file=written, width=200, markup=False)
    console.print(order_table(list(replay(session)), [odd], console.width))
    assert "50 [/]" in written.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_at_every_width_columns_are_left_out_and_no_cell_is_cut(width: int) -> None:
    session = find_session("unfunded_removed").session
    lines = list(replay(session))
    rows = shown("unfunded_removed", width).splitlines()
    assert all(len(row) <= width for row in rows)
    assert sum(line.sequence == session.orders[0]["sequence"] for line in lines) == 1
    [row] = [row for row in rows if f" {session.orders[0]['sequence']} " in row]
    assert "UNFUNDED" in row
    assert "anomaly" in row
