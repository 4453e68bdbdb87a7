"""What becomes of an order in its own transaction."""

from decimal import Decimal

import made_ledger as made
import pytest
from made_ledger import ISSUER, OWNER, STRANGER, eur, line, listed, met, offer, root, state, step, tx, usd

from offer_lifecycle import AMM_LINE, LedgerOutcome, adopt_account
from order_events import (
    LiquiditySide,
    OrderCanceled,
    OrderDisappeared,
    OrderFilled,
    OrderRejected,
    OrderStatus,
    RemovalReason,
)

IMMEDIATE_OR_CANCEL, SELL = 0x0002_0000, 0x0008_0000
BEFORE = 50_000_000
FILL_OR_KILL = 0x0004_0000
FEE = 12


def place(
    nodes: list[made.Raw], *, gets: object, pays: object, usd_balance: str = "1000", **more: object
) -> LedgerOutcome:
    create = tx("OfferCreate", nodes, account=OWNER, sequence=9, TakerGets=gets, TakerPays=pays, **more)  # type: ignore[arg-type]
    return step(state(usd_balance=usd_balance), 101, create)


def fill_of(outcome: LedgerOutcome) -> OrderFilled:
    [fill] = [event for event in outcome.events if isinstance(event, OrderFilled)]
    return fill


def test_an_order_that_takes_nothing_rests() -> None:
    created = offer("CreatedNode", 9, "10000000", usd("5"))
    outcome = place([created, root(BEFORE - FEE, before=BEFORE)], gets="10000000", pays=usd("5"))
    assert outcome.changed[9].status is OrderStatus.ACCEPTED
    assert [event.leaves_qty for event in outcome.events] == [Decimal(10)]


def test_what_it_takes_at_once_is_what_the_other_offer_gave_and_got() -> None:
    traded = met("10000000", usd("5"))
    nodes = [root(BEFORE - FEE - 10_000_000, before=BEFORE), line("1005", "1000"), traded]
    outcome = place(nodes, gets="10000000", pays=usd("5"))
    fill = fill_of(outcome)
    assert (fill.gave.value, fill.got.value) == (Decimal(10_000_000), Decimal(5))
    assert fill.liquidity_side is LiquiditySide.TAKER
    assert outcome.changed[9].removal_reason is RemovalReason.FILLED


def test_where_a_delegate_signed_the_fee_is_no_part_of_the_fill() -> None:
    nodes = [
        root(BEFORE - 10_000_000, before=BEFORE),
        root(88, before=100, account="rDelegate"),
        line("1005", "1000"),
        met("10000000", usd("5")),
    ]
    outcome = place(nodes, gets="10000000", pays=usd("5"), Delegate="rDelegate")
    assert fill_of(outcome).gave.value == Decimal(10_000_000)


def test_a_better_price_fills_it_for_less_than_it_offered() -> None:
    traded = met("8000000", usd("5"))
    nodes = [root(BEFORE - FEE - 8_000_000, before=BEFORE), line("1005", "1000"), traded]
    outcome = place(nodes, gets="10000000", pays=usd("5"))
    assert outcome.changed[9].status is OrderStatus.FILLED
    assert outcome.changed[9].anomaly is False


def test_with_the_sell_flag_only_giving_all_of_it_fills_it() -> None:
    traded = met("8000000", usd("5"))
    nodes = [root(BEFORE - FEE - 8_000_000, before=BEFORE), line("1005", "1000"), traded]
    outcome = place(nodes, gets="10000000", pays=usd("5"), Flags=SELL | IMMEDIATE_OR_CANCEL)
    assert outcome.changed[9].removal_reason is RemovalReason.KILLED


def test_what_takes_a_part_at_once_rests_partially_filled() -> None:
    created = offer("CreatedNode", 9, "6000000", usd("3"))
    moved = [root(BEFORE - FEE - 4_000_000, before=BEFORE), line("1002", "1000")]
    outcome = place([created, *moved, met("4000000", usd("2"))], gets="10000000", pays=usd("5"))
    order = outcome.changed[9]
    assert (order.status, order.listed) == (OrderStatus.PARTIALLY_FILLED, True)
    assert (order.gave, order.got) == (Decimal(4_000_000), Decimal(2))
    assert outcome.unresolved == ()


