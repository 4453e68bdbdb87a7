"""Rows are held against the ledger's own transactions, and what the ledger does not say is named."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING

import msgspec
import pytest
from audit_tables import fetch, store, verified
from fillproof_command import fillproof
from replaying import recorded
from running_node import running_node

from console.replay import steps
from order_events import Amount, LiquiditySide, OrderEvent, OrderFilled, encode

if TYPE_CHECKING:
    from conftest import Dsn

pytestmark = pytest.mark.stack


def events_of(session: str) -> list[OrderEvent]:
    return list(chain.from_iterable(step.events for step in steps(recorded(session))))


def with_transaction(events: list[OrderEvent]) -> list[OrderEvent]:
    return [one for one in events if one.transaction_hash is not None]


@pytest.mark.parametrize("session", ["random_1", "crossed_then_rested", "canceled_elsewhere"])
async def test_rows_of_recorded_ledgers_are_what_the_node_says(postgres_dsn: Dsn, session: str) -> None:
    events = events_of(session)
    await store(postgres_dsn("audit_writer"), events)
    with running_node(session, closed=True) as node:
        report = await verified(postgres_dsn(), xrpl=node.url)
    held = min(100, len(with_transaction(events)))
    assert report.findings == []
    assert report.on_ledger is not None
    assert (report.on_ledger.held, report.on_ledger.unknown) == (held, 0)
    assert report.on_ledger.derived > 0


FORGED = {
    "price": Decimal(7),
    "quantity": Decimal(7),
    "filled_qty": Decimal(7),
    "leaves_qty": Decimal(7),
    "avg_px": Decimal(7),
    "market": "XRP/OTHER",
    "status": "EXPIRED",
    "occurred_at": datetime(2020, 1, 1, tzinfo=UTC),
}


async def test_every_field_that_the_ledger_decides_is_derived_again(postgres_dsn: Dsn) -> None:
    events = with_transaction(events_of("crossed_then_rested"))
    one = next(one for one in events if isinstance(one, OrderFilled))
    await store(postgres_dsn("audit_writer"), events)
    change = f"UPDATE order_event SET payload = $1::text::json WHERE event_id = '{one.event_id}' RETURNING 1"  # noqa: S608 - ours
    found = {}
    with running_node("crossed_then_rested", closed=True) as node:
        for field, value in FORGED.items():
            forged = msgspec.structs.replace(one, **{field: value})
            await fetch(postgres_dsn(), change, encode(forged).decode())
            report = await verified(postgres_dsn(), xrpl=node.url)
            [found[field]] = [
                finding.detail.partition(":")[0]
                for finding in report.findings
                if finding.what == "unlike the ledger"
            ]
    assert found == {field: field for field in FORGED}


async def test_what_the_ledger_does_not_say_is_named(postgres_dsn: Dsn) -> None:
    events = with_transaction(events_of("crossed_then_rested"))
    taken, made = (
        next(one for one in events if isinstance(one, OrderFilled) and one.liquidity_side is side)
        for side in (LiquiditySide.TAKER, LiquiditySide.MAKER)
    )
    more = Amount(made.gave.asset, made.gave.value + 1)
    less = Amount(taken.got.asset, taken.got.value - Decimal("0.1"))
    other = next(one for one in events if one not in (taken, made))
    replace = msgspec.structs.replace
    forged = {
        "gave: stored": replace(made, gave=more),
        "got: stored": replace(taken, got=less),
        "ledger: stored": replace(other, ledger_index=7),
    }
    await store(postgres_dsn("audit_writer"), list(forged.values()))
    with running_node("crossed_then_rested", closed=True) as node:
        report = await verified(postgres_dsn(), xrpl=node.url)
    said = {str(one.event_id): text for text, one in forged.items()}
    assert len(report.findings) == len(forged)
    for finding in report.findings:
        assert finding.what == "unlike the ledger"
        assert finding.detail.startswith(said[finding.event_id or ""])


async def test_a_transaction_that_the_node_lacks_proves_nothing(postgres_dsn: Dsn) -> None:
    events = with_transaction(events_of("full_fill"))
    await store(postgres_dsn("audit_writer"), events)
    with running_node("canceled_elsewhere", closed=True) as node:
        options = ("--database", postgres_dsn(), "--xrpl", node.url, "--sample", "2")
        done = await asyncio.to_thread(fillproof, "verify", *options)
    assert done.returncode == 0
    assert "0 rows held against the ledger, 2 of transactions that the node does not have" in done.stdout
    assert "0 orders derived again" in done.stdout
    assert "1 could not be" in done.stdout
    done = await asyncio.to_thread(fillproof, "verify", *options)
    assert done.returncode == 2
    assert "expected an XRP Ledger node that answers" in done.stderr
