"""`fillproof ack`: who, when and why stay on record, and the chip counts it no more."""

from __future__ import annotations

import asyncio
import getpass
import uuid
from typing import TYPE_CHECKING

import asyncpg
import pytest
from audit_tables import execute, fetch, store
from fillproof_command import fillproof
from sample_events import ANOMALY, event

from console.store import open_anomalies

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from conftest import Dsn

pytestmark = pytest.mark.stack

UNKNOWN = "00000000-0000-0000-0000-000000000000"
ON_RECORD = "SELECT event_id, acknowledged_by, note FROM anomaly_acknowledgement ORDER BY event_id"


@pytest.fixture
def anomalies(postgres_dsn: Dsn) -> list[str]:
    """Give the ids of three anomalies."""
    events = [event(ANOMALY, number) for number in range(3)]
    asyncio.run(store(postgres_dsn("audit_writer"), events))
    return sorted(str(one.event_id) for one in events)


@pytest.fixture
def operator(postgres_dsn: Dsn) -> Iterator[str]:
    """Give the address of a person who may acknowledge and nothing else."""
    name, owner = f"person_{uuid.uuid4().hex}", postgres_dsn()
    asyncio.run(
        execute(owner, f"CREATE ROLE {name} LOGIN PASSWORD 'secret'; GRANT fillproof_operator TO {name}")
    )
    place = owner.rpartition("@")[2]
    yield f"postgresql://{name}:secret@{place}"
    asyncio.run(execute(owner, f"DROP ROLE {name}"))


def ack(database: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return fillproof("ack", "--database", database, *arguments)


def test_an_acknowledged_anomaly_counts_no_more_and_who_and_why_stay_on_record(
    postgres_dsn: Dsn, anomalies: list[str], operator: str
) -> None:
    first, second, _ = anomalies
    ended = ack(operator, first, second, first.upper(), "--by", "mia", "--note", "canceled by hand")
    assert ended.returncode == 0, ended.stderr
    assert all(word in ended.stdout for word in (first, second, "mia", "canceled by hand", "CANCELED"))
    assert asyncio.run(open_anomalies(postgres_dsn("grafana_reader"))) == 1
    expected = [(one, "mia", "canceled by hand") for one in (first, second)]
    assert asyncio.run(fetch(postgres_dsn(), ON_RECORD)) == expected


def test_said_again_the_first_word_stays(postgres_dsn: Dsn, anomalies: list[str]) -> None:
    assert ack(postgres_dsn(), anomalies[0], "--note", "seen").returncode == 0
    again = ack(postgres_dsn(), anomalies[0], "--by", "leo", "--note", "no, mine")
    assert again.returncode == 0
    assert "seen" in again.stdout
    assert "leo" not in again.stdout
    assert asyncio.run(fetch(postgres_dsn(), ON_RECORD)) == [(anomalies[0], getpass.getuser(), "seen")]


def test_an_unknown_id_is_refused_with_the_open_ones_and_nothing_is_acknowledged(
    postgres_dsn: Dsn, anomalies: list[str]
) -> None:
    ended = ack(postgres_dsn(), anomalies[0], UNKNOWN, "no-id", "--note", "seen")
    assert ended.returncode == 2
    assert f"{UNKNOWN}, no-id. Nothing was acknowledged" in ended.stderr
    assert all(one in ended.stderr for one in anomalies)
    assert asyncio.run(fetch(postgres_dsn(), ON_RECORD)) == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--note", " "), "expected who acknowledges (--by) and why (--note)"),
        (("--note", "seen", "--database", "postgresql://nobody@127.0.0.1:1/none"), "expected a database at"),
        (("--note", "seen", "--database", "not an address"), "expected a database at"),
    ],
)
def test_what_cannot_be_done_says_what_was_expected(
    postgres_dsn: Dsn, arguments: tuple[str, ...], told: str
) -> None:
    ended = ack(postgres_dsn(), UNKNOWN, *arguments)
    assert ended.returncode == 2
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_reader_may_not_acknowledge(postgres_dsn: Dsn, anomalies: list[str]) -> None:
    ended = ack(postgres_dsn("grafana_reader"), anomalies[0], "--note", "seen")
    assert ended.returncode == 2
    assert "a member of fillproof_operator" in ended.stderr


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE anomaly_acknowledgement SET note = 'other'",
        "DELETE FROM anomaly_acknowledgement",
        "TRUNCATE anomaly_acknowledgement",
    ],
)
def test_what_stands_on_record_is_not_changed_even_by_the_owner(
    postgres_dsn: Dsn, anomalies: list[str], change: str
) -> None:
    ack(postgres_dsn(), anomalies[0], "--by", "mia", "--note", "seen")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="stays as it was made"):
        asyncio.run(execute(postgres_dsn(), change))
    assert asyncio.run(fetch(postgres_dsn(), ON_RECORD)) == [(anomalies[0], "mia", "seen")]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO anomaly_acknowledgement VALUES ('a', '2020-01-01', 'b', 'c')",
        "SELECT * FROM anomaly_acknowledgement",
        "SELECT * FROM order_event",
        "DELETE FROM reconciler_anomaly_log",
    ],
)
def test_an_operator_may_acknowledge_now_and_nothing_else(operator: str, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        asyncio.run(execute(operator, statement))
