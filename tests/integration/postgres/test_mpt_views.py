"""Orders of MPTs stand in the dashboards' views as others do: their state, fills, and why they are gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from audit_tables import fetch, store, verified
from replaying import recorded

from console.replay import replay, steps
from order_events import OrderDisappeared

if TYPE_CHECKING:
    from conftest import Dsn

pytestmark = pytest.mark.stack


@pytest.mark.parametrize("name", ["mpt_lives", "mpt_mpt_both", "mpt_locked", "mpt_tiny"])
async def test_the_views_have_what_replay_says(postgres_dsn: Dsn, name: str) -> None:
    session = recorded(f"2026/{name}")
    events = [event for step in steps(session) for event in step.events]
    assert events
    await store(postgres_dsn("audit_writer"), events)

    state = await fetch(postgres_dsn(), "SELECT account, sequence, status FROM dashboard.order_state")
    lines = {(line.account, line.sequence): line for line in replay(session)}
    said = {(account, sequence): status for account, sequence, status in state}
    assert {key: said[key] for key in lines} == {key: line.status.value for key, line in lines.items()}

    ends = [event for event in events if isinstance(event, OrderDisappeared)]
    gone = await fetch(postgres_dsn(), "SELECT market, side FROM dashboard.disappearance")
    assert len(gone) == len(ends)
    assert all(market and side for market, side in gone)
    [(fills,)] = await fetch(postgres_dsn(), "SELECT count(*) FROM fill")
    assert fills >= sum(len(line.fills) for line in lines.values())
    assert (await verified(postgres_dsn())).findings == []