def test_the_rest_of_an_immediate_or_cancel_order_is_killed() -> None:
    traded = met("4000000", usd("2"))
    nodes = [root(BEFORE - FEE - 4_000_000, before=BEFORE), line("1002", "1000"), traded]
    outcome = place(nodes, gets="10000000", pays=usd("5"), Flags=IMMEDIATE_OR_CANCEL)
    order = outcome.changed[9]
    assert (order.status, order.removal_reason, order.removed_by) == (
        OrderStatus.CANCELED,
        RemovalReason.KILLED,
        "T1",
    )
    assert outcome.verdicts[9].evidence == "OfferCreate T1: a part was taken at once, the rest dropped"
    assert [type(event) for event in outcome.events] == [OrderFilled, OrderCanceled]


@pytest.mark.parametrize("result", ["tecKILLED", "tecUNFUNDED_OFFER", "tecEXPIRED"])
def test_a_failed_transaction_is_a_rejection_with_its_result(result: str) -> None:
    nodes = [root(BEFORE - FEE, before=BEFORE)]
    [event] = place(nodes, gets="10000000", pays=usd("5"), result=result).events
    assert isinstance(event, OrderRejected)
    assert (event.result, event.status, event.removal_reason) == (result, OrderStatus.REJECTED, None)


def test_success_with_no_offer_and_no_trade_is_a_rejection_too() -> None:
    nodes = [root(BEFORE - FEE, before=BEFORE)]
    outcome = place(nodes, gets="10000000", pays=usd("5"), Flags=IMMEDIATE_OR_CANCEL)
    assert outcome.changed[9].status is OrderStatus.REJECTED


def test_a_part_taken_and_no_funds_for_the_rest_is_removed_as_unfunded() -> None:
    traded = met(usd("2"), "4000000")
    nodes = [root(BEFORE - FEE + 4_000_000, before=BEFORE), line("0", "2"), traded]
    outcome = place(nodes, gets=usd("5"), pays="10000000", usd_balance="2")
    order = outcome.changed[9]
    assert (order.status, order.removal_reason, order.anomaly) == (
        OrderStatus.REMOVED,
        RemovalReason.UNFUNDED,
        True,
    )
    assert {type(event) for event in outcome.events} == {OrderDisappeared, OrderFilled}


def test_a_part_taken_and_no_reserve_for_the_rest_is_removed_as_unfunded() -> None:
    moved = [root(1_300_000 - FEE + 4_000_000, before=1_300_000, owners=1), line("998", "1000")]
    nodes = [*moved, met(usd("2"), "4000000")]
    outcome = place(nodes, gets=usd("5"), pays="10000000")
    assert outcome.changed[9].removal_reason is RemovalReason.UNFUNDED


def test_a_transfer_fee_is_not_part_of_what_the_order_gave() -> None:
    taken = offer(
        "DeletedNode",
        3,
        "0",
        usd("0"),
        before={"TakerGets": "10000000", "TakerPays": usd("5")},
        owner=STRANGER,
    )
    nodes = [root(BEFORE - FEE + 10_000_000, before=BEFORE), line("994.9", "1000"), taken]
    fill = fill_of(place(nodes, gets=usd("5"), pays="10000000"))
    assert fill.gave.value == Decimal(5)


def test_a_transfer_fee_is_told_apart_from_what_a_pool_of_two_tokens_received() -> None:
    of_the_pool = {"account": "rPool", "flags": AMM_LINE}
    nodes = [
        root(BEFORE - FEE, before=BEFORE),
        line("994.9", "1000"),
        line("4", "0", currency="EUR"),
        line("505", "500", **of_the_pool),  # type: ignore[arg-type]
        line("396", "400", currency="EUR", **of_the_pool),  # type: ignore[arg-type]
    ]
    fill = fill_of(place(nodes, gets=usd("5"), pays=eur("4")))
    assert (fill.gave.value, fill.got.value) == (Decimal(5), Decimal(4))


