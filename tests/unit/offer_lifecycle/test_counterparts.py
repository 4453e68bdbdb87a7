"""No fill without its counterpart: what an order gave, others got; what it got, others gave."""

from decimal import Decimal

import made_ledger as made
import pytest
from made_ledger import (
    ISSUER,
    MPT,
    OWNER,
    STRANGER,
    USD,
    eur,
    line,
    met,
    mpt,
    mptoken,
    offer,
    root,
    state,
    step,
    tx,
    usd,
)

from offer_lifecycle import AMM_LINE, LedgerOutcome
from order_events import OrderAccepted, OrderDisappeared, OrderFilled, OrderStatus, RemovalReason, Resolution

BEFORE = 50_000_000
FEE = 12
IMMEDIATE_OR_CANCEL = 0x0002_0000
AMM_MPTOKEN = 0x0000_0004


def placed(nodes: list[made.Raw], *, gets: object, pays: object, **more: object) -> LedgerOutcome:
    create = tx("OfferCreate", nodes, account=OWNER, sequence=9, TakerGets=gets, TakerPays=pays, **more)  # type: ignore[arg-type]
    return step(state(), 101, create)


def fills(outcome: LedgerOutcome) -> list[tuple[Decimal, Decimal]]:
    return [(event.gave.value, event.got.value) for event in outcome.events if isinstance(event, OrderFilled)]


def unresolved(outcome: LedgerOutcome) -> str:
    """Check that nothing is told of a trade, and return why."""
    order = outcome.changed[9]
    assert fills(outcome) == []
    assert (order.gave, order.got) == (0, 0)
    assert "T1" in order.missing
    assert order.resolution is Resolution.UNRESOLVED
    [reason] = outcome.unresolved
    return reason


def test_an_order_that_left_no_entry_and_whose_sides_do_not_meet_is_unexplained() -> None:
    outcome = placed([root(BEFORE - FEE - 10, before=BEFORE)], gets="10000000", pays=usd("5"))
    reason = unresolved(outcome)
    order = outcome.changed[9]
    assert (order.status, order.removal_reason) == (OrderStatus.REMOVED, RemovalReason.UNEXPLAINED)
    [event] = outcome.events
    assert isinstance(event, OrderDisappeared)
    assert event.evidence == f"it is not known whether it traded: {reason.partition(': ')[2]}"


def test_an_order_that_rests_and_whose_sides_do_not_meet_is_accepted_with_its_history_incomplete() -> None:
    created = offer("CreatedNode", 9, "6000000", usd("3"))
    outcome = placed(
        [created, root(BEFORE - FEE - 10, before=BEFORE)],
        gets="10000000",
        pays=usd("5"),
    )
    unresolved(outcome)
    order = outcome.changed[9]
    assert (order.status, order.listed, order.gets_left) == (OrderStatus.ACCEPTED, True, 6_000_000)
    [event] = outcome.events
    assert isinstance(event, OrderAccepted)
    assert event.missing_transactions == ("T1",)


@pytest.mark.parametrize(
    ("xrp", "tokens", "traded"),
    [
        (-4_000_000, "2", True),
        (-4_000_001, "2", False),
        (-3_999_999, "2", False),
        (-4_000_000, "1.999", False),
        (-4_000_000, "2.001", False),
        (0, "0", False),
    ],
    ids=["both meet", "a drop more", "a drop less", "tokens less", "tokens more", "nothing moved"],
)
def test_the_owners_balances_must_show_both_sides(xrp: int, tokens: str, *, traded: bool) -> None:
    nodes = [
        offer("CreatedNode", 9, "6000000", usd("3")),
        root(BEFORE - FEE + xrp, before=BEFORE),
        line(str(1000 + Decimal(tokens)), "1000"),
        met("4000000", usd("2")),
    ]
    outcome = placed(nodes, gets="10000000", pays=usd("5"))
    if traded:
        assert fills(outcome) == [(Decimal(4_000_000), Decimal(2))]
    else:
        unresolved(outcome)


def test_a_trade_has_two_sides() -> None:
    one_sided = offer(
        "ModifiedNode", 3, usd("5"), "6000000", before={"TakerPays": "10000000"}, owner=STRANGER
    )
    nodes = [root(BEFORE - FEE - 4_000_000, before=BEFORE), one_sided]
    assert unresolved(placed(nodes, gets="10000000", pays=usd("5"))) == (
        f"transaction T1: the others got 4000000 of XRP and gave 0 of {USD}: a trade has two sides"
    )


@pytest.mark.parametrize(
    ("debited", "traded"),
    [("5", True), ("7.5", True), ("10", True), ("10.001", False), ("4.9", False)],
    ids=["no fee", "half of it", "as much again", "more than any issuer takes", "less than they got"],
)
def test_an_issuer_charges_no_more_than_as_much_again(debited: str, *, traded: bool) -> None:
    nodes = [
        root(BEFORE - FEE + 10_000_000, before=BEFORE),
        line(str(1000 - Decimal(debited)), "1000"),
        met(usd("5"), "10000000"),
    ]
    outcome = placed(nodes, gets=usd("5"), pays="10000000")
    if traded:
        assert fills(outcome) == [(Decimal(5), Decimal(10_000_000))]
    else:
        unresolved(outcome)


