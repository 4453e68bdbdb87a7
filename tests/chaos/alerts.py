"""Alerts that would fire now: the project's own rules, evaluated on the metrics of the running services.

A rule whose expression aggregates one metric and compares it with a number is evaluated; those that look at
minutes of history are tried elsewhere (`tests/e2e/test_alerts.py`).
"""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING
from urllib.request import urlopen

from grafana_files import prometheus_rules
from prometheus_client.parser import text_string_to_metric_families
from waiting import limit

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_SIMPLE = re.compile(r"(sum|max|min)\((\w+)\) (>|==|<) (\d+)")
_AGGREGATIONS = {"sum": sum, "max": max, "min": min}
_COMPARISONS = {">": operator.gt, "==": operator.eq, "<": operator.lt}


def firing(urls: Collection[str]) -> set[str]:
    """Return the alerts whose condition holds, of those that one look can decide."""
    values: dict[str, list[float]] = {}
    for url in urls:
        with urlopen(f"{url}/metrics", timeout=limit()) as answer:  # noqa: S310 - our own process
            text = answer.read().decode()
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                values.setdefault(sample.name, []).append(sample.value)
    return {name for name, expression in _alerts() if _holds(expression, values)}


def _alerts() -> Iterator[tuple[str, str]]:
    rules = prometheus_rules()
    recorded = {rule["record"]: rule["expr"] for rule in rules if "record" in rule}
    for rule in rules:
        if "alert" in rule:
            expression = rule["expr"]
            for name, stands_for in recorded.items():
                expression = expression.replace(name, stands_for)
            yield rule["alert"], expression


def _holds(expression: str, values: dict[str, list[float]]) -> bool:
    parts = (_SIMPLE.fullmatch(part.strip()) for part in expression.split(" or "))
    return any(
        _COMPARISONS[part[3]](_AGGREGATIONS[part[1]](values[part[2]]), float(part[4]))
        for part in parts
        if part and values.get(part[2])
    )
