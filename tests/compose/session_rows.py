"""The rows that a session must end with, and the rows that there are."""

import asyncio
from decimal import Context

import asyncpg
import msgspec
from deployment import Deployment
from on_the_bus import stored_events as told_events
from replaying import recorded
from waiting import limit

from console.lines import MissingOrder, OrderLine, order_lines
from console.replay import replay
from console.store import stored_anomalies, stored_events
from order_events import OrderFilled
from service_kit.connection import connect

SESSION = recorded("random_1")
PACE = 0.15
"""Seconds a ledger: the session takes a quarter of a minute."""
EXPECTED = list(replay(SESSION))
FILLS = sum(len(line.fills) for line in EXPECTED)
LAST = SESSION.ledgers[-1].ledger_index
_NETWORK = 0
_PAUSE_SECONDS = 0.5


async def rows(dsn: str) -> list[OrderLine]:
    """Return what PostgreSQL says became of the session's orders; nothing before it knows all of them."""
    events = await stored_events(dsn, _NETWORK)
    anomalies = await stored_anomalies(dsn, _NETWORK)
    try:
        lines = list(order_lines(SESSION.name, SESSION.orders, events))
    except MissingOrder:
        return []
    return [
        msgspec.structs.replace(line, anomaly=(line.account, line.sequence) in anomalies) for line in lines
    ]


async def until_rows_are_as_replayed(deployment: Deployment, *, digits: int | None = None) -> None:
    """Wait for the rows that `fillproof replay` computes; in the end show what differs.

    Args:
        deployment: whose PostgreSQL is read.
        digits: how many digits of an amount are compared; by default all.

    """
    expected = rounded(EXPECTED, digits)
    found: list[OrderLine] = []
    try:
        async with asyncio.timeout(limit()):
            while found != expected:
                found = rounded(await rows(deployment.dsn()), digits)
                await asyncio.sleep(_PAUSE_SECONDS)
    except TimeoutError:
        assert found == expected
    assert await doubled(deployment.dsn()) == 0


def rounded(lines: list[OrderLine], digits: int | None) -> list[OrderLine]:
    """Return the lines with the fills' amounts rounded to that many digits."""
    if digits is None:
        return lines
    context = Context(prec=digits)

    def amount(text: str) -> str:
        return str(context.create_decimal(text).normalize())

    return [
        msgspec.structs.replace(
            line,
            fills=[
                msgspec.structs.replace(fill, gave=amount(fill.gave), got=amount(fill.got))
                for fill in line.fills
            ],
        )
        for line in lines
    ]


async def doubled(dsn: str) -> int:
    """Return how many events are stored more than once."""
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval("SELECT count(*) - count(DISTINCT event_id) FROM order_event"))
    finally:
        await connection.close()


async def until_fills_are_told(deployment: Deployment) -> None:
    """Wait until every fill of the session stands on the bus, each once."""
    async with asyncio.timeout(limit()):
        while len(told := await fills_told(deployment)) < FILLS:  # noqa: ASYNC110 - nobody announces it
            await asyncio.sleep(_PAUSE_SECONDS)
    assert len(told) == len(set(told)) == FILLS


async def fills_told(deployment: Deployment) -> list[tuple[str, int, str]]:
    """Return the fills on the bus: account, order, transaction."""
    client = await connect(deployment.nats_url())
    try:
        events = await told_events(client.jetstream())
    finally:
        await client.close()
    return [
        (event.account, event.sequence, str(event.transaction_hash))
        for event in events
        if isinstance(event, OrderFilled)
    ]
