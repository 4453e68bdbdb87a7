"""The texts that arrive at night: every alert firing, over, without data and in error.

Made with the template functions that Grafana uses (tests/ops/messages, which tools.sh builds where Go is).
"""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from grafana_files import ROOT, RUNBOOKS, prometheus_rules, provisioned, rules

if TYPE_CHECKING:
    from collections.abc import Sequence

RENDERER = ROOT / ".ops/messages"
[TEMPLATES] = [one["template"] for one in provisioned("alerting/templates.yaml")["templates"]]
[RECEIVER, MAIL] = provisioned("alerting/contact-points.yaml")["contactPoints"][0]["receivers"]
BAD = re.compile(r"no value|\{\{|\}\}|%!|NaN|map\[|<nil>|(?m:^\w+: *$)|\(\)")
"""Of a template that met something it did not expect."""
STARTED, ENDED = "2026-11-29T03:10:00Z", "2026-11-29T03:25:30Z"
PLACES = {
    "stream": "ORDERS",
    "volume": "postgres",
    "exporter": "nats",
}
Alert = dict[str, Any]


def render(asked: Sequence[dict[str, Any]]) -> list[str]:
    """Return what the texts become; every text of one run."""
    if not RENDERER.exists():
        pytest.skip("the renderer is not built (Go 1.23 or newer would do): run tests/ops/tools.sh")
    done = subprocess.run([RENDERER], input=json.dumps(asked), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    texts: list[str] = json.loads(done.stdout)
    return texts


def instances() -> list[tuple[dict[str, Any], dict[str, str]]]:
    """Return (Grafana's rule, labels) of each alert that people are told of.

    Prometheus's come through one rule of Grafana's, with labels of their own.
    """
    named = {rule["title"]: rule for rule in rules()}
    relay = named.pop("PrometheusAlert")
    found = [(rule, {"alertname": title, **rule["labels"]}) for title, rule in named.items()]
    for rule in prometheus_rules():
        if "alert" in rule:
            summary = rule["annotations"]["summary"]
            place = {name: where for name, where in PLACES.items() if f"$labels.{name} " in summary}
            labels = {"alertname": "PrometheusAlert", "alert": rule["alert"], **rule["labels"], **place}
            found.append((relay, labels))
    return [(rule, labels) for rule, labels in found if labels["severity"] != "heartbeat"]


INSTANCES = [
    pytest.param(rule, labels, id=labels.get("alert", rule["title"])) for rule, labels in instances()
]
SOURCES = [pytest.param(rule, id=rule["title"]) for rule in rules() if rule["title"] != "Watchdog"]


def annotated(
    rule: dict[str, Any], labels: dict[str, str], values: dict[str, float | None]
) -> dict[str, str]:
    """Return the rule's annotations for one of its alerts."""
    names = list(rule["annotations"])
    texts = render(
        [{"text": rule["annotations"][name], "labels": labels, "values": values} for name in names]
    )
    assert [text for text in texts if BAD.search(text)] == []  # a webhook gets them as they are
    return dict(zip(names, texts, strict=True))


def alert(rule: dict[str, Any], labels: dict[str, str], *, over: bool = False) -> Alert:
    annotations = annotated(rule, labels, {"A": 3, "B": 3, "C": 1})
    return one_alert(labels, annotations, over=over)


def one_alert(labels: dict[str, str], annotations: dict[str, str], *, over: bool = False) -> Alert:
    place = f"https://desk.example/d/{annotations['__dashboardUid__']}?orgId=1"
    return {
        "status": "resolved" if over else "firing",
        "labels": labels,
        "annotations": annotations,
        "startsAt": STARTED,
        "endsAt": ENDED if over else "0001-01-01T00:00:00Z",
        "dashboardURL": place,
        "panelURL": f"{place}&viewPanel={annotations['__panelId__']}",
    }


def told(alerts: Sequence[Alert]) -> tuple[str, str]:
    """Return title and text of the one message about these alerts, as webhook and mail have them."""
    common = dict(set.intersection(*(set(one["labels"].items()) for one in alerts)))
    firing = any(one["status"] == "firing" for one in alerts)
    message = {
        "receiver": "desk",
        "status": "firing" if firing else "resolved",
        "alerts": alerts,
        "groupLabels": {"grafana_folder": "Fillproof alerts"},
        "commonLabels": common,
        "commonAnnotations": {},
        "externalURL": "https://desk.example/",
    }
    texts = (RECEIVER["settings"]["title"], RECEIVER["settings"]["message"])
    assert texts == (MAIL["settings"]["subject"], MAIL["settings"]["message"])
    title, text = render([{"text": one, "templates": TEMPLATES, "message": message} for one in texts])
    for rendered in (title, text):
        assert not BAD.search(rendered), rendered
    for runbook in re.findall(r"^Runbook: \S*/(\w+)\.md$", text, re.MULTILINE):
        assert (RUNBOOKS / f"{runbook}.md").exists(), runbook
    return title, text


def name_of(rule: dict[str, Any], labels: dict[str, str]) -> str:
    return labels.get("alert") or str(rule["title"])


@pytest.mark.parametrize(("rule", "labels"), INSTANCES)
def test_what_fires_says_what_happened_since_when_what_to_do_and_where_to_look(
    rule: dict[str, Any], labels: dict[str, str]
) -> None:
    one, name = alert(rule, labels), name_of(rule, labels)
    title, text = told([one])
    assert title == f"FIRING {labels['severity'].upper()}: {name}"
    assert text.startswith(f"{name} ({labels['severity']}): {one['annotations']['summary']}\n")
    assert "\nSince: 2026-11-29 03:10:00 UTC\n" in text
    assert f"\nDo: {one['annotations']['action']}\n" in text
    assert f"/docs/runbooks/{name}.md\n" in text
    panel = labels.get("panel", one["annotations"]["__panelId__"])
    assert f"\nPanel: {one['dashboardURL']}&viewPanel={panel}\nDashboard: {one['dashboardURL']}" in text


@pytest.mark.parametrize(("rule", "labels"), INSTANCES)
def test_what_is_over_says_what_it_was_and_that_it_is_over(
    rule: dict[str, Any], labels: dict[str, str]
) -> None:
    one, name = alert(rule, labels, over=True), name_of(rule, labels)
    title, text = told([one])
    assert title == f"RESOLVED: {name}"
    assert text.startswith(f"{name} is over. It was: {one['annotations']['description']}\n")
    assert "\nFrom 2026-11-29 03:10:00 to 2026-11-29 03:25:30 UTC\n" in text
    assert "Do:" not in text
    assert ("whether it is over is not known" in text) == ("alert" in labels)


@pytest.mark.parametrize("rule", SOURCES)
@pytest.mark.parametrize("values", [{}, {"A": None, "B": None, "C": None}], ids=["no values", "null values"])
@pytest.mark.parametrize("failed", ["DatasourceNoData", "DatasourceError"])
def test_a_rule_that_can_not_be_asked_is_told_as_a_source_that_does_not_answer(
    rule: dict[str, Any], values: dict[str, float | None], failed: str
) -> None:
    source = rule["data"][0]["datasourceUid"]
    labels = {"alertname": failed, "datasource_uid": source, "rulename": rule["title"], "ref_id": "A"}
    labels |= rule.get("labels", {})
    annotations = annotated(rule, labels, values)
    error = "it gave no row"
    if failed == "DatasourceError":
        error = annotations["Error"] = "failed to execute query A: connection refused"
    who = {"audit-postgres": "The audit database", "fillproof-prometheus": "Prometheus"}[source]
    title, text = told([one_alert(labels, annotations)])
    worst = labels.get("severity", "critical").upper()
    assert title == f"FIRING {worst}: {who} does not answer"
    assert text.startswith(f"{who} does not answer Grafana: ")
    assert f"\nError: {error}\n" in text
    assert f"\nRules: {rule['title']}\n" in text
    assert text.endswith("/docs/runbooks/DataSourceDown.md")
    title, text = told([one_alert(labels, annotations, over=True)])
    assert title == f"RESOLVED: {who} does not answer"
    assert text.startswith(f"{who} answers Grafana again.\n")


def test_prometheus_away_is_told_as_grafana_9_tells_it_without_source_and_error() -> None:
    [relay] = [rule for rule in rules() if rule["title"] == "PrometheusAlert"]
    labels = {"alertname": "DatasourceError", "rulename": "PrometheusAlert"}
    title, text = told([one_alert(labels, annotated(relay, labels, {}))])
    assert title == "FIRING CRITICAL: Prometheus does not answer"
    assert "\nError: not told; Grafana's log has it\n" in text


def test_critical_and_warning_of_one_incident_are_one_message_with_the_worst_first() -> None:
    found = {name_of(rule, labels): (rule, labels) for rule, labels in instances()}
    names = ("LedgerGap", "OrderAnomaliesOpen", "OrderLost", "ReconcilerStale")
    alerts = [alert(*found[name]) for name in names]
    over = alert(*found["ConsumerLag"], over=True)
    title, text = told([*alerts, over])
    assert title == "FIRING CRITICAL: OrderLost, ReconcilerStale, LedgerGap, OrderAnomaliesOpen"
    first = [line.split(" ")[0] for line in text.splitlines() if re.match(r"\w+ (\(|is over)", line)]
    assert first == ["OrderLost", "ReconcilerStale", "LedgerGap", "OrderAnomaliesOpen", "ConsumerLag"]


def test_a_source_that_many_rules_ask_is_told_once() -> None:
    asked = [rule for rule in rules() if rule["data"][0]["datasourceUid"] == "audit-postgres"]
    alerts = []
    for rule in asked:
        labels = {
            "alertname": "DatasourceError",
            "datasource_uid": "audit-postgres",
            "rulename": rule["title"],
        }
        annotations = annotated(rule, labels | rule["labels"], {}) | {"Error": "connection refused"}
        alerts.append(one_alert(labels | rule["labels"], annotations))
    title, text = told(alerts)
    assert title == "FIRING CRITICAL: The audit database does not answer"
    assert text.count("connection refused") == 1
    assert f"Rules: {', '.join(rule['title'] for rule in asked)}\n" in text


def test_the_renderer_shows_what_a_careless_template_would_show() -> None:
    texts = render([{"text": "{{ $labels.nobody }} {{ $values.B }}", "labels": {}, "values": {}}])
    assert texts == ["[no value] [no value]"]
    assert BAD.search(texts[0])
