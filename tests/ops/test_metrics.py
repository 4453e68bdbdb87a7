"""Every metric that a panel or a rule names is one that a service or an exporter shows, or a rule records."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from grafana_files import prometheus_queries, prometheus_rules

from audit_writer.metrics import Metrics as AuditWriterMetrics
from reconciler.metrics import Metrics as ReconcilerMetrics

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
OF_PROMETHEUS = {"ALERTS", "up"}
EXPORTERS = Path(__file__).parent / "exporters"
"""Name and type of each metric of the local stack that nats-exporter 0.20.1, postgres-exporter 0.20.1 and
node-exporter 1.12.1 showed with the flags of compose.yaml."""
NAME = re.compile(
    r"\b(?:(?:reconciler|audit_writer|gnatsd|jetstream|pg|node)_\w+|[a-z]\w*:[\w:]+|ALERTS|up)\b(?![\w\"(])"
)
TEXT = re.compile(r'"[^"]*"')


def shown(registry: CollectorRegistry) -> set[str]:
    """Return the names of all series that the registry may show."""
    return {family.name + suffix for family in registry.collect() for suffix in SUFFIXES[family.type]}


def named(expression: str) -> set[str]:
    return set(NAME.findall(TEXT.sub('""', expression)))


def test_every_metric_named_exists() -> None:
    recorded = {rule["record"] for rule in prometheus_rules() if "record" in rule}
    there = shown(ReconcilerMetrics().registry) | shown(AuditWriterMetrics().registry)
    for path in EXPORTERS.glob("*.txt"):
        there |= {line.split()[0] for line in path.read_text().splitlines()}
    asked = [query.text for query in prometheus_queries()] + [rule["expr"] for rule in prometheus_rules()]
    names = set().union(*map(named, asked))
    assert sorted(names - there - recorded - OF_PROMETHEUS) == []


def test_every_metric_of_a_service_is_shown_by_a_panel_or_watched_by_a_rule() -> None:
    asked = [query.text for query in prometheus_queries()] + [rule["expr"] for rule in prometheus_rules()]
    names = set().union(*map(named, asked))
    unseen = [
        family.name
        for registry in (ReconcilerMetrics().registry, AuditWriterMetrics().registry)
        for family in registry.collect()
        if not names & {family.name + suffix for suffix in SUFFIXES[family.type]}
    ]
    assert unseen == []


def test_every_expression_names_a_metric() -> None:
    for query in prometheus_queries():
        assert named(query.text), query


def test_no_metric_has_an_order_as_a_label() -> None:
    for registry in (ReconcilerMetrics().registry, AuditWriterMetrics().registry):
        for collector in list(registry._collector_to_names):  # noqa: SLF001 - no public way to the labels
            labels = set(getattr(collector, "_labelnames", ()))
            assert not labels & {
                "account",
                "sequence",
                "order",
                "order_id",
                "session",
                "event_id",
                "transaction",
            }
