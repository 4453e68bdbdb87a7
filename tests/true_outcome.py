"""The events and states of orders that honest servers lead to, against which a run with a lie is compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from in_memory_bus import Memory
from lying_world import LyingWorld
from one_account import announced, run

from order_events import OrderDisappeared, OrderEvent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from reconciler.following.follower import Follower
    from replay_node.session import Session

Books = dict[int, tuple[object, ...]]
"""By sequence, what is committed of an order that the ledger decides."""


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """The events, states and ledger hashes that a run on an honest server leaves."""

    events: Mapping[UUID, OrderEvent]
    books: Mapping[int, Books]
    """By ledger: what is committed of the orders when that ledger is the cursor."""
    hashes: Mapping[int, str]


_TRUTHS: dict[tuple[str, str, int], Truth] = {}
"""By session, role and length."""


async def truth_of(session: Session, role: str = "maker") -> Truth:
    """Return the events and states of a run on an honest server; followed once, then kept."""
    key = session.name, role, len(session.ledgers)
    if key not in _TRUTHS:
        world = LyingWorld(session, role=role)
        books: dict[int, Books] = {}
        await world.look()
        books[world.cursor] = books_of(world.one)
        for _ in session.ledgers[1:]:
            await world.until_next_close()
            await world.look()
            books[world.cursor] = books_of(world.one)
        plain = Memory()
        plain.announcements += announced(session)
        await run(plain, session, role=role)
        _TRUTHS[key] = Truth(
            events={event.event_id: event for event in plain.stream if isinstance(event, OrderEvent)},
            books=books,
            hashes={ledger.ledger_index: ledger.header["ledger_hash"] for ledger in session.ledgers},
        )
    return _TRUTHS[key]


def books_of(one: Follower) -> Books:
    """Return the committed state of the account's orders."""
    assert one.committed is not None
    return {
        order.sequence: (order.status, order.gave, order.got, order.gets_left, order.missing)
        for order in one.committed.state.orders.values()
    }


def is_true(truth: Truth, event: OrderEvent) -> bool:
    """Whether an honest server gives the event too, and like this."""
    true = truth.events.get(event.event_id)
    return true is not None and _compared(true) == _compared(event)


def _compared(event: OrderEvent) -> OrderEvent:
    if isinstance(event, OrderDisappeared):
        return msgspec.structs.replace(event, market_context=None)
    return event
