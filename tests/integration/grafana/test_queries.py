"""Every query of every panel and rule, as Grafana's role, against what the sessions' script wrote down."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from grafana_files import DASHBOARDS, panels, sql_queries

from audit_writer.settings import MaintenanceSettings
from order_events import OrderDisappeared

if TYPE_CHECKING:
    from collections.abc import Callable

    from integration.grafana.conftest import Audit

pytestmark = pytest.mark.stack

Rows = list[dict[str, Any]]
QUERIES = dict(sql_queries())
MOST_COLUMNS = 9
LIMIT = MaintenanceSettings.model_fields["database_limit_bytes"].default

STATE_OF = {
    "FILLED": "filled",
    "CANCELED": "canceled",
    "KILLED": "canceled",
    "REPLACED": "replaced",
    "EXPIRED": "expired",
    "UNFUNDED": "unfunded",
    "SELF_CROSSED": "self_crossed",
    "REJECTED": "rejected",
    "UNKNOWN": "never_placed",
    "ACCOUNT_DELETED": "account_deleted",
}
"""The truth's word for each cause."""


def one(expected: Callable[[Audit], float]) -> Callable[[Audit, Rows], None]:
    """Expect one number."""

    def check(audit: Audit, rows: Rows) -> None:
        [row] = rows
        assert list(row.values())[-1] == expected(audit)

    return check


def ended_by_cause(audit: Audit, rows: Rows) -> None:
    found: Counter[str] = Counter()
    for row in rows:
        found[STATE_OF[row.get("cause") or row["metric"]]] += row["orders"]
    assert found == audit.truth.ended()


def causes(audit: Audit, rows: Rows) -> None:
    ended_by_cause(audit, rows)
    assert sum(row["share"] for row in rows) == pytest.approx(1)
    assert rows == sorted(rows, key=lambda row: (-row["orders"], row["cause"]))


def anomalies(audit: Audit, rows: Rows) -> None:
    found = [(row["session_id"], row["sequence"], row["removed_by"]) for row in rows]
    assert sorted(found, key=lambda row: row[:2]) == [truth[:3] for truth in audit.truth.anomalies()]
    assert {row["state"].split()[0] for row in rows} == {"open"}
    for row in rows:
        event = next(event for event in audit.events if str(event.event_id) == row["event_id"])
        assert isinstance(event, OrderDisappeared)
        assert (row["price"], row["left"], row["cause"]) == (
            event.price,
            event.remaining,
            event.removal_reason or "UNKNOWN",
        )
    shown = set(rows[0]) - hidden("Anomalies")
    assert len(shown) <= MOST_COLUMNS
    assert shown <= {field for field, name, _ in overridden("Anomalies") if name == "custom.width"}


def overridden(title: str) -> list[tuple[str, str, Any]]:
    """Return (column, property, value) of all that the panel of that title overrides."""
    [panel] = [panel for path in DASHBOARDS for panel in panels(path) if panel["title"] == title]
    return [
        (override["matcher"]["options"], one["id"], one["value"])
        for override in panel["fieldConfig"]["overrides"]
        for one in override["properties"]
    ]


def hidden(title: str) -> set[str]:
    return {field for field, name, value in overridden(title) if name == "custom.hidden" and value}


def in_full(audit: Audit, rows: Rows) -> None:
    told = {row["what"]: row["value"] for row in rows}
    name = told["acknowledge"].split()[2]
    event = next(event for event in audit.events if str(event.event_id) == name)
    assert isinstance(event, OrderDisappeared)
    assert event.anomaly
    assert told["explain"] == f"fillproof explain {event.account} {event.sequence}"
    assert told["evidence"] == event.evidence


def lost(audit: Audit, rows: Rows) -> None:
    assert [(row["session_id"], row["sequence"]) for row in rows] == [
        truth[:2] for truth in audit.truth.anomalies("never_placed")
    ]


def fills_by_side(audit: Audit, rows: Rows) -> None:
    found: Counter[str] = Counter()
    for row in rows:
        found[row["metric"]] += row["fills"]
    assert found == Counter("TAKER" if fill.taker else "MAKER" for fill in audit.truth.fills())


def fills_by_market(audit: Audit, rows: Rows) -> None:
    truth = audit.truth.fills()
    assert {row["market_in_full"] for row in rows} == {fill.market for fill in truth}
    for row in rows:
        here = [fill for fill in truth if fill.market == row["market_in_full"]]
        takers = sum(fill.taker for fill in here)
        assert (row["fills"], row["taker"], row["maker"]) == (len(here), takers, len(here) - takers)
        assert row["value"] == pytest.approx(
            sum((fill.value for fill in here), Decimal(0)), rel=Decimal("1e-20")
        )


def guessed_about(audit: Audit, rows: Rows) -> None:
    """Every order that the engine would have missed, under what had become of it."""
    bars = ("filled", "canceled", "unfunded", "other causes", "not explained")
    gone = [event for event in audit.events if isinstance(event, OrderDisappeared)]
    by_cause = Counter(str(event.removal_reason) for event in gone)
    found = {bar: sum(row[bar] for row in rows) for bar in bars}
    assert found["filled"] == by_cause["FILLED"]
    assert found["canceled"] == by_cause["CANCELED"] + by_cause["REPLACED"]
    assert found["unfunded"] == by_cause["UNFUNDED"]
    assert found["not explained"] == by_cause["UNKNOWN"]
    assert sum(found.values()) == len(gone)


