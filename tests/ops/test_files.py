"""Grafana's files: against their schemas, and each name in them against what it names."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_files import (
    AUDIT,
    DASHBOARDS,
    GRAFANA,
    METRICS,
    ROOT,
    RUNBOOKS,
    alerts,
    dashboard,
    panels,
    provisioned,
    rules,
)
from jsonschema import Draft202012Validator

SCHEMAS = Path(__file__).parent / "schemas"
PROVISIONING = sorted((GRAFANA / "provisioning").rglob("*.yaml"))
RUNBOOK = alerts()["Watchdog"]["annotations"]["runbook_url"].removesuffix("Watchdog.md")
"""Where all links to runbooks lead: deploy/runbooks.sh changes it everywhere."""
LINKING = ("grafana", "deploy/prometheus")
LINK = re.compile(r"https?://[^\s\"']*/docs/runbooks/")
SEVERITIES = {"critical", "warning", "heartbeat"}
DATA_SOURCE = "DataSourceDown"
"""The runbook of what Grafana itself says when it can't ask: no rule of ours."""
HEADINGS = ["## What it means", "## How to check", "## How to mend"]


def faults(content: Any, schema: str) -> list[str]:  # noqa: ANN401 - JSON
    """Return what the schema says against it, each with its place."""
    validator = Draft202012Validator(json.loads((SCHEMAS / schema).read_text()))
    return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(content)]


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_obeys_its_schema(path: Path) -> None:
    assert faults(dashboard(path), "dashboard.json") == []


