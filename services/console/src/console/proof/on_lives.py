"""Events derived again by the kernel from their orders' lives on the ledger, and every field compared."""

from collections.abc import Callable, Iterable

import asyncpg

from console.explain.history import read_back
from console.explain.life import follow
from console.proof.chain import Break, Finding
from console.proof.from_proofs import differences
from console.proof.on_ledger import OnLedger
from console.proof.tables import order_events, sql
from ledger_client import LedgerServer, server_status
from order_events import OrderAccepted, OrderEvent


async def derive_again(
    connection: asyncpg.Connection,
    server: LedgerServer,
    events: Iterable[OrderEvent],
    result: OnLedger,
    advance: Callable[[int], None],
) -> list[Finding]:
    """Tell of each event of these events' orders that is not what the kernel makes of the order's life.

    What the server has no history of is not compared, and no order that was adopted while it rested: its
    events count from then on. The counts go to `result`.

    Raises:
        ServerError: as every question to the server.
        asyncpg.PostgresError: as every question to the database.

    """
    findings: list[Finding] = []
    status = await server_status(server)
    for account, sequence in dict.fromkeys((event.account, event.sequence) for event in events):
        advance(1)
        rows = await connection.fetch(sql("events_of_order"), account, sequence)
        stored = order_events(row["payload"] for row in rows)
        if any(_begins_midway(event) for event in stored):
            result.not_derived += 1
            continue
        history = await read_back(server, account, sequence, status.validated, lambda *_: None)
        if history.placed is None:
            result.not_derived += 1
            continue
        life = await follow(server, account, sequence, history, status)
        made = [event for touch in life.touches for event in touch.events]
        result.derived += 1
        findings += [
            Finding(
                what=Break.UNLIKE_LEDGER,
                table="order_event",
                ledger_index=one.event.ledger_index,
                event_id=str(one.event.event_id),
                detail=one.detail,
            )
            for one in differences(stored, made, said_by="the ledger says")
        ]
    return findings


def _begins_midway(event: OrderEvent) -> bool:
    """Whether the order was adopted while it rested, or a part of its history was never read."""
    adopted = isinstance(event, OrderAccepted) and event.transaction_hash is None
    return adopted or bool(event.missing_transactions)
