"""What Prometheus would have made of running services: each look at their metrics stands for a minute."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING
from urllib.request import urlopen

import yaml
from grafana_files import PROMETHEUS, alerts
from prometheus_client.parser import text_string_to_metric_families
from waiting import limit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

GONE = "stale"
"""What Prometheus writes for a series that was there the minute before."""
NOT_YET = "_"


class Minutes:
    """The metrics of some services, minute by minute, and which alerts are to fire at which of them."""

    def __init__(self, *jobs: str) -> None:
        """`jobs`: as the scrape configuration calls them; none answers until :meth:`answers`."""
        self._urls: dict[str, str | None] = dict.fromkeys(jobs)
        self._minutes: list[dict[str, str]] = []
        self._expected: list[tuple[int, set[str]]] = []

    def answers(self, job: str, url: str | None) -> None:
        """Say where the service of that job is from now on; None: nowhere."""
        self._urls[job] = url

    def look(self, minutes: int = 1) -> None:
        """Let minutes pass, with a scrape in each."""
        for _ in range(minutes):
            self._minutes.append(dict(self._scraped()))

    def expect(self, *firing: str) -> None:
        """Expect just these alerts to fire in the last minute."""
        self._expected.append((len(self._minutes) - 1, set(firing)))

    def _scraped(self) -> Iterator[tuple[str, str]]:
        for job, url in self._urls.items():
            target = {"job": job, "instance": "1"}
            yield _series("up", target), "1" if url else "0"
            if url is None:
                continue
            with urlopen(f"{url}/metrics", timeout=limit()) as answer:  # noqa: S310 - our own process
                text = answer.read().decode()
            for family in text_string_to_metric_families(text):
                for sample in family.samples:
                    yield _series(sample.name, {**sample.labels, **target}), repr(float(sample.value))

    def judged(self, promtool: str, directory: Path, *names: str) -> str:
        """Return what promtool finds that is not as expected, of these alerts."""
        every = sorted({series for minute in self._minutes for series in minute})
        wanted = "|".join(names)
        case = {
            "interval": "1m",
            "input_series": [
                {"series": series, "values": " ".join(self._values(series))} for series in every
            ],
            "promql_expr_test": [
                {
                    "expr": f'ALERTS{{alertstate="firing", alertname=~"{wanted}"}}',
                    "eval_time": f"{minute}m",
                    "exp_samples": [{"labels": _firing(name), "value": 1} for name in sorted(firing)],
                }
                for minute, firing in self._expected
            ],
        }
        rules = [str(path) for path in sorted((PROMETHEUS / "rules").glob("*.yml"))]
        written = directory / "minutes.yml"
        written.write_text(
            yaml.safe_dump({"rule_files": rules, "evaluation_interval": "15s", "tests": [case]})
        )
        ended = subprocess.run(
            [promtool, "test", "rules", written], capture_output=True, text=True, check=False
        )
        return "" if ended.returncode == 0 else ended.stdout + ended.stderr

    def _values(self, series: str) -> Iterator[str]:
        there = False
        for minute in self._minutes:
            yield minute.get(series, GONE if there else NOT_YET)
            there = series in minute


def _series(name: str, labels: Mapping[str, str]) -> str:
    written = ", ".join(f"{label}={json.dumps(value)}" for label, value in sorted(labels.items()))
    return f"{name}{{{written}}}"


def _firing(name: str) -> str:
    more = {"severity", "panel", "service", "stream", "what", "action"}
    labels = {label: value for label, value in alerts()[name]["labels"].items() if label in more}
    if name == "ConsumerLag":
        labels["stream"] = "ORDERS"
    return _series("ALERTS", {**labels, "alertname": name, "alertstate": "firing"})
