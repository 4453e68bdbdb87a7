"""`status`, `orders`, `tail` and `doctor` against a real bus, a real database and a replay node."""

import asyncio
import io
from collections.abc import AsyncIterator
from importlib.metadata import version
from pathlib import Path

import asyncpg
import nats
import pytest
from conftest import Dsn
from following import environment, following, until_followed
from nats.aio.client import Client
from nats.js.api import DiscardPolicy
from on_the_bus import fill
from replaying import recorded, serving
from rich.console import Console
from waiting import until_found

from console.doctor.diagnosis import Deployment, diagnose
from console.doctor.findings import Finding, Health
from console.engine import engine_accounts
from console.live.bus_state import BusState, read_bus_state
from console.live.status import is_well, order_line, status_lines, waits
from console.live.tail import Wanted, tail
from order_events import encode
from order_events.subjects import order_subject

pytestmark = pytest.mark.stack

SESSION = recorded("full_fill")
ACCOUNT = engine_accounts(SESSION)[0]


@pytest.fixture
async def client(provisioned_nats_url: str) -> AsyncIterator[Client]:
    connection = await nats.connect(provisioned_nats_url)
    yield connection
    await connection.close()


async def state_of(client: Client) -> BusState:
    return await read_bus_state(client.jetstream())


def shown(state: BusState, width: int | None = None) -> str:
    return "\n".join(line.plain for line in status_lines(state, width))


async def test_a_bus_on_which_nothing_runs_says_so(client: Client) -> None:
    state = await state_of(client)
    assert not is_well(state)
    assert "no reconciler runs" in shown(state)


async def test_status_and_orders_show_what_is_open_and_the_end_of_it(
    client: Client, provisioned_nats_url: str
) -> None:
    async with serving(SESSION.name) as node:
        async with following(environment(provisioned_nats_url, node.url, SESSION)):
            node.node.close_ledger()
            well = {one.part: one.found for one in await findings(Deployment(nats_url=provisioned_nats_url))}
            assert well["reconciler"] == f"1 run, version {version('fillproof-reconciler')}"

            async def opened() -> bool:
                return any(one.open_orders for one in (await state_of(client)).accounts)

            await until_found(opened)
            [account] = (await state_of(client)).accounts
            [order] = account.open_orders
            line = order_line(order, None).plain
            assert f"order {SESSION.orders[0]['sequence']}" in line
            assert order.market in line
            node.node.close_ledger()
            for _ in SESSION.ledgers[3:]:
                node.node.close_ledger()
            await until_followed(client, SESSION)
        state = await state_of(client)
    assert state.accounts[0].open_orders == ()
    assert state.accounts[0].ledger_index == SESSION.ledgers[-1].ledger_index
    for width in (60, 80, 120):
        text = shown(state, width)
        assert ACCOUNT in text
        assert all(len(row) <= width for row in text.split("\n") if "Waits" not in row)


async def test_dead_letters_wait_for_somebody(client: Client) -> None:
    await client.jetstream().publish("dlq.audit-writer", b"{")
    assert any(one.what == "1 dead letter" for one in waits(await state_of(client)))


async def test_tail_shows_the_last_events_once_and_ends_where_it_is_told_to(
    client: Client, provisioned_nats_url: str
) -> None:
    for number in range(1, 6):
        await client.jetstream().publish(order_subject(fill(number)), encode(fill(number)))
    written = io.StringIO()
    wanted = Wanted(account=fill(1).account, last=3, follow=False, as_json=False)
    await asyncio.wait_for(tail(provisioned_nats_url, wanted, Console(file=written, width=200)), 30)
    assert written.getvalue().count("order.filled") == 3


async def findings(deployment: Deployment) -> list[Finding]:
    return [one async for one in diagnose(deployment)]


def ill(found: list[Finding]) -> list[str]:
    return [f"{one.part}: {one.found}" for one in found if one.health is Health.ILL]


async def test_the_doctor_finds_a_provisioned_deployment_well(
    provisioned_nats_url: str, postgres_dsn: Dsn, tmp_path: Path
) -> None:
    found = await findings(
        Deployment(nats_url=provisioned_nats_url, database=postgres_dsn(), data_dir=tmp_path / "data")
    )
    assert ill([one for one in found if one.part != "space"]) == []
    assert {"bus", "stream ORDERS", "audit writer of ORDERS", "database", "space", "packages"} <= {
        one.part for one in found
    }


async def test_the_doctor_names_migrations_that_lack_and_a_role_that_does_not_own_the_tables(
    postgres_dsn: Dsn,
) -> None:
    connection = await asyncpg.connect(postgres_dsn())
    for revision, said in (("0001", "migrated to 0001, expected"), ("9999", "newer than this version knows")):
        await connection.execute("UPDATE fillproof_schema_version SET version_num = $1", revision)
        assert any(said in one for one in ill(await findings(Deployment(database=postgres_dsn()))))
    await connection.close()
    reader = ill(await findings(Deployment(database=postgres_dsn("grafana_reader"))))
    assert any("role grafana_reader does not own the audit tables" in one for one in reader)


async def test_the_doctor_sees_a_stream_that_was_made_otherwise(
    client: Client, provisioned_nats_url: str
) -> None:
    config = (await client.jetstream().stream_info("DLQ")).config
    await client.jetstream().update_stream(config, discard=DiscardPolicy.OLD)
    assert ill(await findings(Deployment(nats_url=provisioned_nats_url))) == [
        "stream DLQ: made otherwise: discard"
    ]


async def test_the_doctor_counts_what_a_busy_server_turns_away() -> None:
    async with serving(SESSION.name, slow_down=1) as node:
        found = await findings(Deployment(xrpl_urls=(node.url,), accounts=(ACCOUNT,)))
    [limits] = [one for one in found if "turned away" in one.found]
    assert limits.health is Health.NOTE
    assert "load factor 1, " in limits.found
    assert ", 1 turned away" in limits.found
    assert "FILLPROOF_REQUESTS_PER_MINUTE" in limits.advice


async def test_before_the_first_start_the_doctor_names_the_steps(
    nats_url: str, empty_postgres_dsn: Dsn
) -> None:
    found = await findings(Deployment(nats_url=nats_url, database=empty_postgres_dsn()))
    advice = {one.part: one.advice for one in found if one.health is Health.ILL}
    assert "streams" in advice["streams"]
    assert "schema" in advice["database"]


async def test_the_doctor_sees_an_old_ledger_a_missing_account_and_wrong_settings() -> None:
    async with serving(SESSION.name) as node:
        deployment = Deployment(
            xrpl_urls=(node.url, "ws://[::1", "http://127.0.0.1:9"),
            accounts=(ACCOUNT, "rrrrrrrrrrrrrrrrrrrrBZbvji", "nonsense"),
        )
        found = ill(await findings(deployment))
    for words in ("newest ledger closed", "no account rrrrr", "nonsense", "can't be read", "127.0.0.1:9"):
        assert any(words in one for one in found), words


async def test_the_doctor_goes_on_where_bus_and_database_are_away() -> None:
    nobody = "127.0.0.1:9"
    found = await findings(
        Deployment(nats_url=f"nats://u:secret@{nobody}", database=f"postgresql://o:secret@{nobody}/d")
    )
    assert [one.part for one in found if one.health is Health.ILL] == ["bus", "database"]
    assert "secret" not in str(found)
