"""A panel never shows calm where nothing is known, and one thing has one color."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from grafana_files import (
    DASHBOARDS,
    dashboard,
    panels,
    prometheus_queries,
    prometheus_rules,
    sql_queries,
)

from order_events import RemovalReason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PANELS = [pytest.param(panel, id=panel["title"]) for path in DASHBOARDS for panel in panels(path)]
STATS = [param for param in PANELS if param.values[0]["type"] == "stat"]
TABLES = [param for param in PANELS if param.values[0]["type"] == "table"]
UNKNOWN = {"text": "unknown", "color": "purple"}
WIDTH = 1560
"""Pixels that a table has on a screen of 1600."""
SYMPTOMS = ("Newest ledger", "Told, not confirmed", "Not stored yet", "Trading stopped", "Alerts")
Panel = dict[str, Any]


def properties(panel: Panel) -> Iterator[tuple[str, str, Any]]:
    """Return (field, property, value) of all that a panel overrides."""
    for override in panel["fieldConfig"]["overrides"]:
        for one in override["properties"]:
            yield override["matcher"]["options"], one["id"], one["value"]


@pytest.mark.parametrize("panel", STATS)
def test_a_stat_says_unknown_in_purple_where_there_is_no_number(panel: Panel) -> None:
    defaults = panel["fieldConfig"]["defaults"]
    special = [one["options"] for one in defaults["mappings"] if one["type"] == "special"]
    [missing] = special
    assert missing["match"] == "null+nan"
    assert UNKNOWN.items() <= missing["result"].items()
    assert defaults["noValue"] == "unknown"


@pytest.mark.parametrize("panel", TABLES)
def test_no_table_fills_its_empty_cells_with_words(panel: Panel) -> None:
    assert "noValue" not in panel["fieldConfig"]["defaults"]
    assert "noValue" not in {name for _, name, _ in properties(panel)}


@pytest.mark.parametrize("panel", TABLES)
def test_the_columns_of_a_table_fit_on_the_screen(panel: Panel) -> None:
    shown = panel["gridPos"]["w"] / 24 * WIDTH
    assert sum(value for _, name, value in properties(panel) if name == "custom.width") <= shown


def test_no_expression_makes_a_number_where_a_metric_is_absent() -> None:
    asked = [query.text for query in prometheus_queries()] + [rule["expr"] for rule in prometheus_rules()]
    assert [text for text in asked if re.search(r"vector\(\s*0\s*\)|absent\w*\([^)]*\)\s*[-+*]", text)] == []


def test_no_age_is_counted_from_a_time_that_was_never_set() -> None:
    """A gauge that nobody has set is 0, which is 56 years ago."""
    ages = [query.text for query in prometheus_queries() if "timestamp_seconds" in query.text]
    assert ages != []
    assert [text for text in ages if not re.search(r"timestamp_seconds > 0\)", text)] == []


def colors(panel: Panel) -> Iterator[tuple[str, str]]:
    """Return (what it stands for, color) of every fixed color of a panel."""
    for field, name, value in properties(panel):
        if name == "color":
            yield field, value["fixedColor"]
        if name == "mappings" and field == "cause":
            yield from ((text, shown["color"]) for one in value for text, shown in one["options"].items())


def test_one_cause_has_one_color_in_every_panel() -> None:
    found: dict[str, set[str]] = {}
    for param in PANELS:
        for what, color in colors(param.values[0]):
            found.setdefault(what, set()).add(color)
    assert {what: seen for what, seen in found.items() if len(seen) > 1} == {}
    assert {reason.value for reason in RemovalReason} <= set(found)
    assert not {"red", "dark-red", "light-red"} & set().union(
        *(found[reason.value] for reason in RemovalReason)
    )


def test_only_what_is_open_is_red_in_a_table() -> None:
    red = {
        text
        for param in TABLES
        for _, name, value in properties(param.values[0])
        if name == "mappings"
        for one in value
        for text, shown in (
            [(one["options"]["pattern"], one["options"]["result"])]
            if one["type"] == "regex"
            else one["options"].items()
        )
        if "red" in shown["color"]
    }
    assert red == {"/^open/", "true"}


def test_the_chip_has_its_color_in_every_version_of_grafana_that_is_supported() -> None:
    """`background_solid` is not known to Grafana 9.4, the oldest one that the README names."""
    [chip, *_] = [param.values[0] for param in STATS if param.values[0]["title"] == "Open order anomalies"]
    assert chip["options"]["colorMode"] == "background"


def test_cells_are_colored_in_every_version_of_grafana_that_is_supported() -> None:
    """Up to 9.4 the property is `custom.displayMode`, later `custom.cellOptions`."""
    for param in TABLES:
        named = {(field, name) for field, name, _ in properties(param.values[0])}
        old = {field for field, name in named if name == "custom.displayMode"}
        assert old == {field for field, name in named if name == "custom.cellOptions"}, param.id


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_halts_gaps_restarts_and_alerts_are_marked_in_every_graph(path: Path) -> None:
    marked = {one["name"] for one in dashboard(path)["annotations"]["list"] if one["enable"]}
    assert {"Halts", "Gaps", "Restarts", "Alerts"} <= marked


def test_servers_replicas_and_accounts_can_be_chosen_wherever_they_are_shown() -> None:
    chosen = {"server": "server", "instance": "replica"}
    there = {one["name"] for path in DASHBOARDS for one in dashboard(path)["templating"]["list"]}
    assert {"server", "replica", "account", "session"} <= there
    for query in prometheus_queries():
        for label, variable in chosen.items():
            if re.search(rf"by \([^)]*\b{label}\b", query.text) and not query.asker.startswith("Servers set"):
                assert f'{label}=~"${variable}"' in query.text, query
    for query in sql_queries():
        if not query.asker.startswith(("annotation", "rule", "variable", "Database")):
            assert "${account:sqlstring}" in query.text, query.asker


def test_symptoms_stand_first_beside_the_alerts_that_fire() -> None:
    [path] = [path for path in DASHBOARDS if path.stem == "pipeline"]
    first = [panel for panel in dashboard(path)["panels"] if panel["gridPos"]["y"] == 0]
    titles = [panel["title"] for panel in sorted(first, key=lambda panel: panel["gridPos"]["x"])]
    assert [title for title in titles if title in SYMPTOMS] == [*SYMPTOMS]
    [alerts] = [panel for panel in first if panel["type"] == "alertlist"]
    states = alerts["options"]["stateFilter"]
    assert {name for name, shown in states.items() if shown} == {"firing", "noData", "error"}


@pytest.mark.parametrize("panel", [param for param in PANELS if param.values[0]["type"] == "state-timeline"])
def test_a_state_is_written_as_a_word(panel: Panel) -> None:
    """With colors by threshold Grafana writes `1+`, whatever the mappings say."""
    defaults = panel["fieldConfig"]["defaults"]
    assert defaults["color"]["mode"] == "fixed"
    [words] = [one["options"] for one in defaults["mappings"] if one["type"] == "value"]
    assert {shown["color"] for shown in words.values()} <= {"red", "green", "orange"}
    assert all(shown["text"] for shown in words.values())
