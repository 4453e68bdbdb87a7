"""Prometheus in the deployment: it finds every replica and exporter by name, and knows our rules."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec
import pytest
import yaml
from deployment import ROOT, docker, image_is_there, inspect
from grafana_files import prometheus_rules
from waiting import until_found

if TYPE_CHECKING:
    from deployment import Deployment

SERVICES = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
QUERY = "min(up) * max(reconciler_validated_ledger) * max(audit_writer_bus_connected)"
SHOWN_BY = {
    "nats": 'stream:jetstream_used:ratio{stream="ORDERS"}',
    "postgres": 'pg_up * on() max(pg_stat_database_numbackends{datname="fillproof"}) > 0',
    "disk": 'volume:disk_free:ratio{volume="nats"} + on() volume:disk_free:ratio{volume="postgres"}',
}
"""What shows that an exporter's metrics are those that alerts ask for."""
EXPORTERS = [job for job in SHOWN_BY if image_is_there(SERVICES[f"{job}-exporter"]["image"])]
"""Those whose images are at hand."""


@pytest.mark.skipif(
    not image_is_there(SERVICES["prometheus"]["image"]),
    reason="no Prometheus to stand in for the official image: install Debian's",
)
async def test_it_finds_every_replica_reads_its_metrics_and_evaluates_the_rules(
    deployment: Deployment,
) -> None:
    deployment.up(scale=("reconciler=2",))
    deployment.up("prometheus", *(f"{job}-exporter" for job in EXPORTERS), beside=True)
    [container] = deployment.containers("prometheus")

    async def answer(path: str) -> dict:  # type: ignore[type-arg] # Prometheus's own JSON
        url = f"http://127.0.0.1:9090/api/v1/{path}"
        told = await asyncio.to_thread(docker, "exec", container, "wget", "-q", "-O", "-", url)
        found: dict = msgspec.json.decode(told)["data"]  # type: ignore[type-arg]
        return found

    async def healthy() -> bool:
        return bool(inspect(container)["State"]["Health"]["Status"] == "healthy")

    async def scraped() -> bool:
        targets = (await answer("targets"))["activeTargets"]
        up = Counter(target["labels"]["job"] for target in targets if target["health"] == "up")
        return up == {"reconciler": 2, "audit_writer": 1, **dict.fromkeys(EXPORTERS, 1)}

    async def known() -> bool:
        asked = [QUERY, *(SHOWN_BY[job] for job in EXPORTERS)]
        return all([(await answer(f"query?query={quote(query)}"))["result"] for query in asked])

    await until_found(healthy)
    await until_found(scraped)
    await until_found(known)
    groups = (await answer("rules"))["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert sorted(rule["name"] for rule in rules) == sorted(
        rule.get("alert") or rule["record"] for rule in prometheus_rules()
    )
    assert {rule["health"] for rule in rules} <= {"ok", "unknown"}
