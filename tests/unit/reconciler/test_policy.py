"""What is done about a disappearance, and when an account waits for an operator."""

from decimal import Decimal

import pytest
from made_ledger import OWNER, USD, cancel_requested, header, offer, root, state, step, submitted, tx, usd

from offer_lifecycle import AccountState, LedgerOutcome
from order_events import (
    Amount,
    Correction,
    OrderCorrected,
    OrderDisappeared,
    OrderFilled,
    OrdersEvent,
    OrderStatus,
    Provenance,
    ReconcilerHalted,
    RemovalReason,
    Resolution,
)
from reconciler.safety.policy import Policy, PolicyState, Unexplained, apply_policy

HOLD = Policy()
NEW = PolicyState()
PRESUME = Policy(unexplained=Unexplained.PRESUME_FILLED)
GETS, PAYS = Amount("XRP", Decimal(100_000_000)), Amount(USD, Decimal(50))


def lost(*sequences: int) -> tuple[AccountState, LedgerOutcome]:
    """Announced orders that no ledger holds."""
    account = state()
    for sequence in sequences:
        account.announce(
            submitted(sequence, GETS, PAYS, last_ledger_sequence=101, validated_ledger_index=100)
        )
    return account, step(account, 101)


def unexplained(**entry: object) -> LedgerOutcome:
    """An order of 100 XRP for 50 USD, 40 taken, that a stranger's transaction removes for no known reason."""
    account = state(offers=[{"seq": 7, "taker_gets": "60000000", "taker_pays": usd("30"), "flags": 0}])
    node = offer("DeletedNode", 7, "60000000", usd("30"), **entry)
    return step(account, 101, tx("Payment", [node], name="TAKEN"))


def told(
    outcome: LedgerOutcome, policy: Policy = HOLD, standing: PolicyState = NEW
) -> tuple[PolicyState, list[OrdersEvent]]:
    return apply_policy(policy, standing, outcome, header(101))


def gone(events: list[OrdersEvent]) -> list[OrderDisappeared]:
    return [event for event in events if isinstance(event, OrderDisappeared)]


def fills(events: list[OrdersEvent]) -> list[OrderFilled]:
    return [event for event in events if isinstance(event, OrderFilled)]


@pytest.mark.parametrize("outcome", [lost(7)[1], unexplained()], ids=["lost", "unexplained"])
def test_what_nothing_explains_is_held_and_never_becomes_a_fill(outcome: LedgerOutcome) -> None:
    standing, events = told(outcome)
    [event] = events
    assert isinstance(event, OrderDisappeared)
    assert (event.action_taken, event.resolution) == ("held", Resolution.UNRESOLVED)
    assert standing == PolicyState(unresolved=1)


def test_an_order_that_was_on_the_book_is_presumed_filled_with_what_was_left_of_it() -> None:
    _, events = told(unexplained(), PRESUME)
    disappeared, fill = events
    assert isinstance(disappeared, OrderDisappeared)
    assert isinstance(fill, OrderFilled)
    assert disappeared.action_taken == "presumed_filled"
    assert fill.provenance is Provenance.PRESUMED
    assert (fill.last_qty, fill.last_px) == (Decimal(60), Decimal("0.5"))
    assert (fill.gave, fill.got) == (Amount("XRP", Decimal(60_000_000)), Amount(USD, Decimal(30)))


def test_an_order_that_no_ledger_ever_held_is_presumed_filled_whole() -> None:
    [fill] = fills(told(lost(7)[1], PRESUME)[1])
    assert (fill.last_qty, fill.gave, fill.got) == (Decimal(100), GETS, PAYS)


@pytest.mark.parametrize("outcome", [lost(7)[1], unexplained()], ids=["lost", "unexplained"])
def test_a_presumed_fill_tells_of_the_order_only_what_is_proven(outcome: LedgerOutcome) -> None:
    [proven] = gone(told(outcome)[1])
    [fill] = fills(told(outcome, PRESUME)[1])
    assert fill.event_id != proven.event_id
    assert fill.trade_id == str(fill.event_id)
    for name in ("status", "filled_qty", "leaves_qty", "removal_reason", "resolution", "occurred_at"):
        assert getattr(fill, name) == getattr(proven, name)
    assert fill.status in {OrderStatus.LOST, OrderStatus.REMOVED}
    order = outcome.changed[7]
    assert (order.gave, order.got) == (0, 0)


def test_presuming_again_gives_the_same_event() -> None:
    assert told(unexplained(), PRESUME) == told(unexplained(), PRESUME)


def test_what_is_explained_is_never_presumed_filled() -> None:
    account = state(offers=[{"seq": 7, "taker_gets": "60000000", "taker_pays": usd("30"), "flags": 0}])
    node = offer("DeletedNode", 7, "60000000", usd("30"))
    outcome = step(account, 101, tx("OfferCancel", [node], account=OWNER, sequence=9, OfferSequence=7))
    for policy in (HOLD, PRESUME):
        assert fills(told(outcome, policy)[1]) == []


