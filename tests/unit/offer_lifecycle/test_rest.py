"""What becomes of the rest of an order that took something at once and left nothing on the book."""

from decimal import Decimal

import made_ledger as made
import pytest
from made_ledger import ISSUER, OWNER, STRANGER, line, met, mpt, mptoken, root, state, step, tx, usd

from offer_lifecycle import LedgerOutcome
from order_events import OrderDisappeared, OrderFilled, OrderStatus, RemovalReason, Resolution

IMMEDIATE_OR_CANCEL, SELL = 0x0002_0000, 0x0008_0000
BEFORE = 50_000_000
FEE = 12


def placed(nodes: list[made.Raw], *, gets: object, pays: object, **more: object) -> LedgerOutcome:
    create = tx("OfferCreate", nodes, account=OWNER, sequence=9, TakerGets=gets, TakerPays=pays, **more)  # type: ignore[arg-type]
    return step(state(), 101, create)


@pytest.mark.parametrize(
    ("gave", "got", "reason"),
    [
        (8_000_000, "5", RemovalReason.FILLED),
        (10_000_000, "4.999", RemovalReason.FILLED),
        (9_999_999, "4.999", RemovalReason.KILLED),
    ],
    ids=["all it asked", "all it offered", "neither"],
)
def test_all_of_one_side_fills_it_whatever_its_flags(gave: int, got: str, reason: RemovalReason) -> None:
    moved = [root(BEFORE - FEE - gave, before=BEFORE), line(str(1000 + Decimal(got)), "1000")]
    nodes = [*moved, met(str(gave), usd(got))]
    outcome = placed(nodes, gets="10000000", pays=usd("5"), Flags=IMMEDIATE_OR_CANCEL)
    assert outcome.changed[9].removal_reason is reason


def test_all_of_the_xrp_that_it_asked_fills_it() -> None:
    traded = met(usd("4"), "10000000")
    nodes = [root(BEFORE - FEE + 10_000_000, before=BEFORE), line("996", "1000"), traded]
    outcome = placed(nodes, gets=usd("5"), pays="10000000", Flags=IMMEDIATE_OR_CANCEL)
    assert outcome.changed[9].removal_reason is RemovalReason.FILLED


@pytest.mark.parametrize(
    ("gave", "reason"),
    [(10_000_000, RemovalReason.FILLED), (9_999_999, RemovalReason.KILLED)],
    ids=["all of it", "a drop less"],
)
def test_an_order_that_sells_xrp_is_filled_once_all_is_given(gave: int, reason: RemovalReason) -> None:
    traded = met(str(gave), usd("6"))
    nodes = [root(BEFORE - FEE - gave, before=BEFORE), line("1006", "1000"), traded]
    outcome = placed(nodes, gets="10000000", pays=usd("5"), Flags=SELL | IMMEDIATE_OR_CANCEL)
    assert outcome.changed[9].removal_reason is reason


@pytest.mark.parametrize(
    ("left", "reason"),
    [
        ("0.00000049", RemovalReason.FILLED),
        ("0.0000005000011", RemovalReason.KILLED),
        ("0.0000008", RemovalReason.KILLED),
    ],
    ids=["worth less than a drop", "worth a drop", "worth more"],
)
def test_an_order_that_sells_for_xrp_is_filled_once_the_rest_is_worth_no_drop(
    left: str, reason: RemovalReason
) -> None:
    moved = [root(BEFORE - FEE + 10_000_000, before=BEFORE), line(str(995 + Decimal(left)), "1000")]
    nodes = [*moved, met(usd(str(5 - Decimal(left))), "10000000")]
    outcome = placed(nodes, gets=usd("5"), pays="10000000", Flags=SELL | IMMEDIATE_OR_CANCEL)
    assert outcome.changed[9].removal_reason is reason


@pytest.mark.parametrize(
    ("missing", "reason"),
    [("0.00000049", RemovalReason.FILLED), ("0.000000500002", RemovalReason.UNEXPLAINED)],
    ids=["worth less than a drop", "worth a drop"],
)
def test_an_order_that_buys_with_xrp_is_filled_once_the_rest_is_worth_no_drop_of_the_limit(
    missing: str, reason: RemovalReason
) -> None:
    # It paid a better price than its limit, so of what it offered much is left
    moved = [root(BEFORE - FEE - 8_000_000, before=BEFORE), line(str(1005 - Decimal(missing)), "1000")]
    nodes = [*moved, met("8000000", usd(str(5 - Decimal(missing))))]
    assert placed(nodes, gets="10000000", pays=usd("5")).changed[9].removal_reason is reason


