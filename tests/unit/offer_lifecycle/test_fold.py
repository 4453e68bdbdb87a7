"""Time, announcements, races and gaps: the fold around the decision."""

from decimal import Decimal

import made_ledger as made
import pytest
from made_ledger import OWNER, cancel_requested, header, listed, offer, root, state, step, submitted, tx, usd

from offer_lifecycle import (
    KEEP_ENDED_LEDGERS,
    AccountState,
    LedgerFacts,
    accepted_at_adoption,
    fold_ledger,
    read_transaction,
)
from order_events import (
    Action,
    Amount,
    OrderAccepted,
    OrderCorrected,
    OrderDisappeared,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderStatus,
    Provenance,
    RemovalReason,
    Resolution,
    SessionStarted,
)

XRP_10, USD_5 = Amount("XRP", Decimal(10_000_000)), Amount(made.USD, Decimal(5))


def announced(**more: object) -> AccountState:
    ledger = state()
    ledger.announce(submitted(9, XRP_10, USD_5, client_order_id="c-1", session_id="s-1", **more))
    return ledger


def placement(**more: object) -> made.Raw:
    nodes = [offer("CreatedNode", 9, "10000000", usd("5")), root(49_999_988, before=50_000_000)]
    fields = {"TakerGets": "10000000", "TakerPays": usd("5"), **more}
    return tx("OfferCreate", nodes, account=OWNER, sequence=9, name="PLACED", **fields)  # type: ignore[arg-type]


def removal(kind: str = "OfferCancel", name: str = "GONE", **more: object) -> made.Raw:
    gone = offer("DeletedNode", 9, "10000000", usd("5"), previous="PLACED")
    return tx(kind, [gone], account=OWNER, sequence=10, name=name, OfferSequence=9, **more)  # type: ignore[arg-type]


def fill(name: str, left: tuple[str, str], before: tuple[str, str], previous: str) -> made.Raw:
    fields = {"TakerGets": before[0], "TakerPays": usd(before[1])}
    node = offer("ModifiedNode", 9, left[0], usd(left[1]), before=fields, previous=previous)
    return tx("OfferCreate", [node], name=name)


def disappearances(events: tuple[OrderEvent, ...]) -> list[OrderDisappeared]:
    return [event for event in events if isinstance(event, OrderDisappeared)]


def test_what_the_engine_announced_stands_on_every_event_of_the_order() -> None:
    [event] = step(announced(), 101, placement()).events
    assert isinstance(event, OrderAccepted)
    assert (event.client_order_id, event.session_id, event.external) == ("c-1", "s-1", False)


def test_an_order_that_nobody_announced_is_external_and_belongs_to_the_session_that_runs() -> None:
    ledger = state()
    ledger.announce(SessionStarted(account=OWNER, session_id="s-2"))
    [event] = step(ledger, 101, placement()).events
    assert (event.external, event.session_id) == (True, "s-2")


def test_offers_found_at_the_start_are_told_of_as_external() -> None:
    [event] = accepted_at_adoption(state(offers=[listed(9, "10000000", usd("5"))]), header(100))
    assert (event.external, event.provenance) == (True, Provenance.BACKFILL)


def test_offers_found_at_the_start_are_the_engines_where_it_has_announced_them() -> None:
    adopted = state(offers=[listed(9, "10000000", usd("5"))])
    adopted.announce(submitted(9, XRP_10, USD_5, client_order_id="c-1", last_ledger_sequence=90))
    [event] = accepted_at_adoption(adopted, header(100))
    assert (event.external, event.client_order_id) == (False, "c-1")


@pytest.mark.parametrize(
    "announcement",
    [
        {"last_ledger_sequence": 99, "validated_ledger_index": 79},
        {"last_ledger_sequence": 100},
        {"last_ledger_sequence": 110, "validated_ledger_index": 99},
    ],
    ids=["over before it began", "over as it began", "perhaps placed and ended before it began"],
)
def test_an_order_that_may_have_ended_before_its_account_was_followed_is_never_called_lost(
    announcement: dict[str, int],
) -> None:
    ledger = announced(**announcement)
    assert step(ledger, 101).events == ()
    assert step(ledger, 120).events == ()


def test_an_order_announced_after_its_end_is_forgotten_is_not_called_lost() -> None:
    ledger = state()
    step(ledger, 500)
    late = submitted(9, XRP_10, USD_5, last_ledger_sequence=200, validated_ledger_index=180)
    assert ledger.announce(late) is None
    assert step(ledger, 501).events == ()


