"""What a service installs: the audit writer nothing of the ledger, the reconciler nothing of a database."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LEDGER = {"xrpl-py", "httpx", "websockets"}
DATABASE = {"alembic", "asyncpg", "sqlalchemy", "psycopg"}


@pytest.fixture(scope="module")
def uv() -> str:
    """Return uv as `make setup` finds it."""
    found = shutil.which("uv") or shutil.which(ROOT / ".tools" / "bin" / "uv")
    return found or pytest.skip("uv is neither on PATH nor in .tools: make setup installs it")


def installs(uv: str, package: str) -> set[str]:
    command = [
        uv,
        "export",
        "--offline",
        "--frozen",
        "--no-dev",
        "--no-header",
        "--no-hashes",
        "--no-annotate",
    ]
    listed = subprocess.run(
        [*command, "--package", package], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    # as `asyncpg==0.32.0` or, for our own, `-e ./shared/order_events`
    return {line.split("==")[0].split(" ; ")[0].rpartition("/")[2] for line in listed.splitlines() if line}


def test_the_audit_writer_installs_nothing_of_the_ledger(uv: str) -> None:
    installed = installs(uv, "fillproof-audit-writer")
    assert installed >= {"asyncpg", "order_events", "service_kit"}
    assert installed & (LEDGER | {"offer_lifecycle"}) == set()


def test_the_reconciler_installs_nothing_of_a_database(uv: str) -> None:
    installed = installs(uv, "fillproof-reconciler")
    assert installed >= {"ledger_client", "offer_lifecycle", "order_events", "service_kit"}
    assert installed & DATABASE == set()


@pytest.mark.parametrize("package", ["offer-lifecycle", "order-events", "service-kit"])
def test_what_services_share_brings_neither_to_the_other(uv: str, package: str) -> None:
    installed = installs(uv, f"fillproof-{package}")
    assert "msgspec" in installed
    assert installed & (LEDGER | DATABASE) == set()


def test_the_pure_packages_install_next_to_nothing(uv: str) -> None:
    assert installs(uv, "fillproof-order-events") == {"order_events", "msgspec"}
    assert installs(uv, "fillproof-offer-lifecycle") == {"offer_lifecycle", "order_events", "msgspec"}
