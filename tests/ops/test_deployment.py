"""What watches in the deployment: images, scrape targets, and Grafana's own settings for links and mail."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from grafana_files import GRAFANA, PROMETHEUS, ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
CLUSTER: dict[str, Any] = yaml.safe_load((ROOT / "compose.cluster.yaml").read_text())["services"]
WATCHING = [name for name, service in SERVICES.items() if service.get("profiles") == ["observability"]]
JOBS = {
    job["job_name"]: job["dns_sd_configs"][0]
    for job in yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["scrape_configs"]
}


def networks(service: str) -> set[str]:
    return set(SERVICES[service]["networks"])


@pytest.mark.parametrize("name", WATCHING)
def test_an_image_is_pinned_by_its_version_and_walled_in_like_ours(name: str) -> None:
    service = SERVICES[name]
    assert re.search(r":v?\d+\.\d+\.\d+$", service["image"]), service["image"]
    assert service["cap_drop"] == ["ALL"]
    assert service["read_only"]
    assert service["mem_limit"]


@pytest.mark.parametrize("job", JOBS)
def test_prometheus_reaches_each_target_and_finds_every_replica_by_name(job: str) -> None:
    [name] = JOBS[job]["names"]
    assert JOBS[job]["type"] == "A"
    assert "metrics" in networks(name) & networks("prometheus")


def test_the_bus_the_database_and_the_disk_are_watched() -> None:
    assert {"nats", "postgres", "disk"} <= set(JOBS)
    watched = [volume.partition(":")[0] for volume in SERVICES["disk-exporter"]["volumes"]]
    assert watched == ["nats", "postgres"]
    assert all(volume.endswith(":ro") for volume in SERVICES["disk-exporter"]["volumes"])


def test_only_the_exporter_reaches_the_bus_s_monitoring() -> None:
    assert {name for name in SERVICES if "watch" in networks(name)} == {"nats", "nats-exporter"}
    assert "${FILLPROOF_NATS_MONITORING:-nats-watch:8222}" in (ROOT / "deploy/nats/start.sh").read_text()
    assert "\nhttp: $MONITORING " in (ROOT / "deploy/nats/nats.conf").read_text()
    assert SERVICES["nats"]["networks"]["watch"]["aliases"] == ["nats-watch"]
    assert COMPOSE["networks"]["watch"]["internal"]


def test_grafana_gets_every_variable_that_its_files_name() -> None:
    files = (GRAFANA / "provisioning").rglob("*.yaml")
    named = {found for path in files for found in re.findall(r"\$\{(FILLPROOF_\w+)\}", path.read_text())}
    assert named <= set(SERVICES["grafana"]["environment"])


def test_links_in_messages_and_mail_are_settings_and_the_password_is_a_secret() -> None:
    environment = SERVICES["grafana"]["environment"]
    for setting, variable in {
        "GF_SERVER_ROOT_URL": "FILLPROOF_GRAFANA_URL",
        "GF_SMTP_ENABLED": "FILLPROOF_SMTP_ENABLED",
        "GF_SMTP_HOST": "FILLPROOF_SMTP_HOST",
        "GF_SMTP_USER": "FILLPROOF_SMTP_USER",
        "GF_SMTP_FROM_ADDRESS": "FILLPROOF_SMTP_FROM",
    }.items():
        assert environment[setting].startswith(f"${{{variable}:-"), setting
    assert environment["GF_SMTP_PASSWORD"] == "$$__file{/run/secrets/smtp_password}"  # noqa: S105 - a path
    assert "smtp_password" in SERVICES["grafana"]["secrets"]


@pytest.mark.parametrize("name", ["nats-2", "nats-3"])
def test_each_server_of_the_cluster_is_walled_in_like_the_one(name: str) -> None:
    one, other = SERVICES["nats"], CLUSTER[name]
    for what in (
        "read_only",
        "cap_drop",
        "security_opt",
        "pids_limit",
        "logging",
        "mem_limit",
        "secrets",
        "image",
    ):
        assert other[what] == one[what], what
    assert other["networks"].keys() == {*one["networks"], "routes"}


def test_who_is_in_the_network_of_the_routes_is_a_server() -> None:
    members = {name for name, service in CLUSTER.items() if "routes" in service.get("networks", {})}
    assert members == {"nats", "nats-2", "nats-3"}
    assert yaml.safe_load((ROOT / "compose.cluster.yaml").read_text())["networks"]["routes"]["internal"]
