"""What a person reads at night: each alert says what, how bad and what to do, and never `[no value]`."""

from __future__ import annotations

import re

import pytest
from grafana_files import GRAFANA, alerts, dashboard, prometheus_rules, provisioned, rules

PIPELINE = {panel["id"] for panel in dashboard(GRAFANA / "dashboards/pipeline.json")["panels"]}
ALERT_LIST = 32
"""The panel that a message links to where an alert names none."""
RULES = [pytest.param(rule, id=rule["title"]) for rule in rules()]
[TEMPLATE] = [one["template"] for one in provisioned("alerting/templates.yaml")["templates"]]


@pytest.mark.parametrize("rule", RULES)
def test_a_message_links_to_the_panel_that_the_rule_names(rule: dict[str, object]) -> None:
    annotations = rule["annotations"]
    assert isinstance(annotations, dict)
    assert annotations["__dashboardUid__"] == rule["dashboardUid"]
    assert annotations["__panelId__"] == str(rule["panelId"])


@pytest.mark.parametrize("rule", RULES)
def test_a_value_that_may_be_missing_is_never_written_as_it_stands(rule: dict[str, object]) -> None:
    annotations = rule["annotations"]
    assert isinstance(annotations, dict)
    for text in annotations.values():
        bare = re.sub(r"\{\{ with \$values\.\w+ \}\}.*?\{\{ end \}\}", "", text)
        assert "$values" not in bare


def test_what_was_wrong_is_said_without_a_number_that_is_another_one_when_it_is_over() -> None:
    for name, rule in ((rule["title"], rule) for rule in rules()):
        assert "$values" not in rule["annotations"]["description"], name
    over = re.search(r'define "fillproof.resolved".*?define', TEMPLATE, re.DOTALL)
    assert over is not None
    assert ".Annotations.description" in over[0]
    assert ".Annotations.summary" not in over[0]


def test_every_alert_of_prometheus_says_in_labels_what_it_found_and_what_to_do() -> None:
    for rule in prometheus_rules():
        if "alert" in rule:
            assert {"what", "action"} <= set(rule["labels"]), rule["alert"]
            assert int(rule["labels"].get("panel", ALERT_LIST)) in PIPELINE, rule["alert"]
            assert "{{" not in rule["labels"]["what"] + rule["labels"]["action"]
    [relay] = [rule for rule in rules() if rule["title"] == "PrometheusAlert"]
    grouped = re.search(r"max by \(([^)]*)\)", relay["data"][0]["model"]["expr"])
    assert grouped is not None
    used = set(re.findall(r"\$labels\.(\w+)", " ".join(relay["annotations"].values())))
    assert used <= {name.strip() for name in grouped[1].split(",")}


def test_a_rule_that_can_not_be_asked_is_an_error_and_no_alarm_of_its_own() -> None:
    for name, rule in alerts().items():
        if "noDataState" in rule and name not in {"PrometheusAlert", "Watchdog"}:
            assert (rule["noDataState"], rule["execErrState"]) == ("NoData", "Error"), name


def test_a_data_source_that_does_not_answer_is_one_message() -> None:
    [policy] = provisioned("alerting/policies.yaml")["policies"]
    first = policy["routes"][0]
    assert first["object_matchers"] == [["alertname", "=~", "DatasourceError|DatasourceNoData"]]
    assert first["group_by"] == ["grafana_folder", "datasource_uid"]


def test_critical_and_warning_of_one_incident_are_one_message() -> None:
    [policy] = provisioned("alerting/policies.yaml")["policies"]
    assert policy["group_by"] == ["grafana_folder"]
    split = [
        route
        for route in policy["routes"]
        for name, _, value in route["object_matchers"]
        if name == "severity" and value in {"critical", "warning"}
    ]
    assert split == []
