"""Events by month: no row is refused for its date, none is lost when a month is made."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import asyncpg
import msgspec
import pytest
from audit_tables import broken, execute, fetch, store, verified
from sample_events import event, mixed
from signed_log import KEYS
from waiting import until_found

from audit_log import write_signing_key
from audit_writer.maintain import maintain_daily, maintain_patiently
from audit_writer.settings import MaintenanceSettings
from console.proof.chain import Trust

if TYPE_CHECKING:
    from conftest import Dsn

    from order_events import OrderEvent

pytestmark = pytest.mark.stack

MONTHS = (
    "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid"
    " WHERE inhparent = 'order_event'::regclass ORDER BY 1"
)
PLACES = "SELECT tableoid::regclass::text, count(*) FROM order_event GROUP BY 1 ORDER BY 1"
NOW = datetime.now(UTC)
RETENTION = {
    "FILLPROOF_RETENTION_MONTHS": "3",
    "FILLPROOF_OPERATOR_SIGNING_KEY": write_signing_key("mia", b"o" * 32),
}


def month(moment: datetime) -> str:
    return f"order_event_{moment:%Y_%m}"


def months_from_now(count: int) -> datetime:
    number = NOW.year * 12 + NOW.month - 1 + count
    return datetime(number // 12, number % 12 + 1, 15, tzinfo=UTC)


def dated(sequence: int, moment: datetime) -> OrderEvent:
    return event("order.canceled", sequence, occurred_at=moment, transaction_hash=f"{sequence:064X}")


async def maintain(owner: str, **settings: str) -> tuple[int | None, str]:
    step = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "audit_writer.maintain"),
        env=os.environ | {"FILLPROOF_OWNER_DATABASE_URL": owner} | settings,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await step.communicate()
    return step.returncode, output.decode()


async def test_this_month_and_the_next_two_are_there_from_the_start(postgres_dsn: Dsn) -> None:
    names = [name for (name,) in await fetch(postgres_dsn(), MONTHS)]
    assert names == [*(month(months_from_now(ahead)) for ahead in range(3)), "order_event_default"]


async def test_no_row_is_refused_for_its_date_and_each_moves_to_its_month(postgres_dsn: Dsn) -> None:
    moments = [NOW, months_from_now(-30), months_from_now(-30), datetime(2013, 1, 1, tzinfo=UTC)]
    moments += [datetime(2099, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)]
    events = [dated(number, moment) for number, moment in enumerate(moments)]
    assert await store(postgres_dsn("audit_writer"), events) == len(events)
    assert dict(await fetch(postgres_dsn(), PLACES)) == {month(NOW): 1, "order_event_default": 4}
    made = [month(moments[3]), month(moments[1]), month(moments[4])]
    assert await maintain(postgres_dsn()) == (0, "".join(f"made {name}\n" for name in made))
    assert dict(await fetch(postgres_dsn(), PLACES)) == {
        made[0]: 1,
        made[1]: 2,
        month(NOW): 1,
        made[2]: 1,
    }
    assert await store(postgres_dsn("audit_writer"), events) == 0
    assert await broken(postgres_dsn()) == []


async def test_several_steps_at_once_while_events_arrive_lose_nothing(postgres_dsn: Dsn) -> None:
    events = [dated(number, months_from_now(-number % 7)) for number in range(300)]
    batches = [events[at : at + 10] for at in range(0, 300, 10)]
    steps = (maintain(postgres_dsn(), FILLPROOF_MONTHS_AHEAD="4") for _ in range(2))
    written, *results = await asyncio.gather(store(postgres_dsn("audit_writer"), *batches), *steps)
    assert (written, [status for status, _ in results]) == (300, [0, 0]), results
    assert await fetch(postgres_dsn(), "SELECT count(*) FROM order_event") == [(300,)]
    assert await maintain(postgres_dsn(), FILLPROOF_MONTHS_AHEAD="4") == (0, "")


async def test_a_reader_idle_in_a_transaction_holds_up_no_month_and_no_writer(postgres_dsn: Dsn) -> None:
    """It has lifted its own limits, and holds every partition; the dashboards never do that."""
    unlimited = {"idle_in_transaction_session_timeout": "0", "statement_timeout": "0"}
    reader = await asyncpg.connect(postgres_dsn("grafana_reader"), server_settings=unlimited)
    await reader.execute("BEGIN")
    await reader.fetch("SELECT * FROM dashboard.order_state")
    batches = [[dated(number, months_from_now(-5))] for number in range(20)]
    written, (status, output) = await asyncio.gather(
        store(postgres_dsn("audit_writer"), *batches), maintain(postgres_dsn(), FILLPROOF_MONTHS_AHEAD="4")
    )
    assert (written, status, f"made {month(months_from_now(4))}" in output) == (20, 0, True), output
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
        await reader.fetch("SELECT 1")
    reader.terminate()
    assert await broken(postgres_dsn()) == []


async def test_retention_drops_whole_months_and_the_chain_says_so(postgres_dsn: Dsn) -> None:
    old, kept = months_from_now(-4), months_from_now(-3)
    fill = event("order.filled", 7, occurred_at=old)
    writer = postgres_dsn("audit_writer")
    await store(writer, [dated(1, old), dated(2, kept), fill], [dated(3, NOW)])
    noted = (await verified(postgres_dsn())).head
    status, output = await maintain(postgres_dsn(), **RETENTION)
    assert (status, f"dropped {month(old)}\n" in output, month(kept) in output) == (0, True, True)
    assert await fetch(postgres_dsn(), "SELECT sequence FROM order_event ORDER BY 1") == [(2,), (3,)]
    report = await verified(postgres_dsn(), trust=Trust(heads=[noted], keys=KEYS))
    assert (report.findings, report.counts.events, report.counts.dropped) == ([], 2, 2)
    assert report.counts.fills == 1
    # what somebody drops by hand is told from it
    await execute(postgres_dsn(), f"DROP TABLE {month(kept)}")
    report = await verified(postgres_dsn(), trust=Trust(keys=KEYS))
    assert [(str(one.what), one.table, one.batch) for one in report.findings] == [
        ("missing", "order_event", 1)
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [("RETENTION_MONTHS", "0"), ("OWNER_DATABASE_URL", "mysql://there")],
)
async def test_a_wrong_setting_ends_the_step_with_a_clear_error(
    postgres_dsn: Dsn, name: str, value: str
) -> None:
    status, output = await maintain(postgres_dsn(), **{f"FILLPROOF_{name}": value})
    assert (status, output.startswith(f"FILLPROOF_{name}: "), "Traceback" in output) == (2, True, False)


async def test_a_database_that_refuses_changes_nothing_and_is_named(postgres_dsn: Dsn) -> None:
    status, output = await maintain(postgres_dsn("audit_writer"))
    assert status == 1
    assert (
        output
        == "the months of order_event are as they were: permission denied for function ensure_partitions\n"
    )


async def test_an_acceptance_told_at_two_times_is_stored_once(postgres_dsn: Dsn) -> None:
    """It is named without a transaction: adopted at one ledger, read from older history at another."""
    writer = postgres_dsn("audit_writer")
    adopted = event("order.accepted", 1, transaction_hash=None, occurred_at=NOW)
    placed = event("order.accepted", 1, occurred_at=months_from_now(-2))
    placed = msgspec.structs.replace(placed, event_id=adopted.event_id)
    assert await store(writer, [adopted], [placed]) == 1
    lost = [
        event("order.disappeared.lost", 2, occurred_at=NOW - timedelta(days=days)) for days in (0, 40, 41)
    ]
    assert await store(writer, lost) == 1
    assert await fetch(postgres_dsn(), "SELECT count(*), count(DISTINCT event_id) FROM order_event") == [
        (2, 2)
    ]
    assert await broken(postgres_dsn()) == []


async def test_an_orders_events_are_found_by_an_index_in_every_month(postgres_dsn: Dsn) -> None:
    await store(postgres_dsn("audit_writer"), mixed(200))
    connection = await asyncpg.connect(postgres_dsn())
    await connection.execute("SET enable_seqscan = off")
    query = "SELECT * FROM dashboard.order_state WHERE account = 'rX' AND sequence = 7"
    plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {query}"))
    await connection.close()
    assert "Seq Scan" not in plan
    assert "(account = 'rX'::text) AND (sequence = 7)" in plan


async def test_the_daily_step_goes_on_after_one_that_failed_and_makes_what_is_missing_each_time(
    postgres_dsn: Dsn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failures = [OSError("no database")]

    async def failing_once(settings: MaintenanceSettings) -> tuple[list[str], list[str]]:
        if failures:
            raise failures.pop()
        return await maintain_patiently(settings)

    monkeypatch.setattr("audit_writer.maintain.maintain_patiently", failing_once)
    settings = MaintenanceSettings.model_validate({"owner_database_url": postgres_dsn()})
    last = month(months_from_now(2))

    async def made() -> bool:
        return (last,) in [tuple(row) for row in await fetch(postgres_dsn(), MONTHS)]

    daily = asyncio.create_task(maintain_daily(settings, pause_seconds=0.05))
    for _ in range(2):
        await execute(postgres_dsn(), f"DROP TABLE {last}")
        await until_found(made)
    daily.cancel()
    said = capsys.readouterr()
    assert said.err == "the months of order_event are as they were: no database\n"
    assert said.out == f"made {last}\n" * 2
