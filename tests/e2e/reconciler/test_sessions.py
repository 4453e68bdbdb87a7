"""Whole sessions over the wire: node, reconciler and bus are real, and the truth is what was written down."""

from typing import Any

import pytest
from following import announce, environment, following, lines, until_followed
from nats.aio.client import Client
from nats.js import JetStreamContext
from on_the_bus import stored, stored_events
from replaying import recorded, serving
from structlog.testing import capture_logs

from console.lines import OrderLine
from order_events import (
    OrderDisappeared,
    OrderFilled,
    OrderStatus,
    ReconcilerConfirmed,
    decode,
    encode,
)
from replay_node.pace import Pace
from replay_node.session import Session

pytestmark = pytest.mark.stack

STATUSES = {
    "open": {OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED},
    "filled": {OrderStatus.FILLED},
    "canceled": {OrderStatus.CANCELED},
    "replaced": {OrderStatus.CANCELED},
    "expired": {OrderStatus.EXPIRED},
    "unfunded": {OrderStatus.REMOVED},
    "self_crossed": {OrderStatus.REMOVED},
    "rejected": {OrderStatus.REJECTED},
    "never_placed": {OrderStatus.LOST},
    "account_deleted": {OrderStatus.REMOVED},
}
READ = Pace(on_read=True)


def as_written_down(order: dict[str, Any], line: OrderLine) -> bool:
    truth = order["truth"]
    told = [{"tx": fill.tx_hash, "gave": fill.gave, "got": fill.got} for fill in line.fills]
    return (
        line.status in STATUSES[truth["state"]]
        and line.removed_by == truth["removed_by"]
        and truth["fills"] in (None, told)
    )


async def follow_all(
    client: Client, nats_url: str, session: Session, scheme: str = "ws", **settings: object
) -> None:
    async with serving(session.name, pace=READ) as node:
        url = node.url.replace("http", scheme, 1)
        async with following(environment(nats_url, node.url, session, XRPL_URLS=url, **settings)):
            await until_followed(client, session)


@pytest.mark.parametrize("scheme", ["http", "ws"])
@pytest.mark.parametrize(
    "name", ["account_deleted", "autobridged", "canceled_elsewhere", "expired_lingering", "grid_swept"]
)
async def test_every_order_ends_on_the_bus_as_its_truth_says(
    client: Client, jetstream: JetStreamContext, provisioned_nats_url: str, name: str, scheme: str
) -> None:
    session = recorded(name)
    await announce(jetstream, session)
    await follow_all(client, provisioned_nats_url, session, scheme)
    found = await lines(jetstream, session)
    both = zip(session.orders, found, strict=True)
    assert [pair for pair in both if not as_written_down(*pair)] == []


@pytest.mark.parametrize("name", ["account_deleted", "autobridged", "grid_swept"])
async def test_ledgers_read_whole_tell_the_same_truth(
    client: Client, jetstream: JetStreamContext, provisioned_nats_url: str, name: str
) -> None:
    session = recorded(name)
    await announce(jetstream, session)
    await follow_all(client, provisioned_nats_url, session, WHOLE_LEDGERS_FROM=1)
    found = await lines(jetstream, session)
    both = zip(session.orders, found, strict=True)
    assert [pair for pair in both if not as_written_down(*pair)] == []


async def test_a_disappearance_stands_in_the_stream_before_the_fill_that_belongs_to_it(
    client: Client, jetstream: JetStreamContext, provisioned_nats_url: str
) -> None:
    session = recorded("full_fill")
    await follow_all(client, provisioned_nats_url, session)
    told = [str(event.__struct_config__.tag) for event in await stored_events(jetstream)]
    assert told == ["order.accepted", "order.disappeared", "order.filled"]


