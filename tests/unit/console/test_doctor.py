"""The doctor's findings about packages, migrations, encryption and several servers."""

from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import pytest

from console.commands.doctor import _line
from console.doctor import machine
from console.doctor.database import newest_migration
from console.doctor.encryption import encryption
from console.doctor.findings import Finding, Health, ill
from console.doctor.servers import Examined, compare_servers


def test_what_is_installed_is_what_the_packages_ask_for() -> None:
    assert [one.health for one in machine.packages()] == [Health.WELL]


def test_a_package_that_is_too_old_is_named_with_what_is_expected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "version", lambda name: "1.0" if name == "nats-py" else version(name))
    found = machine.packages()
    assert {one.health for one in found} == {Health.ILL}
    assert any(
        "fillproof-console needs nats-py >=" in one.found and "found 1.0" in one.found for one in found
    )
    assert all(one.advice for one in found)


def test_the_newest_migration_is_the_one_of_the_deployment() -> None:
    versions = Path(__file__).parents[3] / "deploy" / "postgres" / "migrations" / "versions"
    assert f'revision = "{newest_migration()}"' in max(versions.glob("v*.py")).read_text()


@pytest.mark.parametrize(
    ("host", "encrypted", "days", "health", "said"),
    [
        ("127.0.0.1", False, None, Health.WELL, "not encrypted, within"),
        ("nats", False, None, Health.WELL, "not encrypted, within"),
        ("s1.ripple.com", False, None, Health.NOTE, "not encrypted, to s1.ripple.com"),
        ("s1.ripple.com", True, 90, Health.WELL, "the certificate ends"),
        ("s1.ripple.com", True, 3, Health.NOTE, "the certificate ends"),
    ],
)
def test_encryption_is_asked_for_where_others_are_in_between(
    host: str, *, encrypted: bool, days: int | None, health: Health, said: str
) -> None:
    ends = None if days is None else datetime.now(UTC) + timedelta(days=days, hours=1)
    found = encryption("bus", host, ends, encrypted=encrypted)
    assert found.health is health
    assert said in found.found


def server(name: str, network_id: int | None) -> Examined:
    return Examined(findings=[], name=name, network_id=network_id)


def test_servers_of_two_networks_are_named() -> None:
    [found] = compare_servers([server("wss://one", 0), server("wss://two", 1), server("", None)])
    assert found.health is Health.ILL
    assert "wss://two is on network 1" in found.found


def test_a_lone_server_is_told_apart_from_two() -> None:
    assert [one.health for one in compare_servers([server("wss://one", 0)])] == [Health.NOTE]
    assert compare_servers([server("wss://one", 0), server("wss://two", 0)]) == []


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_finding_is_broken_between_words_alone(width: int) -> None:
    finding: Finding = ill(
        "wss://xrplcluster.com", "no account rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe", "x y " * 40
    )
    rows = _line(finding, width).plain.split("\n")
    assert all(len(row) <= width for row in rows)
    assert [word for row in rows for word in row.split()] == _line(finding, None).plain.split()
