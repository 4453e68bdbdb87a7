"""The comparison itself: what differs is said."""

from functools import partial

import msgspec
from chaos.outcome import Outcome, differences

EVENT = {"event_id": "one", "network_id": 1, "leaves_qty": "5"}
DESCRIBED = {**EVENT, "market_context": {"mid_price": "2", "reason": None}}


def outcome(
    *events: dict[str, object],
    told_twice: tuple[str, ...] = (),
    orders: str = "5",
    watermarks: tuple[dict[str, object], ...] = (),
) -> Outcome:
    return Outcome(
        events={str(event["event_id"]): msgspec.json.encode(event) for event in events},
        watermarks={str(event["event_id"]): msgspec.json.encode(event) for event in watermarks},
        told_twice=list(told_twice),
        state={"1.rA.order.7": {"leaves_qty": orders}},
    )


def test_the_same_is_no_difference() -> None:
    assert differences(outcome(EVENT), outcome(EVENT)) == []


def test_a_lost_event_is_told() -> None:
    [told] = differences(outcome(), outcome(EVENT))
    assert told.startswith("event: 1 missing: one")


def test_an_event_too_many_is_told() -> None:
    [told] = differences(outcome(EVENT), outcome())
    assert told.startswith("event: 1 not expected: one")


def test_an_event_with_another_content_is_told() -> None:
    [told] = differences(outcome({**EVENT, "leaves_qty": "6"}), outcome(EVENT))
    assert told.startswith("event: 1 different: one")


def test_an_event_that_stands_twice_is_told() -> None:
    [told] = differences(outcome(EVENT, told_twice=("one",)), outcome(EVENT))
    assert "1 events stand twice" in told


def test_an_order_in_another_state_is_told() -> None:
    [told] = differences(outcome(EVENT, orders="4"), outcome(EVENT))
    assert told.startswith("state: 1 different: 1.rA.order.7")


def test_a_market_that_could_not_be_read_is_no_difference_where_it_says_so() -> None:
    unread = {**EVENT, "market_context": {"mid_price": None, "reason": "no answer"}}
    silent = {**EVENT, "market_context": {"mid_price": None, "reason": None}}
    assert differences(outcome(unread), outcome(DESCRIBED)) == []
    assert differences(outcome(DESCRIBED), outcome(unread)) == []
    assert differences(outcome(silent), outcome(DESCRIBED)) != []


def test_the_outcome_of_some_networks_holds_nothing_of_the_others() -> None:
    both = outcome(EVENT, {**EVENT, "event_id": "two", "network_id": 2})
    assert both.of([2]).events.keys() == {"two"}
    assert both.of([2]).state == {}


def test_a_fill_that_a_watermark_called_certain_is_not_withdrawn() -> None:
    about = {"network_id": 1, "account": "rA", "ledger_index": 7}
    fill = {**about, "event_id": "one", "event_type": "order.filled", "provenance": "live"}
    withdrawn = {**about, "event_id": "two", "correction": "withdrawn", "corrects": "one"}
    run = partial(outcome, fill, withdrawn)
    certain = {**about, "event_id": "three", "first_ledger": 6, "ledger_index": 8}
    [told] = differences(run(watermarks=(certain,)), run())
    assert told == "event one: a fill that a watermark called certain was withdrawn"
    for other in ({"first_ledger": 8}, {"account": "rB"}):
        assert differences(run(watermarks=({**certain, **other},)), run()) == []