@pytest.mark.parametrize(
    ("drops", "before", "shortage"),
    [
        (1_200_000, 9_200_013, "no XRP is left above the reserve"),
        (1_200_001, 1_399_999, "the reserve for one more object is not covered"),
        (1_200_001, 1_400_000, None),
    ],
    ids=["on the reserve", "a drop above it, and less than one more object needs", "just that much"],
)
def test_what_an_order_of_xrp_lacked_to_rest_is_named(drops: int, before: int, shortage: str | None) -> None:
    nodes = [root(drops, before=before), line("1001", "1000"), met(str(before - FEE - drops), usd("1"))]
    verdict = placed(nodes, gets="10000000", pays=usd("5")).verdicts[9]
    unfunded = verdict.reason is RemovalReason.UNFUNDED
    assert unfunded is (shortage is not None)
    assert not unfunded or verdict.evidence == f"OfferCreate T1: a part was taken at once; {shortage}"


def test_where_nothing_shows_why_the_rest_is_gone_it_is_unexplained_and_never_called_filled() -> None:
    traded = met("4000000", usd("2"))
    nodes = [root(BEFORE - FEE - 4_000_000, before=BEFORE), line("1002", "1000"), traded]
    outcome = placed(nodes, gets="10000000", pays=usd("5"))
    order = outcome.changed[9]
    assert (order.status, order.removal_reason) == (OrderStatus.REMOVED, RemovalReason.UNEXPLAINED)
    assert (order.resolution, order.anomaly) == (Resolution.UNRESOLVED, True)
    assert {type(event) for event in outcome.events} == {OrderDisappeared, OrderFilled}


@pytest.mark.parametrize(
    ("left", "reason"),
    [("1.000000000000001e-15", RemovalReason.UNFUNDED), ("1.000000000000002e-15", RemovalReason.UNEXPLAINED)],
    ids=["as much as rounding can leave", "more than that"],
)
def test_a_rest_of_tokens_that_rounding_explains_is_nothing_left(left: str, reason: RemovalReason) -> None:
    moved = [root(BEFORE - FEE + 4_000_000, before=BEFORE), line(left, "2")]
    outcome = placed([*moved, met(usd("2"), "4000000")], gets=usd("5"), pays="10000000")
    assert outcome.changed[9].removal_reason is reason


@pytest.mark.parametrize(
    ("offered", "reason"),
    [("10", RemovalReason.KILLED), ("5", RemovalReason.FILLED)],
    ids=["worth a drop", "worth half a drop"],
)
def test_a_rest_of_one_mpt_unit_is_nothing_only_where_it_is_worth_less_than_a_drop(
    offered: str, reason: RemovalReason
) -> None:
    buys = [root(BEFORE - FEE - 4, before=BEFORE), mptoken("1009", "1000"), met("4", mpt("9"))]
    bought = placed(buys, gets=offered, pays=mpt("10"), Flags=IMMEDIATE_OR_CANCEL)
    assert bought.changed[9].removal_reason is reason
    sells = [root(BEFORE - FEE + 9, before=BEFORE), mptoken("991", "1000"), met(mpt("9"), "9")]
    sold = placed(sells, gets=mpt("10"), pays=offered, Flags=SELL | IMMEDIATE_OR_CANCEL)
    assert sold.changed[9].removal_reason is reason


def test_a_rest_worth_less_than_one_token_is_still_a_rest() -> None:
    nodes = [root(BEFORE - FEE - 9_000_000, before=BEFORE), line("1005", "1000"), met("9000000", usd("5"))]
    outcome = placed(nodes, gets="10000000", pays=usd("5"), Flags=SELL | IMMEDIATE_OR_CANCEL)
    assert outcome.changed[9].removal_reason is RemovalReason.KILLED


def test_a_trust_line_that_cannot_be_read_rounds_nothing_of_an_order_of_xrp_for_an_mpt() -> None:
    damaged = line("5", "five", account=STRANGER)
    nodes = [root(BEFORE - FEE - 10, before=BEFORE), mptoken("1010", "1000"), met("10", mpt("10")), damaged]
    assert placed(nodes, gets="10", pays=mpt("10")).changed[9].removal_reason is RemovalReason.FILLED


def test_an_issuer_does_not_run_out_of_its_own_token() -> None:
    paid = root(BEFORE - FEE + 4_000_000, before=BEFORE, account=ISSUER)
    nodes = [paid, line("2", "0", account=STRANGER), met(usd("2"), "4000000")]
    create = tx("OfferCreate", nodes, account=ISSUER, sequence=9, TakerGets=usd("5"), TakerPays="10000000")
    verdict = step(made.unknown(ISSUER), 101, create).verdicts[9]
    assert verdict.reason is RemovalReason.UNEXPLAINED
