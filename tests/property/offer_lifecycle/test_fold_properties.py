"""What holds for every history of an order, made up by chance."""

import random
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import made_ledger as made
from forward import assert_forward
from hypothesis import given
from hypothesis import strategies as st
from made_ledger import OWNER, header, offer, root, state, submitted, tx, usd
from recorded_history import kept

from offer_lifecycle import (
    AccountState,
    LedgerFacts,
    fold_ledger,
    read_transaction,
    sort_transactions,
)
from order_events import Amount, OrderEvent, OrderFilled, OrderStatus

PLACED_DROPS = 10_000_000
DOUBLED = 0.3
"""The share of transactions that arrive twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """An order's life: partial fills (drops each), the ledgers they fall in, and how it ends."""

    fills: list[int]
    same_ledger: list[bool]
    end: str | None
    idle: list[int]
    """Ledgers without transactions that somebody looks at."""


@st.composite
def histories(draw: st.DrawFn) -> History:
    fills = draw(st.lists(st.integers(1, PLACED_DROPS // 10), max_size=8))
    return History(
        fills=fills,
        same_ledger=draw(st.lists(st.booleans(), min_size=len(fills) + 1, max_size=len(fills) + 1)),
        end=draw(st.sampled_from(["filled", "canceled", "deleted", None])),
        idle=draw(st.lists(st.integers(102, 139), unique=True)),
    )


def ledgers_of(history: History) -> dict[int, list[made.Raw]]:
    """Write the history down as ledgers: {index: transactions}."""
    placed = [offer("CreatedNode", 9, str(PLACED_DROPS), usd("5")), root(49_999_988, before=50_000_000)]
    placing = tx("OfferCreate", placed, account=OWNER, sequence=9, name="PLACED")
    placing |= {"TakerGets": str(PLACED_DROPS), "TakerPays": usd("5")}
    ledgers: dict[int, list[made.Raw]] = {101: [placing]}
    index, left, previous = 102, PLACED_DROPS, "PLACED"
    for number, drops in enumerate(history.fills):
        index += 0 if history.same_ledger[number] else 3
        node = offer(
            "ModifiedNode", 9, str(left - drops), price(left - drops), before=before(left), previous=previous
        )
        left, previous = left - drops, f"F{number}"
        of_ledger = ledgers.setdefault(index, [])
        of_ledger.append(tx("OfferCreate", [node], name=previous, index=len(of_ledger)))
    index += 0 if history.same_ledger[-1] else 3
    if history.end is not None:
        of_ledger = ledgers.setdefault(index, [])
        of_ledger.append({**ending(history.end, left, previous), "hash": "END"})
        of_ledger[-1]["metaData"]["TransactionIndex"] = len(of_ledger) - 1
    return ledgers


def price(drops: int) -> made.Raw:
    return usd(str(Decimal(drops) / 2_000_000))


def before(drops: int) -> dict[str, Any]:
    return {"TakerGets": str(drops), "TakerPays": price(drops)}


def ending(end: str, left: int, previous: str) -> made.Raw:
    if end == "filled":
        gone = offer("DeletedNode", 9, "0", usd("0"), before=before(left), previous=previous)
        return tx("OfferCreate", [gone])
    gone = offer("DeletedNode", 9, str(left), price(left), previous=previous)
    kind = "OfferCancel" if end == "canceled" else "AccountDelete"
    return tx(kind, [gone], account=OWNER, sequence=10, OfferSequence=9)


def begun() -> AccountState:
    account = state()
    account.announce(
        submitted(9, Amount("XRP", Decimal(PLACED_DROPS)), Amount(made.USD, Decimal(5)), client_order_id="c")
    )
    return account


def facts_of(history: History, *, looked_at: list[int]) -> list[LedgerFacts]:
    """Return the history's ledgers, and the idle ones that are looked at."""
    ledgers = ledgers_of(history)
    return [
        LedgerFacts(
            header=header(index),
            reserves=made.RESERVES,
            transactions=tuple(read_transaction(raw, ledger_index=index) for raw in ledgers.get(index, [])),
        )
        for index in sorted({*ledgers, *looked_at, 140})
    ]


def follow(history: History, *, looked_at: list[int]) -> tuple[list[OrderEvent], AccountState]:
    """Fold the ledgers; return all events and the state after them."""
    account = begun()
    events: list[OrderEvent] = []
    for facts in facts_of(history, looked_at=looked_at):
        outcome = fold_ledger(account, facts)
        events += outcome.events
        account.apply(outcome)
    return events, account


@given(histories())
def test_the_same_ledgers_give_the_same_events_whatever_was_looked_at_in_between(history: History) -> None:
    assert follow(history, looked_at=history.idle)[0] == follow(history, looked_at=[])[0]


@given(histories())
def test_no_event_has_the_name_of_another(history: History) -> None:
    events, _ = follow(history, looked_at=history.idle)
    assert len({event.event_id for event in events}) == len(events)


@given(histories())
def test_what_traded_and_what_is_left_make_what_was_placed(history: History) -> None:
    events, account = follow(history, looked_at=[])
    fills = sum((event.gave.value for event in events if isinstance(event, OrderFilled)), Decimal(0))
    order = account.orders[9]
    assert order.gave == fills
    assert order.gave + order.gets_left == PLACED_DROPS


@given(histories())
def test_an_order_only_goes_forward(history: History) -> None:
    account = begun()
    before = account.orders[9]
    for facts in facts_of(history, looked_at=history.idle):
        outcome = fold_ledger(account, facts)
        account.apply(outcome)
        after = account.orders[9]
        assert_forward(before, after)
        filled = [event.filled_qty for event in outcome.events]
        assert filled == sorted(filled)
        before = after


@given(histories(), st.sets(st.integers(0, 12)))
def test_a_restart_after_any_ledger_changes_no_event(history: History, restarts: set[int]) -> None:
    account, events = begun(), []
    for place, facts in enumerate(facts_of(history, looked_at=history.idle)):
        if place in restarts:
            account = kept(account)
        outcome = fold_ledger(account, facts)
        events += outcome.events
        account.apply(outcome)
    assert events == follow(history, looked_at=history.idle)[0]


@given(histories(), st.randoms(use_true_random=False))
def test_in_what_order_and_how_often_transactions_arrive_does_not_matter(
    history: History, chance: random.Random
) -> None:
    whole = [tx for facts in facts_of(history, looked_at=[]) for tx in facts.transactions]
    arrived = [*whole, *(tx for tx in whole if chance.random() < DOUBLED)]
    chance.shuffle(arrived)
    assert list(sort_transactions(arrived)) == whole


@given(histories())
def test_an_order_ends_as_its_history_says(history: History) -> None:
    _, account = follow(history, looked_at=[])
    live = OrderStatus.PARTIALLY_FILLED if history.fills else OrderStatus.ACCEPTED
    expected = {
        "filled": OrderStatus.FILLED,
        "canceled": OrderStatus.CANCELED,
        "deleted": OrderStatus.REMOVED,
        None: live,
    }
    assert account.orders[9].status is expected[history.end]