def test_an_announced_order_past_its_last_ledger_is_lost_and_told_as_of_that_ledger() -> None:
    ledger = announced(last_ledger_sequence=102)
    assert ledger.deadlines(105) == [102]
    assert step(ledger, 101).events == ()
    [event] = step(ledger, 102).events
    assert isinstance(event, OrderDisappeared)
    assert (event.status, event.removal_reason, event.resolution, event.anomaly, event.action_taken) == (
        OrderStatus.LOST,
        RemovalReason.UNKNOWN,
        Resolution.UNRESOLVED,
        True,
        Action.HELD,
    )
    assert event.ledger_index == 102


def test_an_order_whose_sequence_another_transaction_used_is_lost_at_once() -> None:
    payment = tx("Payment", [root(49_000_000, before=50_000_000)], account=OWNER, sequence=9)
    [event] = step(announced(), 101, payment).events
    assert event.status is OrderStatus.LOST


def test_an_order_that_shows_up_after_it_was_lost_is_an_order_again() -> None:
    ledger = announced(last_ledger_sequence=101)
    step(ledger, 101)
    corrected, accepted = step(ledger, 103, placement()).events
    assert isinstance(corrected, OrderCorrected)
    assert (accepted.status, accepted.client_order_id) == (OrderStatus.ACCEPTED, "c-1")


@pytest.mark.parametrize(
    ("sent_after", "anomaly"),
    [(101, False), (None, False), (102, True)],
    ids=["sent before the ledger that removed it", "sent nobody knows when", "sent after it was gone"],
)
def test_a_cancel_of_the_engines_in_flight_makes_any_end_ordinary(
    sent_after: int | None,
    anomaly: bool,  # noqa: FBT001 - the expectation
) -> None:
    ledger = announced()
    step(ledger, 101, placement())
    ledger.announce(cancel_requested(9, "OURS", sent_after))
    events = disappearances(step(ledger, 102, removal(name="THEIRS")).events)
    assert [event.anomaly for event in events] == ([True] if anomaly else [])


def test_the_engines_own_cancel_is_neither_a_disappearance_nor_an_anomaly() -> None:
    ledger = announced()
    step(ledger, 101, placement())
    ledger.announce(cancel_requested(9, "GONE", 101))
    outcome = step(ledger, 102, removal())
    assert disappearances(outcome.events) == []
    assert outcome.changed[9].removal_reason is RemovalReason.CANCELED


def test_a_cancel_that_the_engine_did_not_send_is_an_anomaly() -> None:
    ledger = announced()
    step(ledger, 101, placement())
    [event] = disappearances(step(ledger, 102, removal()).events)
    assert (event.anomaly, event.removal_reason) == (True, RemovalReason.CANCELED)


def test_a_cancel_of_an_order_that_no_engine_announced_is_no_anomaly() -> None:
    ledger = state()
    step(ledger, 101, placement())
    outcome = step(ledger, 102, removal())
    assert disappearances(outcome.events) == []
    assert outcome.changed[9].anomaly is False


def test_a_failed_cancel_of_the_engines_is_in_flight_no_longer() -> None:
    ledger = announced()
    step(ledger, 101, placement())
    ledger.announce(cancel_requested(9, "OURS", 101))
    failed = tx("OfferCancel", [], account=OWNER, sequence=10, name="OURS", OfferSequence=9, result="tecX")
    step(ledger, 102, failed)
    [event] = disappearances(step(ledger, 103, removal(name="THEIRS")).events)
    assert event.anomaly is True


def test_a_replacement_by_an_announced_order_is_ordinary_and_by_another_one_an_anomaly() -> None:
    for announce_replacement, anomalies in ((True, []), (False, [True])):
        ledger = announced()
        step(ledger, 101, placement())
        if announce_replacement:
            ledger.announce(submitted(10, XRP_10, USD_5, transaction_hash="GONE"))
        replaced = removal("OfferCreate", TakerGets="10000000", TakerPays=usd("6"))
        events = disappearances(step(ledger, 102, replaced).events)
        assert [event.anomaly for event in events if event.sequence == 9] == anomalies


def test_saying_the_same_again_changes_nothing() -> None:
    ledger = announced()
    ledger.announce(cancel_requested(9, "OURS", 100))
    once = ledger.orders[9]
    ledger.announce(submitted(9, XRP_10, USD_5, client_order_id="c-1", session_id="s-1"))
    assert ledger.announce(cancel_requested(9, "OURS", 100)) is None
    assert ledger.orders[9] == once


