"""What touched an offer and was not read is named, and leaves its end unresolved."""

from decimal import Decimal

import made_ledger as made
import pytest
from made_ledger import OWNER, listed, offer, root, state, step, tx, unknown, usd

from offer_lifecycle import AccountState
from order_events import OrderFilled, RemovalReason, Resolution

PLACED = tx(
    "OfferCreate",
    [offer("CreatedNode", 9, "10000000", usd("5")), root(49_999_988, before=50_000_000)],
    account=OWNER,
    sequence=9,
    name="PLACED",
    TakerGets="10000000",
    TakerPays=usd("5"),
)


def price(drops: int) -> made.Raw:
    return usd(str(Decimal(drops) / 2_000_000))


def fill(name: str, left: int, before: int, previous: str | None) -> made.Raw:
    node = offer(
        "ModifiedNode",
        9,
        str(left),
        price(left),
        before={"TakerGets": str(before), "TakerPays": price(before)},
        previous=previous,
    )
    return tx("OfferCreate", [node], name=name)


def canceled(previous: str | None) -> made.Raw:
    gone = offer("DeletedNode", 9, "6000000", usd("3"), previous=previous)
    return tx("OfferCancel", [gone], account=OWNER, sequence=10, name="GONE", OfferSequence=9)


@pytest.fixture
def resting() -> AccountState:
    ledger = state()
    step(ledger, 101, PLACED)
    return ledger


def test_an_unbroken_chain_misses_nothing_and_its_end_is_resolved(resting: AccountState) -> None:
    step(resting, 102, fill("F1", 6_000_000, 10_000_000, "PLACED"))
    order = step(resting, 103, canceled("F1")).changed[9]
    assert (order.missing, order.resolution) == ((), Resolution.RESOLVED)


def test_a_link_to_what_was_not_read_is_named_on_every_event_from_then_on(resting: AccountState) -> None:
    [trade] = step(resting, 102, fill("F2", 6_000_000, 8_000_000, "F1")).events
    assert trade.missing_transactions == ("F1",)
    ended = step(resting, 103, canceled("F2"))
    assert {event.missing_transactions for event in ended.events} == {("F1",)}
    assert ended.changed[9].resolution is Resolution.UNRESOLVED


def test_each_gap_of_a_chain_is_named(resting: AccountState) -> None:
    step(resting, 102, fill("F2", 6_000_000, 8_000_000, "F1"))
    ended = step(resting, 103, canceled("F3"))
    assert ended.changed[9].missing == ("F1", "F3")


def test_where_the_metadata_names_no_link_the_gap_is_before_the_transaction(resting: AccountState) -> None:
    assert step(resting, 102, canceled(None)).changed[9].missing == ("before GONE",)


def test_what_was_missed_is_never_counted_as_a_fill(resting: AccountState) -> None:
    [trade] = step(resting, 102, fill("F2", 6_000_000, 8_000_000, "F1")).events
    assert isinstance(trade, OrderFilled)
    assert (str(trade.last_qty), str(trade.filled_qty), str(trade.leaves_qty)) == ("2", "2", "6")


def test_an_offer_found_at_the_start_has_no_past_to_miss() -> None:
    adopted = state(offers=[listed(9, "6000000", usd("3"))])
    order = step(adopted, 101, canceled("LONG AGO")).changed[9]
    assert (order.missing, order.resolution) == ((), Resolution.RESOLVED)


@pytest.mark.parametrize(("previous", "missing"), [("LONG AGO", "LONG AGO"), (None, "before GONE")])
def test_an_offer_that_comes_up_out_of_nowhere_misses_what_its_entry_names(
    previous: str | None, missing: str
) -> None:
    order = step(unknown(), 101, canceled(previous)).changed[9]
    assert (order.missing, order.removal_reason, order.resolution) == (
        (missing,),
        RemovalReason.CANCELED,
        Resolution.UNRESOLVED,
    )
