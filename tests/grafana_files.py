"""The files that Grafana is provisioned from, as tests read them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
GRAFANA = ROOT / "grafana"
PROMETHEUS = ROOT / "deploy/prometheus"
RUNBOOKS = ROOT / "docs/runbooks"
DASHBOARDS = sorted((GRAFANA / "dashboards").glob("*.json"))
AUDIT, METRICS = "audit-postgres", "fillproof-prometheus"
"""The data sources' uids."""

Json = dict[str, Any]


class Query(NamedTuple):
    """What is asked of a data source, and by whom."""

    asker: str
    text: str


def dashboard(path: Path) -> Json:
    content: Json = json.loads(path.read_text())
    return content


def panels(path: Path) -> list[Json]:
    """Return the dashboard's panels that ask a data source: no rows, no list of alerts."""
    return [panel for panel in dashboard(path)["panels"] if "targets" in panel]


def provisioned(place: str) -> Json:
    return _yaml(GRAFANA / "provisioning" / place)


def rules() -> list[Json]:
    """Return Grafana's alert rules."""
    return [rule for group in provisioned("alerting/rules.yaml")["groups"] for rule in group["rules"]]


def prometheus_rules() -> list[Json]:
    """Return Prometheus's rules, recording and alerting."""
    return [
        rule
        for path in sorted((PROMETHEUS / "rules").glob("*.yml"))
        for group in _yaml(path)["groups"]
        for rule in group["rules"]
    ]


def _yaml(path: Path) -> Json:
    """Return a file's content, read by libyaml: in Python, all that wants the rules would take a second."""
    content: Json = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)
    return content


def alerts() -> dict[str, Json]:
    """Return every alert by its name, Grafana's and Prometheus's."""
    found = {rule["alert"]: rule for rule in prometheus_rules() if "alert" in rule}
    return {**found, **{rule["title"]: rule for rule in rules()}}


def sql_queries() -> list[Query]:
    """Return every statement that PostgreSQL is asked: of panels, variables, annotations and rules."""
    return [
        *(Query(asker, target["rawSql"]) for asker, target in _targets(AUDIT)),
        *(
            Query(f"variable {variable['name']}", variable["query"])
            for path in DASHBOARDS
            for variable in dashboard(path)["templating"]["list"]
            if variable.get("datasource", {}).get("uid") == AUDIT
        ),
        *(Query(f"annotation {one['name']}", one["target"]["rawSql"]) for one in _annotations(AUDIT)),
    ]


def prometheus_queries() -> list[Query]:
    """Return every expression that Prometheus is asked by Grafana."""
    return [
        *(Query(asker, target["expr"]) for asker, target in _targets(METRICS)),
        *(Query(f"annotation {one['name']}", one["expr"]) for one in _annotations(METRICS)),
    ]


def _annotations(source: str) -> Iterator[Json]:
    for path in DASHBOARDS:
        for annotation in dashboard(path)["annotations"]["list"]:
            if annotation["datasource"]["uid"] == source:
                yield annotation


def _targets(source: str) -> Iterator[tuple[str, Json]]:
    for path in DASHBOARDS:
        for panel in panels(path):
            for target in panel["targets"]:
                if target["datasource"]["uid"] == source:
                    yield panel["title"], target
    for rule in rules():
        for step in rule["data"]:
            if step["datasourceUid"] == source:
                yield f"rule {rule['title']}", step["model"]
