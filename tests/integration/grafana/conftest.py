"""An audit database with the events of every recorded session whose truth is written down in full."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import pytest
from as_grafana import ask
from audit_tables import rows
from grafana_macros import View
from truths import SCRIPTED

from audit_writer.adapters.database import PostgresStore
from console.replay import steps
from console.sessions import find_session
from offer_lifecycle import parse_amount, units
from order_events import MarketContext, OrderDisappeared, OrderEvent, OrdersEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from conftest import Dsn

    from local_stack import LocalStack
    from replay_node.session import Session

ANOMALIES = {"unfunded", "self_crossed", "never_placed", "account_deleted"}
MID = Decimal("0.499")
"""Of every market: the recordings say nothing of it."""


class Fill(NamedTuple):
    """A trade of the truth."""

    market: str
    taker: bool
    value: Decimal
    """In the market's quote."""


class Truth:
    """What the script that made the sessions wrote down, not derived from metadata."""

    def __init__(self, sessions: Sequence[Session]) -> None:
        self.orders = [(session, order) for session in sessions for order in session.orders]

    def ended(self) -> Counter[str]:
        """Count the orders that are not open, by the truth's word for how they ended."""
        return Counter(
            order["truth"]["state"] for _, order in self.orders if order["truth"]["state"] != "open"
        )

    def anomalies(self, state: str | None = None) -> list[tuple[str, int, str | None, str | None]]:
        """Return (session, sequence, removing transaction, its sender) of each anomaly."""
        return sorted(
            (
                session.name,
                order["sequence"],
                removed_by := order["truth"]["removed_by"],
                _sender(session, removed_by),
            )
            for session, order in self.orders
            if _is_anomaly(order) and state in {None, order["truth"]["state"]}
        )

    def fills(self) -> list[Fill]:
        return [_fill(order, fill) for _, order in self.orders for fill in order["truth"]["fills"]]


def _is_anomaly(order: dict[str, Any]) -> bool:
    state = order["truth"]["state"]
    foreign = state == "canceled" and order["cancel_tx"] is None and order["flags"] == 0
    return state in ANOMALIES or foreign


def _sender(session: Session, name: str | None) -> str | None:
    sent = {tx["hash"]: str(tx["Account"]) for ledger in session.ledgers for tx in ledger.transactions}
    return None if name is None else sent[name]


def _fill(order: dict[str, Any], fill: dict[str, Any]) -> Fill:
    gets, pays = parse_amount(order["taker_gets"]), parse_amount(order["taker_pays"])
    sells = gets.asset == "XRP" or (pays.asset != "XRP" and gets.asset < pays.asset)
    base, quote = (gets.asset, pays.asset) if sells else (pays.asset, gets.asset)
    quoted = Decimal(fill["got"] if sells else fill["gave"])
    amount = msgspec.structs.replace(pays if sells else gets, value=quoted)
    return Fill(market=f"{base}/{quote}", taker=fill["tx"] == order["placed_tx"], value=units(amount))


class Audit:
    """The database as Grafana sees it."""

    def __init__(
        self, dsn: Callable[..., str], sessions: Sequence[Session], events: Sequence[OrderEvent]
    ) -> None:
        self.dsn = dsn
        self.truth = Truth(sessions)
        self.sessions = sessions
        self.events = events
        times = [event.occurred_at for event in events]
        hour = timedelta(hours=1)
        self.view = View(min(times) - hour, max(times) + hour)

    def ask(self, query: str, view: View | None = None) -> list[dict[str, Any]]:
        """Run a query of Grafana's as its role, and return the rows by column."""
        return ask(self.dsn("grafana_reader"), query, view or self.view)

    def write(self, events: Sequence[OrdersEvent]) -> None:
        """Write events as the audit writer does."""
        asyncio.run(_write(self.dsn("audit_writer"), events))


async def _write(dsn: str, events: Sequence[OrdersEvent]) -> None:
    async with PostgresStore(dsn) as store:
        await store.write(rows(events))


def _told(session: Session) -> Iterator[OrderEvent]:
    for step in steps(session):
        for event in step.events:
            if isinstance(event, OrderDisappeared) and event.price is not None:
                distance = (event.price - MID) / MID * 10_000
                context = MarketContext(ledger_index=0, mid_price=MID, distance_bps=distance)
                yield msgspec.structs.replace(event, market_context=context)
            else:
                yield event


@pytest.fixture(scope="session")
def recorded_sessions() -> list[tuple[Session, list[OrderEvent]]]:
    """Return the sessions whose truth leaves nothing open, each with its events."""
    found = [find_session(name).session for name in SCRIPTED]
    known = [
        session for session in found if all(order["truth"]["fills"] is not None for order in session.orders)
    ]
    return [(session, list(_told(session))) for session in known]


@pytest.fixture(scope="module")
def audit(
    stack: LocalStack, migrated: str, recorded_sessions: list[tuple[Session, list[OrderEvent]]]
) -> Iterator[Audit]:
    """Give a database that the tests of a module only read."""
    name = f"test_{uuid.uuid4().hex}"
    stack.create_database(name, template=migrated)
    sessions = [session for session, _ in recorded_sessions]
    events = [event for _, told in recorded_sessions for event in told]
    filled = Audit(lambda role="owner": stack.postgres_dsn(role, name), sessions, events)
    filled.write(events)
    yield filled
    stack.drop_database(name)


@pytest.fixture
def empty_audit(postgres_dsn: Dsn, recorded_sessions: list[tuple[Session, list[OrderEvent]]]) -> Audit:
    """Give a database of the test's own with nothing in it, and the sessions to fill it from."""
    sessions = [session for session, _ in recorded_sessions]
    return Audit(postgres_dsn, sessions, [event for _, told in recorded_sessions for event in told])