def by_distance(audit: Audit, rows: Rows) -> None:
    guessed_about(audit, rows)
    mid = Decimal("0.499")
    gone = [event for event in audit.events if isinstance(event, OrderDisappeared)]
    prices = [event.price for event in gone]
    through = sum(price < mid for price in prices if price is not None)
    assert (
        sum(sum(list(row.values())[1:]) for row in rows if row["distance"].startswith("through")) == through
    )
    for row in rows:
        assert row["distance"].split(": ")[1] == f"{sum(list(row.values())[1:]):g}"


def nothing(_: Audit, rows: Rows) -> None:
    assert rows == []


def options(name: str) -> Callable[[Audit, Rows], None]:
    def check(audit: Audit, rows: Rows) -> None:
        known = {"account": {order["account"] for _, order in audit.truth.orders}}
        known["session"] = {session.name for session in audit.sessions}
        assert {next(iter(row.values())) for row in rows} == known[name]

    return check


def size(_: Audit, rows: Rows) -> None:
    [row] = rows
    assert row["bytes"] > 1_000_000
    assert row["used"] == pytest.approx(row["bytes"] / LIMIT)


def used(_: Audit, rows: Rows) -> None:
    [row] = rows
    assert 1_000_000 / LIMIT < row["value"] < 1


EXPECTED: dict[str, Callable[[Audit, Rows], None]] = {
    "Open order anomalies": one(lambda audit: len(audit.truth.anomalies())),
    "LOST orders": one(lambda audit: len(audit.truth.anomalies("never_placed"))),
    "Ended orders": one(lambda audit: audit.truth.ended().total()),
    "Fills": one(lambda audit: len(audit.truth.fills())),
    "Balance drift": one(lambda _: 0),
    "What happened to orders": ended_by_cause,
    "Causes": causes,
    "Anomalies": anomalies,
    "One anomaly in full": in_full,
    "Fills over time": fills_by_side,
    "Fills by market": fills_by_market,
    "Cause by distance from the market": by_distance,
    "Cause by age": guessed_about,
    "LOST orders in detail": lost,
    "Balance drift in detail": nothing,
    "Halts": nothing,
    "Gaps in the history": nothing,
    "Transactions that do not add up": nothing,
    "Books that differ from the ledger": nothing,
    "Database size": size,
    "annotation Halts": nothing,
    "annotation Gaps": nothing,
    "rule OrderAnomaliesOpen": one(
        lambda audit: len(audit.truth.anomalies()) - len(audit.truth.anomalies("never_placed"))
    ),
    "rule OrderAnomaliesMany": one(lambda audit: len(audit.truth.anomalies())),
    "rule OrderLost": one(lambda audit: len(audit.truth.anomalies("never_placed"))),
    "rule BalanceDrift": one(lambda _: 0),
    "rule BookDiffers": one(lambda _: 0),
    "rule DatabaseFullSoon": used,
    "variable account": options("account"),
    "variable session": options("session"),
}


def test_every_query_is_held_against_the_truth() -> None:
    assert set(QUERIES) == set(EXPECTED)


@pytest.mark.parametrize("asker", EXPECTED)
def test_a_query_answers_what_the_sessions_script_wrote_down(audit: Audit, asker: str) -> None:
    EXPECTED[asker](audit, audit.ask(QUERIES[asker]))


def test_the_sessions_show_enough_to_tell_right_from_wrong(audit: Audit) -> None:
    assert set(STATE_OF.values()) <= set(audit.truth.ended())
    assert len(audit.truth.anomalies()) >= 5
    assert {fill.taker for fill in audit.truth.fills()} == {True, False}


@pytest.mark.parametrize("asker", [asker for asker, query in QUERIES.items() if "${session" in query])
def test_a_chosen_session_shows_nothing_of_the_others(audit: Audit, asker: str) -> None:
    view = audit.view._replace(sessions=("unfunded_removed", "it's none"))
    rows = audit.ask(QUERIES[asker], view)
    counted = {"Open order anomalies": 1, "Ended orders": 1, "LOST orders": 0, "Fills": 0, "Balance drift": 0}
    if asker in counted:
        assert list(rows[0].values()) == [counted[asker]]
    assert {row["session_id"] for row in rows if "session_id" in row} <= {"unfunded_removed"}


def test_a_chosen_account_shows_nothing_of_the_others(audit: Audit) -> None:
    [account] = [order["account"] for session, order in audit.truth.orders if session.name == "never_placed"]
    rows = audit.ask(QUERIES["Anomalies"], audit.view._replace(accounts=(account,)))
    assert {row["session_id"] for row in rows} == {"never_placed"}


def test_the_anomaly_that_was_chosen_is_shown_in_full_whatever_else_is_chosen(audit: Audit) -> None:
    for row in audit.ask(QUERIES["Anomalies"]):
        rows = audit.ask(
            QUERIES["One anomaly in full"],
            audit.view._replace(sessions=("it's none",), anomaly=row["event_id"]),
        )
        told = {one["what"]: one["value"] for one in rows}
        assert told["acknowledge"] == f'fillproof ack {row["event_id"]} --note "WHY"'
    nothing(audit, audit.ask(QUERIES["One anomaly in full"], audit.view._replace(anomaly="it's none")))


def test_markets_and_accounts_are_short_enough_to_read(audit: Audit) -> None:
    for row in audit.ask(QUERIES["Anomalies"]):
        assert len(row["market"]) <= len("XRP/524C55….rN7n…"), row["market"]
        assert len(row["order"]) <= len("rPQw7…hBX 1234567890"), row["order"]


def test_an_open_anomaly_is_shown_whatever_the_time_range(audit: Audit) -> None:
    later = audit.view._replace(start=audit.view.end, end=audit.view.end.replace(year=2030))
    for asker in ("Open order anomalies", "LOST orders", "Anomalies"):
        EXPECTED[asker](audit, audit.ask(QUERIES[asker], later))
    assert audit.ask(QUERIES["Causes"], later) == []