async def test_fills_are_the_same_to_the_byte_when_the_bus_refuses_the_disappearances(
    client: Client, jetstream: JetStreamContext, provisioned_nats_url: str
) -> None:
    session = recorded("grid_swept")
    fills: list[list[bytes]] = []
    for refused in (False, True):
        config = (await jetstream.stream_info("ORDERS")).config
        await jetstream.purge_stream("ORDERS")
        if refused:
            everything_else = ["order.accepted.>", "order.filled.>", "order.canceled.>", "order.expired.>"]
            await jetstream.delete_stream("ORDERS")
            await jetstream.add_stream(config, subjects=everything_else)
            for bucket in ("KV_reconciler", "KV_watermark"):
                await jetstream.purge_stream(bucket)
        await follow_all(client, provisioned_nats_url, session)
        events = await stored_events(jetstream)
        assert any(isinstance(event, OrderDisappeared) for event in events) is not refused
        fills.append([encode(event) for event in events if isinstance(event, OrderFilled)])
    assert fills[0] == fills[1] != []


async def test_what_the_engine_canceled_itself_writes_no_anomaly(
    client: Client, jetstream: JetStreamContext, provisioned_nats_url: str
) -> None:
    session = recorded("canceled")
    await announce(jetstream, session)
    await follow_all(client, provisioned_nats_url, session)
    assert [event for event in await stored_events(jetstream) if isinstance(event, OrderDisappeared)] == []


async def test_two_servers_of_which_the_first_is_on_another_chain_tell_the_truth_together(
    client: Client, jetstream: JetStreamContext, provisioned_nats_url: str
) -> None:
    session = recorded("grid_swept")
    await announce(jetstream, session)
    first = session.ledgers[0].ledger_index
    async with serving("grid_swept") as liar, serving("grid_swept", pace=READ) as honest:
        urls = f"{liar.url},{honest.url}"
        variables = environment(provisioned_nats_url, liar.url, session, XRPL_URLS=urls)
        async with following(variables):
            await until_followed(client, session, first)
            liar.node.faults.change({"other_chain": True})
            liar.close_all()
            await until_followed(client, session)
    found = await lines(jetstream, session)
    assert all(as_written_down(order, line) for order, line in zip(session.orders, found, strict=True))


async def test_a_fill_that_two_servers_show_is_called_certain_on_the_bus(
    client: Client, jetstream: JetStreamContext, provisioned_nats_url: str
) -> None:
    session = recorded("full_fill")
    await announce(jetstream, session)
    async with serving("full_fill") as one, serving("full_fill") as other:
        urls = ",".join(server.url.replace("http", "ws", 1) for server in (one, other))
        async with following(environment(provisioned_nats_url, one.url, session, XRPL_URLS=urls)):
            for ledger in session.ledgers:
                await until_followed(client, session, ledger.ledger_index)
                one.node.close_ledger()
                other.node.close_ledger()
    told = [decode(payload) for payload in await stored(jetstream)]
    [fill] = [event for event in told if isinstance(event, OrderFilled)]
    certain = [
        event.confirmed_by
        for event in told
        if isinstance(event, ReconcilerConfirmed)
        and event.account == fill.account
        and event.first_ledger <= (fill.ledger_index or 0) <= (event.ledger_index or 0)
    ]
    assert [len(names) for names in certain] == [2]


async def test_a_server_that_answers_well_and_lags_is_left_for_one_that_does_not(
    client: Client, jetstream: JetStreamContext, provisioned_nats_url: str
) -> None:
    session = recorded("partial_then_expired")
    await announce(jetstream, session)
    async with serving("partial_then_expired", lag=20) as late, serving("partial_then_expired") as good:
        for _ in session.ledgers[1:]:
            late.node.close_ledger()
        good.close_all()
        urls = f"{late.url},{good.url}"
        async with following(environment(provisioned_nats_url, late.url, session, XRPL_URLS=urls)):
            await until_followed(client, session)


async def test_a_server_that_nobody_answers_for_is_named_once_and_waited_for(
    client: Client, provisioned_nats_url: str, unused_tcp_port: int
) -> None:
    session = recorded("grid_swept")
    absent = f"http://127.0.0.1:{unused_tcp_port}"
    with capture_logs() as logs:
        async with serving("grid_swept", pace=READ) as node:
            urls = f"{absent},{node.url}"
            async with following(environment(provisioned_nats_url, node.url, session, XRPL_URLS=urls)):
                await until_followed(client, session)
    problems = [line["problem"] for line in logs if line["log_level"] == "warning"]
    assert [problem for problem in problems if problem.startswith(f"{absent}: ")] == problems
    assert len(problems) == 1