def test_an_order_that_the_engine_was_canceling_is_not_presumed_filled() -> None:
    account = state()
    account.announce(submitted(7, GETS, PAYS, last_ledger_sequence=101, validated_ledger_index=100))
    account.announce(cancel_requested(7, "CANCEL"))
    _, events = told(step(account, 101), PRESUME)
    assert [event.action_taken for event in gone(events)] == ["held"]
    assert fills(events) == []


def test_the_account_halts_with_the_disappearance_that_makes_it_too_many() -> None:
    policy = Policy(halt_after_unresolved=2)
    outcome = lost(7, 8, 9)[1]
    standing, events = told(outcome, policy)
    assert [event.action_taken for event in gone(events)] == ["held", "held", "halted"]
    [halted] = [event for event in events if isinstance(event, ReconcilerHalted)]
    assert standing == PolicyState(unresolved=3, halted=halted)
    assert (halted.account, halted.ledger_index, halted.cause) == (OWNER, 101, "unresolved")
    assert (halted.unresolved, halted.policy) == (2, "hold")
    assert halted.reason == ("expected fewer than 2 unresolved disappearances, found 2; the last is order 8")


def test_without_a_limit_nothing_halts() -> None:
    standing, _ = told(lost(7, 8, 9)[1])
    assert standing == PolicyState(unresolved=3)


def test_a_halted_account_halts_no_second_time_and_presumes_nothing() -> None:
    policy = Policy(unexplained=Unexplained.PRESUME_FILLED, halt_after_unresolved=1)
    halted, _ = told(lost(7)[1], policy)
    standing, events = told(lost(8)[1], policy, halted)
    [event] = events
    assert isinstance(event, OrderDisappeared)
    assert event.action_taken == "halted"
    assert standing.halted == halted.halted is not None


def test_a_proven_fill_stays_one_while_the_account_is_halted() -> None:
    halted, _ = told(lost(8)[1], Policy(halt_after_unresolved=1))
    account = state(offers=[{"seq": 7, "taker_gets": "60000000", "taker_pays": usd("30"), "flags": 0}])
    before = {"TakerGets": "60000000", "TakerPays": usd("30")}
    node = offer("DeletedNode", 7, "0", usd("0"), before=before)
    outcome = step(account, 101, tx("OfferCreate", [node]))
    _, events = told(outcome, HOLD, halted)
    assert [event.removal_reason for event in gone(events)] == [RemovalReason.FILLED]
    assert [event.action_taken for event in gone(events)] == ["fill_applied"]
    assert [event.provenance for event in fills(events)] == [Provenance.LIVE]


def test_events_that_are_no_disappearance_go_through_as_they_are() -> None:
    account = state(offers=[{"seq": 7, "taker_gets": "60000000", "taker_pays": usd("30"), "flags": 0}])
    before = {"TakerGets": "60000000", "TakerPays": usd("30")}
    node = offer("ModifiedNode", 7, "30000000", usd("15"), before=before)
    outcome = step(account, 101, tx("OfferCreate", [node]))
    halted, _ = told(lost(8)[1], Policy(halt_after_unresolved=1))
    for standing in (PolicyState(), halted):
        assert told(outcome, PRESUME, standing) == (standing, list(outcome.events))


@pytest.mark.parametrize("shown", [False, True], ids=["announced again", "shown by the ledger"])
def test_what_was_presumed_filled_is_withdrawn_once_the_lost_order_lives(
    shown: bool,  # noqa: FBT001 - the case
) -> None:
    account, outcome = lost(7)
    after, events = told(outcome, PRESUME)
    [presumed] = fills(events)
    nodes = [offer("CreatedNode", 7, "100000000", usd("50")), root(49_999_988, before=50_000_000)]
    fields = {"TakerGets": "100000000", "TakerPays": usd("50")}
    placed = [tx("OfferCreate", nodes, account=OWNER, sequence=7, name="LATE", **fields)] if shown else []
    if not shown:
        account.announce(submitted(7, GETS, PAYS, last_ledger_sequence=110, validated_ledger_index=101))
    later, events = apply_policy(HOLD, after, step(account, 102, *placed), header(102))
    corrections = [event for event in events if isinstance(event, OrderCorrected)]
    assert [one.corrects for one in corrections] == [gone(told(outcome)[1])[0].event_id, presumed.event_id]
    assert {one.correction for one in corrections} == {Correction.WITHDRAWN}
    assert len({one.event_id for one in corrections}) == 2
    assert later.presumptions == ()


def test_nothing_is_withdrawn_that_was_not_presumed() -> None:
    account, outcome = lost(7)
    after, _ = told(outcome, HOLD)
    account.announce(submitted(7, GETS, PAYS, last_ledger_sequence=110, validated_ledger_index=101))
    _, events = apply_policy(PRESUME, after, step(account, 102), header(102))
    assert len(events) == 1