@pytest.mark.parametrize("path", PROVISIONING, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_provisioning_file_obeys_its_schema(path: Path) -> None:
    assert faults(yaml.safe_load(path.read_text()), "provisioning.json") == []


def test_the_schemas_refuse_what_grafana_would_not_understand() -> None:
    [first, *_] = DASHBOARDS
    broken = dashboard(first) | {"schemaVersion": 36}
    del broken["panels"][0]["description"]
    assert len(faults(broken, "dashboard.json")) == 2
    assert faults({"apiVersion": 1, "contactpoints": []}, "provisioning.json") != []


def test_no_uid_and_no_panel_id_is_given_twice() -> None:
    receivers = [
        one
        for point in provisioned("alerting/contact-points.yaml")["contactPoints"]
        for one in point["receivers"]
    ]
    named = {
        "dashboards": [dashboard(path)["uid"] for path in DASHBOARDS],
        "rules": [rule["uid"] for rule in rules()],
        "titles": [rule["title"] for rule in rules()],
        "sources": [one["uid"] for one in provisioned("datasources/fillproof.yaml")["datasources"]],
        "receivers": [one["uid"] for one in receivers],
        **{path.stem: [panel["id"] for panel in dashboard(path)["panels"]] for path in DASHBOARDS},
    }
    assert {kind: ids for kind, ids in named.items() if len(ids) != len(set(ids))} == {}


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_no_panel_lies_on_another_or_over_the_edge(path: Path) -> None:
    def cells(panel: dict[str, Any]) -> set[tuple[int, int]]:
        place = panel["gridPos"]
        across = range(place["x"], place["x"] + place["w"])
        return set(itertools.product(across, range(place["y"], place["y"] + place["h"])))

    for one, other in itertools.combinations(dashboard(path)["panels"], 2):
        assert not cells(one) & cells(other), (one["title"], other["title"])
    assert max(x for panel in dashboard(path)["panels"] for x, _ in cells(panel)) < 24


def test_every_query_goes_to_a_data_source_that_is_provisioned() -> None:
    assert {one["uid"] for one in provisioned("datasources/fillproof.yaml")["datasources"]} == {
        AUDIT,
        METRICS,
    }
    for path in DASHBOARDS:
        for panel in panels(path):
            assert {target["datasource"]["uid"] for target in panel["targets"]} == {
                panel["datasource"]["uid"]
            }
            assert panel["datasource"]["uid"] in {AUDIT, METRICS}


def test_every_rule_names_a_panel_that_is_there() -> None:
    there = {
        dashboard(path)["uid"]: {panel["id"] for panel in dashboard(path)["panels"]} for path in DASHBOARDS
    }
    assert [rule["title"] for rule in rules() if rule["panelId"] not in there[rule["dashboardUid"]]] == []


def test_alerts_are_in_no_folder_of_dashboards() -> None:
    folders = {one["folder"] for one in provisioned("dashboards/fillproof.yaml")["providers"]}
    assert folders & {group["folder"] for group in provisioned("alerting/rules.yaml")["groups"]} == set()


def test_every_alert_has_a_summary_with_its_value_a_severity_and_its_own_runbook() -> None:
    for name, alert in alerts().items():
        annotations = alert["annotations"]
        relayed = "{{ with $labels.alert }}{{ . }}{{ else }}DataSourceDown{{ end }}"
        found = name if name != "PrometheusAlert" else relayed
        assert annotations["runbook_url"] == f"{RUNBOOK}{found}.md"
        assert re.search(r"\{\{.*\$(value|labels)", annotations["summary"]), name
        if name != "PrometheusAlert":  # each of its alerts has its own
            assert alert["labels"]["severity"] in SEVERITIES


def test_every_runbook_says_what_it_means_how_to_check_and_how_to_mend() -> None:
    names = {path.stem for path in RUNBOOKS.glob("*.md")} - {"README"}
    assert names == {*alerts(), DATA_SOURCE}
    contents = (RUNBOOKS / "README.md").read_text()
    severities = {
        name: alert.get("labels", {}).get("severity", "of what was found") for name, alert in alerts().items()
    }
    severities[DATA_SOURCE] = "of the rules that can't be asked"
    for name in names:
        text = (RUNBOOKS / f"{name}.md").read_text()
        assert [line for line in text.splitlines() if line.startswith("## ")] == HEADINGS
        severity = severities[name]
        assert f"Severity: {severity}." in text
        assert f"| [{name}]({name}.md) | {severity} |" in contents


def test_every_link_to_a_runbook_or_a_dashboard_leads_somewhere() -> None:
    uids = {dashboard(path)["uid"] for path in DASHBOARDS}
    text = "".join(path.read_text() for path in DASHBOARDS)
    for found in re.findall(re.escape(RUNBOOK) + r"(\w+)\.md", text):
        assert (RUNBOOKS / f"{found}.md").exists(), found
    assert set(re.findall(r'"/d/([\w-]+)', text)) <= uids
    assert set(re.findall(r"viewPanel=(\d+)", text)) <= {
        str(panel["id"]) for path in DASHBOARDS for panel in panels(path)
    }


def test_what_notifies_is_there_and_is_told_of_both_ends() -> None:
    points = {point["name"]: point for point in provisioned("alerting/contact-points.yaml")["contactPoints"]}
    [policy] = provisioned("alerting/policies.yaml")["policies"]
    for route in (policy, *policy["routes"]):
        assert route["receiver"] in points
    routed = {tuple(route["object_matchers"][0]): route["receiver"] for route in policy["routes"]}
    assert routed[("severity", "=", "heartbeat")] == "heartbeat"
    assert policy["receiver"] == "desk"
    assert [one["disableResolveMessage"] for one in points["desk"]["receivers"]] == [False, False]
    [template] = provisioned("alerting/templates.yaml")["templates"]
    used = set(re.findall(r'template "([\w.]+)"', json.dumps(points).replace('\\"', '"')))
    assert used <= set(re.findall(r'define "([\w.]+)"', template["template"]))
    for part in (".Alerts.Firing", ".Alerts.Resolved", ".summary", ".action", ".PanelURL", ".DashboardURL"):
        assert part in template["template"]
    assert (RUNBOOKS / f"{DATA_SOURCE}.md").exists()
    assert f'"{DATA_SOURCE}.md"' in template["template"]


def test_the_chip_of_the_command_line_and_of_the_dashboard_change_at_the_same_numbers() -> None:
    [chip, *_] = panels(GRAFANA / "dashboards/orders.json")
    steps = chip["fieldConfig"]["defaults"]["thresholds"]["steps"]
    text = (ROOT / "services/console/src/console/tables.py").read_text()
    assert f"WARN_FROM, BAD_FROM = {steps[1]['value']}, {steps[2]['value']}" in text


def links(root: Path) -> set[str]:
    """Return the places that links to runbooks lead to."""
    files = [path for part in LINKING for path in (root / part).rglob("*") if path.is_file()]
    return {found for path in files for found in LINK.findall(path.read_text())}


def test_one_command_points_every_link_at_the_runbooks(tmp_path: Path) -> None:
    assert links(ROOT) == {RUNBOOK}
    for part in LINKING:
        shutil.copytree(ROOT / part, tmp_path / part)
    script = Path(shutil.copy(ROOT / "deploy/runbooks.sh", tmp_path / "deploy"))
    for place in ("https://git.example.com/a&b/blob/main/", "http://desk:8000"):
        subprocess.run([script, place], check=True, capture_output=True)
        assert links(tmp_path) == {f"{place.rstrip('/')}/docs/runbooks/"}
    refused = subprocess.run([script, "desk"], check=False, capture_output=True, text=True)
    assert (refused.returncode, "found: desk" in refused.stderr) == (2, True)
    assert links(tmp_path) == {"http://desk:8000/docs/runbooks/"}