def test_an_expired_order_is_expired_while_it_is_still_listed_and_swept_later() -> None:
    ledger = announced()
    step(ledger, 101, placement(Expiration=410))
    [expired] = step(ledger, 103).events
    assert isinstance(expired, OrderExpired)
    assert (expired.status, expired.removed_by, expired.ledger_index) == (OrderStatus.EXPIRED, None, None)
    gone = offer("DeletedNode", 9, "10000000", usd("5"), previous="PLACED", Expiration=410)
    [swept] = step(ledger, 120, tx("OfferCreate", [gone], name="SWEEP")).events
    assert (swept.status, swept.removed_by) == (OrderStatus.EXPIRED, "SWEEP")
    assert swept.event_id != expired.event_id


@pytest.mark.parametrize(("expiration", "expired"), [(412, True), (413, False)])
def test_it_is_dead_once_a_ledger_has_closed_at_its_expiration(
    expiration: int,
    expired: bool,  # noqa: FBT001 - the expectation
) -> None:
    ledger = announced()
    step(ledger, 101, placement(Expiration=expiration))
    step(ledger, 103)
    assert header(103).close_time == 412
    assert ledger.orders[9].ended is expired


def test_skipping_ledgers_without_transactions_changes_no_event() -> None:
    def events(looked_at: list[int]) -> list[OrderEvent]:
        ledger = announced()
        told = list(step(ledger, 101, placement(Expiration=410)).events)
        for index in looked_at:
            told += step(ledger, index).events
        gone = offer("DeletedNode", 9, "10000000", usd("5"), previous="PLACED", Expiration=410)
        return [*told, *step(ledger, 110, tx("OfferCreate", [gone], name="SWEEP")).events]

    assert events([102, 103, 104, 105]) == events([]) == events([103])


def test_two_fills_in_one_ledger_are_told_apart_and_add_up() -> None:
    ledger = announced()
    step(ledger, 101, placement())
    first = fill("F1", ("6000000", "3"), ("10000000", "5"), "PLACED")
    second = fill("F2", ("1000000", "0.5"), ("6000000", "3"), "F1")
    fills = [event for event in step(ledger, 102, first, second).events if isinstance(event, OrderFilled)]
    assert [event.last_qty for event in fills] == [Decimal(4), Decimal(5)]
    assert [(event.filled_qty, event.leaves_qty) for event in fills] == [
        (Decimal(4), Decimal(6)),
        (Decimal(9), Decimal(1)),
    ]


def test_the_last_fill_comes_with_a_disappearance_that_is_told_first_and_is_no_anomaly() -> None:
    ledger = announced()
    step(ledger, 101, placement())
    before = {"TakerGets": "10000000", "TakerPays": usd("5")}
    gone = offer("DeletedNode", 9, "0", usd("0"), before=before, previous="PLACED")
    events = step(ledger, 102, tx("OfferCreate", [gone])).events
    assert [type(event) for event in events] == [OrderDisappeared, OrderFilled]
    assert [event.status for event in events] == [OrderStatus.FILLED, OrderStatus.FILLED]
    assert disappearances(events)[0].anomaly is False


def test_a_missing_link_in_an_orders_chain_of_transactions_leaves_its_end_unresolved() -> None:
    ledger = announced()
    step(ledger, 101, placement())
    gone = offer("DeletedNode", 9, "6000000", usd("3"), previous="NEVER READ")
    outcome = step(ledger, 103, tx("OfferCancel", [gone], account=OWNER, sequence=11, OfferSequence=9))
    assert outcome.changed[9].resolution is Resolution.UNRESOLVED


def test_an_offer_that_was_never_seen_before_its_end_is_told_and_unresolved() -> None:
    gone = offer("DeletedNode", 9, "10000000", usd("5"))
    outcome = step(state(), 101, tx("OfferCancel", [gone], account=OWNER, OfferSequence=9))
    assert outcome.changed[9].resolution is Resolution.UNRESOLVED


def test_folding_leaves_the_state_as_it_is_and_gives_the_same_again() -> None:
    ledger = announced()
    facts = LedgerFacts(
        header=header(101),
        reserves=made.RESERVES,
        transactions=(read_transaction(placement(), ledger_index=101),),
    )
    before = (ledger.record, dict(ledger.orders))
    assert fold_ledger(ledger, facts) == fold_ledger(ledger, facts)
    assert (ledger.record, ledger.orders) == before


def test_a_ledger_that_is_not_after_the_cursor_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a ledger after 100"):
        step(state(), 100)


def test_an_order_that_ended_long_ago_is_forgotten() -> None:
    ledger = announced()
    step(ledger, 101, placement())
    step(ledger, 102, removal())
    assert 9 in ledger.orders
    step(ledger, 102 + KEEP_ENDED_LEDGERS)
    assert 9 not in ledger.orders