@pytest.mark.parametrize(("debited", "traded"), [(40, True), (60, True), (61, False), (39, False)])
def test_an_mpt_is_charged_no_more_than_half_of_what_is_given(debited: int, *, traded: bool) -> None:
    nodes = [
        root(BEFORE - FEE + 10_000_000, before=BEFORE),
        mptoken(str(1000 - debited), "1000"),
        mptoken("40", None, account=STRANGER),
        met(mpt("40"), "10000000"),
    ]
    outcome = placed(nodes, gets=mpt("40"), pays="10000000")
    if traded:
        assert fills(outcome) == [(Decimal(40), Decimal(10_000_000))]
    else:
        unresolved(outcome)


def test_what_is_paid_back_to_its_issuer_carries_no_fee() -> None:
    nodes = [
        root(BEFORE - FEE + 10_000_000, before=BEFORE, account=ISSUER),
        line("-5", "0", account=STRANGER),
        met(usd("5"), "10000000"),
    ]
    create = tx("OfferCreate", nodes, account=ISSUER, sequence=9, TakerGets=usd("5"), TakerPays="10000000")
    outcome = step(made.unknown(ISSUER), 101, create)
    assert fills(outcome) == []


def test_an_empty_mptoken_that_gets_its_first_units_got_them() -> None:
    nodes = [
        root(BEFORE - FEE - 20_000_000, before=BEFORE),
        mptoken("100", None),
        mptoken("900", "1000", account=STRANGER),
        met("20000000", mpt("100")),
    ]
    assert fills(placed(nodes, gets="20000000", pays=mpt("100"))) == [(Decimal(20_000_000), Decimal(100))]


def test_an_mptoken_that_loses_its_last_units_gave_them() -> None:
    nodes = [
        root(BEFORE - FEE + 10_000_000, before=BEFORE),
        mptoken(None, "40"),
        mptoken("40", None, account=STRANGER),
        met(mpt("40"), "10000000"),
    ]
    outcome = placed(nodes, gets=mpt("40"), pays="10000000")
    assert fills(outcome) == [(Decimal(40), Decimal(10_000_000))]
    assert outcome.record.holdings[MPT].balance == 0


def test_what_an_offer_of_another_book_traded_is_no_counterpart() -> None:
    elsewhere = met(eur("5"), "10000000", sequence=4)
    nodes = [root(BEFORE - FEE + 10_000_000, before=BEFORE), line("995", "1000"), elsewhere]
    unresolved(placed(nodes, gets=usd("5"), pays="10000000"))


def test_a_bridge_through_xrp_has_its_counterparts_in_two_books() -> None:
    takes_usd = met(usd("5"), "10000000", sequence=3)
    takes_xrp = met("10000000", eur("4"), sequence=4)
    nodes = [
        root(BEFORE - FEE, before=BEFORE),
        line("995", "1000"),
        line("4", "0", currency="EUR"),
        takes_usd,
        takes_xrp,
    ]
    assert fills(placed(nodes, gets=usd("5"), pays=eur("4"))) == [(Decimal(5), Decimal(4))]


def test_xrp_on_a_bridge_passes_the_owner_by() -> None:
    nodes = [
        root(BEFORE - FEE - 1, before=BEFORE),
        line("995", "1000"),
        line("4", "0", currency="EUR"),
        met(usd("5"), eur("4")),
    ]
    assert "XRP moved by more than the fee" in unresolved(placed(nodes, gets=usd("5"), pays=eur("4")))


def test_a_pool_of_xrp_and_an_mpt_is_a_counterpart() -> None:
    pool = {
        "ModifiedNode": {
            "LedgerEntryType": "AccountRoot",
            "LedgerIndex": "ArPool",
            "FinalFields": {"Account": "rPool", "Balance": "80000000", "OwnerCount": 1, "AMMID": "AA"},
            "PreviousFields": {"Balance": "100000000"},
        }
    }
    nodes = [
        root(BEFORE - FEE + 20_000_000, before=BEFORE),
        mptoken("60", "100"),
        mptoken("140", "100", account="rPool"),
        pool,
    ]
    assert fills(placed(nodes, gets=mpt("40"), pays="20000000")) == [(Decimal(40), Decimal(20_000_000))]


def test_a_pool_without_xrp_shows_by_the_flag_of_its_mptoken() -> None:
    nodes = [
        root(BEFORE - FEE, before=BEFORE),
        mptoken("60", "100"),
        line("4", "0", currency="EUR"),
        mptoken("140", "100", account="rPool", flags=AMM_MPTOKEN),
        line("96", "100", currency="EUR", account="rPool", flags=AMM_LINE),
    ]
    assert fills(placed(nodes, gets=mpt("40"), pays=eur("4"))) == [(Decimal(40), Decimal(4))]


def test_neither_rejected_nor_killed_stands_where_something_moved() -> None:
    nodes = [root(BEFORE - FEE - 5, before=BEFORE)]
    outcome = placed(nodes, gets="10000000", pays=usd("5"), Flags=IMMEDIATE_OR_CANCEL)
    assert outcome.changed[9].status is OrderStatus.REMOVED
    unresolved(outcome)