def test_the_rest_of_a_fill_or_kill_order_whose_owner_ran_out_of_funds_is_killed() -> None:
    traded = met(usd("5"), "9980000")
    nodes = [root(BEFORE - FEE + 9_980_000, before=BEFORE), line("1e-15", "5"), traded]
    outcome = place(nodes, gets=usd("5.1"), pays="9980001", usd_balance="5", Flags=FILL_OR_KILL)
    order = outcome.changed[9]
    assert (order.status, order.removal_reason) == (OrderStatus.CANCELED, RemovalReason.KILLED)
    assert outcome.verdicts[9].evidence == (
        f"OfferCreate T1: a part was taken at once, the rest dropped: nothing is left of USD.{ISSUER}"
    )


def test_a_difference_that_rounding_explains_keeps_what_the_others_got() -> None:
    taken = offer(
        "ModifiedNode",
        3,
        "9000000",
        usd("4.5"),
        before={"TakerGets": "10000000", "TakerPays": usd("4.999999999999999")},
        owner=STRANGER,
    )
    debited = line("123456.5", "123457")  # 0.5, where the offers say 0.499999999999999
    fill = fill_of(
        place([root(BEFORE - FEE + 1_000_000, before=BEFORE), debited, taken], gets=usd("5"), pays="9")
    )
    assert fill.gave.value == Decimal("0.499999999999999")


def token_side(after: str, before: str) -> Decimal:
    """What 500,000 drops were given for, where the offers that were taken say 0.4999999998."""
    taken = offer(
        "ModifiedNode",
        3,
        "9000000",
        usd("4.5"),
        before={"TakerGets": "10000000", "TakerPays": usd("4.9999999998")},
        owner=STRANGER,
    )
    nodes = [root(BEFORE - FEE + 1_000_000, before=BEFORE), line(after, before), taken]
    return fill_of(place(nodes, gets=usd("5"), pays="9")).gave.value


def test_what_the_others_got_is_what_the_order_gave_whatever_its_balance_rounds_to() -> None:
    assert token_side("123456.5", "123457") == Decimal("0.4999999998")
    assert token_side("123456.4999999999", "123457") == Decimal("0.4999999998")


def test_own_offers_that_a_bridge_consumes_do_not_hide_what_the_order_took() -> None:
    gives_xrp = offer(
        "DeletedNode", 3, "0", usd("0"), before={"TakerGets": "10000000", "TakerPays": usd("5")}
    )
    gives_eur = offer(
        "DeletedNode", 4, eur("0"), "0", before={"TakerGets": eur("4"), "TakerPays": "10000000"}
    )
    holder = state(offers=[listed(3, "10000000", usd("5")), listed(4, eur("4"), "10000000")])
    create = tx(
        "OfferCreate",
        [gives_xrp, gives_eur, root(BEFORE - FEE, before=BEFORE)],
        account=OWNER,
        sequence=9,
        TakerGets=usd("5"),
        TakerPays=eur("4"),
    )
    outcome = step(holder, 101, create)
    order = outcome.changed[9]
    assert (order.status, order.gave, order.got) == (OrderStatus.FILLED, Decimal(5), Decimal(4))


def test_an_issuer_gives_its_own_token_by_owing_more() -> None:
    issued = line("5", "0", account=STRANGER)
    create = tx(
        "OfferCreate",
        [
            issued,
            root(BEFORE - FEE + 10_000_000, before=BEFORE, account=ISSUER),
            met(usd("5"), "10000000"),
        ],
        account=ISSUER,
        sequence=9,
        TakerGets=usd("5"),
        TakerPays="10000000",
    )
    issuer = adopt_account(
        network_id=0, account=ISSUER, header=made.header(100), account_data=None, lines=[], offers=[]
    )
    order = step(issuer, 101, create).changed[9]
    assert (order.status, order.gave, order.got) == (OrderStatus.FILLED, Decimal(5), Decimal(10_000_000))
