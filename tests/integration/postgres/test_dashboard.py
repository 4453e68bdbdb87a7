"""What the tables and the dashboard's views say of events, whatever the order in which they came."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest
from audit_tables import broken, rows
from extreme_announcements import events_of, extremes, followed
from sample_events import ANOMALY, SAMPLES, event, sample

from audit_writer.adapters.database import PostgresStore
from audit_writer.ports import Rows
from order_events import Correction, OrderEvent, OrderStatus, RemovalReason, encode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from conftest import Dsn

pytestmark = pytest.mark.stack


class Audit:
    """The tables, written as the writer and read as the owner."""

    def __init__(self, store: PostgresStore, connection: asyncpg.Connection) -> None:
        self._store = store
        self.connection = connection

    async def store(self, events: Sequence[OrderEvent]) -> int:
        return await self._store.write(rows(events))

    async def store_payload(self, payload: str) -> int:
        return await self._store.write(Rows(events=(payload,), fills=(), anomalies=()))


@pytest.fixture
async def audit(postgres_dsn: Dsn) -> AsyncIterator[Audit]:
    connection = await asyncpg.connect(postgres_dsn())
    async with PostgresStore(postgres_dsn("audit_writer")) as store:
        yield Audit(store, connection)
    await connection.close()


async def test_the_rows_say_what_the_events_say(audit: Audit) -> None:
    names = sorted(path.stem for path in SAMPLES.glob("order.*.json"))
    samples = [event(name, number) for number, name in enumerate(names, 1)]
    assert await audit.store(samples) == len(samples)
    assert await audit.store(samples) == 0
    stored = await audit.connection.fetch("SELECT event_id, payload FROM order_event")
    assert {row["event_id"]: json.loads(row["payload"]) for row in stored} == {
        one.event_id: json.loads(encode(one)) for one in samples
    }
    fill = await audit.connection.fetchrow("SELECT * FROM dashboard.order_fill")
    assert fill is not None
    amounts = [fill[name] for name in ("last_qty", "last_px", "gave", "got")]
    assert amounts == [Decimal(40), Decimal("0.5"), Decimal(40_000_000), Decimal(20)]
    assert (fill["gave_asset"], fill["side"], fill["liquidity_side"]) == ("XRP", "SELL", "MAKER")


async def test_whatever_an_engine_may_announce_can_be_stored_shown_and_verified(
    audit: Audit, postgres_dsn: Dsn
) -> None:
    state = followed()
    announced = list(extremes())
    for one in announced:
        state.announce(one)
    told = events_of(state)
    assert len(told) == len(announced)
    assert await audit.store(told) == len(told)
    for view in ("order_state", "disappearance", "open_anomaly", "anomaly"):
        shown = await audit.connection.fetch(f"SELECT * FROM dashboard.{view}")  # noqa: S608 - our own names
        assert len(shown) == len(announced), view
    assert await broken(postgres_dsn()) == []


async def test_an_anomaly_says_where_the_market_was_and_null_where_nobody_knows(audit: Audit) -> None:
    ordinary = event(ANOMALY, 9, anomaly=False)
    await audit.store([event(ANOMALY, 7), event("order.disappeared.lost", 8), ordinary])
    found = await audit.connection.fetch(
        "SELECT sequence, detected_at, removal_reason, action_taken, remaining, mid_price, distance_bps"
        " FROM dashboard.open_anomaly ORDER BY sequence"
    )
    canceled, lost = sample(ANOMALY).occurred_at, sample("order.disappeared.lost").occurred_at
    distance = Decimal("20.04008016032064128256513026052104")
    assert [tuple(row) for row in found] == [
        (7, canceled, "CANCELED", "closed", Decimal(100), Decimal("0.499"), distance),
        (8, lost, "UNKNOWN", "held", Decimal(100), None, None),
    ]


def at(ledger: int, index: int = 0) -> dict[str, Any]:
    """A transaction."""
    name = f"{ledger:032X}{index:032X}"
    return {"ledger_index": ledger, "transaction_index": index, "transaction_hash": name}


def told(name: str, **fields: Any) -> OrderEvent:  # noqa: ANN401 - fields of any type
    """Return an event about the one order of a story."""
    return event(name, 1, account="rPCLzUmkstqY8GTYhVW4LUVxr1ic25J3GX", **fields)


LATER = datetime(2027, 1, 1, tzinfo=UTC)
PART = {"status": OrderStatus.PARTIALLY_FILLED}
DONE = {"status": OrderStatus.FILLED, "removal_reason": RemovalReason.FILLED}
ACCEPTED = told("order.accepted", **at(10))
SWEPT = told("order.expired", **at(30))
LISTED = told("order.expired.listed")
LOST = told("order.disappeared.lost", ledger_index=20)
GIVEN_UP = told("order.disappeared.in_a_gap", ledger_index=20)
FILLED = told("order.filled", **DONE, **at(30))
BY = at(15)["transaction_hash"]


def corrected(other: OrderEvent, **fields: Any) -> OrderEvent:  # noqa: ANN401 - fields of any type
    """Return a correction of another event, as of ledger 40."""
    return told("order.corrected", **{"ledger_index": 40, "corrects": other.event_id, **fields})


STORIES = {
    "accepted": ([ACCEPTED], "order.accepted", "ACCEPTED", False),
    "traded on the way in: the acceptance says as much and is the last word": (
        [told("order.filled", **PART, **at(10)), told("order.accepted", **PART, **at(10))],
        "order.accepted",
        "PARTIALLY_FILLED",
        False,
    ),
    "filled in two transactions of one ledger": (
        [
            ACCEPTED,
            told("order.filled", **PART, **at(10, 2)),
            told("order.filled", **DONE, **at(10, 10)),
        ],
        "order.filled",
        "FILLED",
        False,
    ),
    "partly filled, then canceled by a stranger: the disappearance says most": (
        [
            told("order.filled", **PART, **at(11)),
            told("order.canceled", **at(12)),
            told(ANOMALY, **at(12)),
        ],
        ANOMALY,
        "CANCELED",
        True,
    ),
    "past its Expiration and still listed": ([ACCEPTED, LISTED], "order.expired", "EXPIRED", False),
    "swept away after that": ([ACCEPTED, LISTED, SWEPT], "order.expired", "EXPIRED", False),
    "canceled after its Expiration had passed": (
        [ACCEPTED, LISTED, told("order.canceled", **at(25))],
        "order.canceled",
        "CANCELED",
        False,
    ),
    "lost": ([ACCEPTED, LOST], ANOMALY, "LOST", True),
    "lost, then explained by older history": (
        [LOST, ACCEPTED, told("order.filled", **DONE, **at(15))],
        "order.filled",
        "FILLED",
        False,
    ),
    "lost, then a part of its history": (
        [LOST, ACCEPTED, told("order.filled", **PART, **at(25))],
        ANOMALY,
        "LOST",
        True,
    ),
    "lost, then past its Expiration": (
        [told("order.disappeared.lost", ledger_index=20, occurred_at=LATER), LISTED],
        "order.expired",
        "EXPIRED",
        False,
    ),
    "lost in a gap, then read after all": (
        [GIVEN_UP, told("order.filled", **DONE, **at(15)), corrected(GIVEN_UP, **DONE, removed_by=BY)],
        "order.corrected",
        "FILLED",
        False,
    ),
    "filled with a part of it not read, which was read after all": (
        [ACCEPTED, FILLED, corrected(FILLED, **DONE, removed_by=BY, correction=Correction.AMENDED)],
        "order.corrected",
        "FILLED",
        False,
    ),
    "still working, corrected at the end of the ledger of its last fill": (
        [
            told("order.filled", **PART, **at(40, 9)),
            corrected(FILLED, **PART, removal_reason=None, removed_by=None),
        ],
        "order.corrected",
        "PARTIALLY_FILLED",
        False,
    ),
    "rejected": ([told("order.rejected")], "order.rejected", "REJECTED", False),
}


@pytest.mark.parametrize("story", STORIES)
async def test_an_order_stands_where_its_best_evidence_says(audit: Audit, story: str) -> None:
    events, event_type, status, anomaly = STORIES[story]
    answers = set()
    for arrival in itertools.permutations(events):
        async with audit.connection.transaction():
            await audit.connection.execute("TRUNCATE order_event, fill, reconciler_anomaly_log")
        for one in arrival:
            await audit.store([one])
        found = await audit.connection.fetch("SELECT * FROM dashboard.order_state")
        assert len(found) == 1
        answers.add(tuple(found[0][name] for name in ("event_type", "status", "anomaly", "event_id")))
    assert [answer[:3] for answer in answers] == [(event_type, status, anomaly)]


async def test_a_removing_transaction_is_told_once_it_is_known(audit: Audit) -> None:
    await audit.store([SWEPT, LISTED])
    row = await audit.connection.fetchrow("SELECT removed_by, removal_reason FROM dashboard.order_state")
    assert row is not None
    assert tuple(row) == (SWEPT.removed_by, "EXPIRED")


async def test_orders_of_two_networks_or_accounts_are_not_taken_for_one(audit: Audit) -> None:
    other_account = event("order.accepted", 1, account="rsANNSnh59JyuGFaKtNp1Jm41Jb49ZrGdM")
    await audit.store([ACCEPTED, told("order.accepted", network_id=1), other_account])
    assert await audit.connection.fetchval("SELECT count(*) FROM dashboard.order_state") == 3


async def test_an_anomaly_that_was_none_is_open_no_more_and_one_that_stands_is(audit: Audit) -> None:
    async def open_ones() -> list[int]:
        return [row[0] for row in await audit.connection.fetch("SELECT sequence FROM dashboard.open_anomaly")]

    unexplained = event(ANOMALY, 2, removal_reason=RemovalReason.UNEXPLAINED, **at(30))
    explained = event(
        "order.corrected", 2, corrects=unexplained.event_id, anomaly=True, correction=Correction.AMENDED
    )
    await audit.store([GIVEN_UP, unexplained])
    assert sorted(await open_ones()) == [1, 2]
    await audit.store([explained])
    assert sorted(await open_ones()) == [1, 2]
    await audit.store([corrected(GIVEN_UP, correction=Correction.WITHDRAWN, status=OrderStatus.LOST)])
    assert await open_ones() == [2]


@pytest.mark.parametrize(("stands", "still_open"), [(True, 1), (False, 0)])
async def test_a_correction_of_version_1_answers_as_it_did(
    audit: Audit, *, stands: bool, still_open: int
) -> None:
    correction = json.loads(encode(corrected(GIVEN_UP, status=OrderStatus.LOST)))
    del correction["correction"]
    payload = json.dumps(correction | {"version": 1, "stands": stands})
    await audit.store([GIVEN_UP])
    await audit.store_payload(payload)
    assert await audit.connection.fetchval("SELECT count(*) FROM dashboard.open_anomaly") == still_open
