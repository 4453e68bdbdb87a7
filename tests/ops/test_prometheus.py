"""Prometheus's files, in promtool's own judgement."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml
from grafana_files import PROMETHEUS, alerts, prometheus_queries, prometheus_rules

if TYPE_CHECKING:
    from pathlib import Path

RULE_TESTS = sorted(PROMETHEUS.glob("rules_test*.yml"))


@pytest.fixture(scope="module")
def promtool() -> str:
    return shutil.which("promtool") or pytest.skip("promtool is not installed: run tests/ops/tools.sh")


def run(*command: str | Path) -> tuple[int, str]:
    environment = {**os.environ, "GOGC": "400"}  # promtool spends a third of its time on garbage otherwise
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    return ended.returncode, ended.stdout + ended.stderr


def test_the_configuration_and_its_rules_are_understood(promtool: str) -> None:
    status, told = run(promtool, "check", "config", PROMETHEUS / "prometheus.yml")
    assert status == 0, told


def test_every_alert_stays_quiet_fires_and_resolves(promtool: str) -> None:
    status, told = run(promtool, "test", "rules", *RULE_TESTS)
    assert status == 0, told


def test_no_alert_is_left_untested() -> None:
    cases = [case for path in RULE_TESTS for case in yaml.safe_load(path.read_text())["tests"]]
    fired = {
        one["alertname"] for case in cases for one in case.get("alert_rule_test", ()) if one["exp_alerts"]
    }
    counted = {
        name
        for case in cases
        for one in case.get("promql_expr_test", ())
        if one["exp_samples"]
        for name in re.findall(r'alertname="(\w+)"', one["expr"])
    }
    assert fired | counted == {rule["alert"] for rule in prometheus_rules() if "alert" in rule}


def test_every_expression_of_grafanas_is_understood(promtool: str, tmp_path: Path) -> None:
    written = [
        {"record": f"asked:{number}", "expr": query.text.replace("$__rate_interval", "1m")}
        for number, query in enumerate(prometheus_queries())
    ]
    rules = tmp_path / "rules.yml"
    rules.write_text(yaml.safe_dump({"groups": [{"name": "asked", "rules": written}]}))
    status, told = run(promtool, "check", "rules", "--lint=none", rules)
    assert status == 0, told
    assert f"{len(written)} rules found" in told


def test_grafana_takes_over_every_alert_but_the_heartbeat() -> None:
    [taken] = [query.text for query in prometheus_queries() if query.asker == "rule PrometheusAlert"]
    assert 'severity!="heartbeat"' in taken
    assert alerts()["Watchdog"]["labels"]["severity"] == "heartbeat"
