"""Each rule of the decision table, at its edges."""

from decimal import Decimal

import made_ledger as made
import pytest
from made_ledger import ISSUER, OWNER, line, listed, offer, root, state, step, tx, usd

from offer_lifecycle import AccountState, LedgerOutcome
from order_events import OrderDisappeared, OrderFilled, OrderStatus, RemovalReason, Resolution

SELLS_XRP = listed(7, "10000000", usd("5"))
SELLS_USD = listed(7, usd("5"), "10000000")


def reason(outcome: LedgerOutcome, sequence: int = 7) -> RemovalReason | None:
    return outcome.changed[sequence].removal_reason


def deleted(gets: object = "10000000", pays: object = None, **more: object) -> made.Raw:
    return offer("DeletedNode", 7, gets, usd("5") if pays is None else pays, **more)  # type: ignore[arg-type]


@pytest.fixture
def sells_xrp() -> AccountState:
    return state(offers=[SELLS_XRP])


@pytest.fixture
def sells_usd() -> AccountState:
    return state(offers=[SELLS_USD])


def test_an_offer_cancel_of_the_owner_that_names_it_cancels_it(sells_xrp: AccountState) -> None:
    outcome = step(sells_xrp, 101, tx("OfferCancel", [deleted()], account=OWNER, OfferSequence=7))
    assert reason(outcome) is RemovalReason.CANCELED
    assert outcome.changed[7].removed_by == "T1"


def test_an_offer_create_of_the_owner_that_names_it_replaces_it_even_after_it_expired() -> None:
    expired = state(offers=[listed(7, "10000000", usd("5"), expiration=300)])
    placed = offer("CreatedNode", 9, "10000000", usd("6"))
    swept = deleted(Expiration=300)
    create = tx(
        "OfferCreate",
        [swept, placed, root(49_000_000, before=49_000_012)],
        account=OWNER,
        sequence=9,
        OfferSequence=7,
        TakerGets="10000000",
        TakerPays=usd("6"),
    )
    outcome = step(expired, 101, create)
    assert reason(outcome) is RemovalReason.REPLACED
    assert outcome.changed[7].status is OrderStatus.CANCELED


def test_a_failed_replacement_does_not_count_as_one(sells_xrp: AccountState) -> None:
    create = tx(
        "OfferCreate",
        [deleted(), root(49_000_000, before=49_000_012)],
        account=OWNER,
        sequence=9,
        result="tecKILLED",
        OfferSequence=7,
        TakerGets=usd("9"),
        TakerPays="1000000",
    )
    outcome = step(sells_xrp, 101, create)
    assert reason(outcome) is RemovalReason.SELF_CROSSED
    assert outcome.changed[9].status is OrderStatus.REJECTED


def test_a_failed_replacement_that_touches_nothing_leaves_the_old_order_alive(
    sells_xrp: AccountState,
) -> None:
    create = tx(
        "OfferCreate",
        [root(49_000_000, before=49_000_012)],
        account=OWNER,
        sequence=9,
        result="tecUNFUNDED_OFFER",
        OfferSequence=7,
        TakerGets="10000000",
        TakerPays=usd("6"),
    )
    step(sells_xrp, 101, create)
    assert sells_xrp.orders[7].status is OrderStatus.ACCEPTED


def test_an_account_delete_takes_its_offers_along(sells_xrp: AccountState) -> None:
    outcome = step(sells_xrp, 101, tx("AccountDelete", [deleted()], account=OWNER))
    assert reason(outcome) is RemovalReason.ACCOUNT_DELETED


@pytest.mark.parametrize(
    ("gets_left", "pays_left"),
    [("0", usd("0")), ("3", usd("0")), ("0", usd("1e-15"))],
    ids=["nothing left", "dust left to give", "dust left to get"],
)
def test_consumed_to_nothing_on_one_side_is_filled(
    sells_xrp: AccountState, gets_left: object, pays_left: object
) -> None:
    before = {"TakerGets": "10000000", "TakerPays": usd("5")}
    outcome = step(sells_xrp, 101, tx("OfferCreate", [deleted(gets_left, pays_left, before=before)]))
    assert reason(outcome) is RemovalReason.FILLED


def test_a_fill_may_show_on_one_side_only_and_the_absent_side_did_not_change(sells_xrp: AccountState) -> None:
    consumed = offer("ModifiedNode", 7, "9999999", usd("5"), before={"TakerGets": "10000000"})
    outcome = step(sells_xrp, 101, tx("OfferCreate", [consumed]))
    [fill] = outcome.events
    assert isinstance(fill, OrderFilled)
    assert (fill.gave.value, fill.got.value) == (Decimal(1), Decimal(0))


@pytest.mark.parametrize(
    ("expiration", "expected"),
    [(400, RemovalReason.EXPIRED), (401, RemovalReason.UNEXPLAINED)],
    ids=["at the parent's close", "a second after it"],
)
def test_expiration_is_held_against_the_parents_close_time(expiration: int, expected: RemovalReason) -> None:
    ledger = state(offers=[listed(7, "10000000", usd("5"), expiration=expiration)])
    outcome = step(ledger, 101, tx("OfferCreate", [deleted(Expiration=expiration)]))
    assert made.header(101).parent_close_time == 400
    assert reason(outcome) is expected


def test_a_traded_offer_is_not_expired_whatever_its_expiration_says(sells_usd: AccountState) -> None:
    gone = deleted(usd("3"), "6000000", before={"TakerGets": usd("5"), "TakerPays": "10000000"}, Expiration=1)
    outcome = step(sells_usd, 101, tx("OfferCreate", [gone, line("0", "2")]))
    assert reason(outcome) is RemovalReason.UNFUNDED


def test_the_owners_balance_at_zero_in_the_same_transaction_shows_it_unfunded(
    sells_usd: AccountState,
) -> None:
    gone = deleted(usd("3"), "6000000", before={"TakerGets": usd("5"), "TakerPays": "10000000"})
    outcome = step(sells_usd, 101, tx("OfferCreate", [gone, line("0", "2")]))
    assert reason(outcome) is RemovalReason.UNFUNDED
    fill = next(event for event in outcome.events if isinstance(event, OrderFilled))
    assert (fill.gave.value, fill.got.value) == (Decimal(2), Decimal(4_000_000))


def test_an_earlier_transaction_that_took_the_funds_away_shows_it_unfunded(sells_usd: AccountState) -> None:
    step(sells_usd, 101, tx("Payment", [line("0", "1000")], account=OWNER, sequence=8))
    outcome = step(sells_usd, 102, tx("OfferCreate", [deleted(usd("5"), "10000000")]))
    assert reason(outcome) is RemovalReason.UNFUNDED


def test_a_line_frozen_by_the_issuer_counts_as_no_funds(sells_usd: AccountState) -> None:
    frozen_by_high = 0x0080_0000
    step(sells_usd, 101, tx("TrustSet", [line("1000", "1000", flags=frozen_by_high)], account=ISSUER))
    outcome = step(sells_usd, 102, tx("OfferCreate", [deleted(usd("5"), "10000000")]))
    assert reason(outcome) is RemovalReason.UNFUNDED


@pytest.mark.parametrize(
    ("drops", "expected"),
    [(1_400_000, RemovalReason.UNFUNDED), (1_400_001, RemovalReason.UNEXPLAINED)],
    ids=["on the reserve", "a drop above it"],
)
def test_xrp_is_held_against_the_reserve_that_counts_the_offer_itself(
    sells_xrp: AccountState, drops: int, expected: RemovalReason
) -> None:
    removed = root(drops, before=drops, owners=1)
    removed["ModifiedNode"]["PreviousFields"]["OwnerCount"] = 2
    outcome = step(sells_xrp, 101, tx("OfferCreate", [deleted(), removed]))
    assert reason(outcome) is expected


def test_the_owners_own_order_on_the_other_side_self_crosses_it(sells_xrp: AccountState) -> None:
    create = tx(
        "OfferCreate",
        [deleted(), offer("CreatedNode", 9, usd("5"), "9000000"), root(49_000_000, before=49_000_012)],
        account=OWNER,
        sequence=9,
        TakerGets=usd("5"),
        TakerPays="9000000",
    )
    outcome = step(sells_xrp, 101, create)
    assert reason(outcome) is RemovalReason.SELF_CROSSED


def test_what_the_crossing_order_bought_first_may_fund_the_offer_that_it_meets_next() -> None:
    penniless = state(offers=[SELLS_USD], usd_balance="0")
    create = tx(
        "OfferCreate",
        [deleted(usd("5"), "10000000"), line("3", "0"), root(44_000_000, before=50_000_000)],
        account=OWNER,
        sequence=9,
        TakerGets="6000000",
        TakerPays=usd("3"),
    )
    assert reason(step(penniless, 101, create)) is RemovalReason.SELF_CROSSED


def test_the_owners_own_order_in_another_book_does_not_self_cross_it(sells_xrp: AccountState) -> None:
    create = tx(
        "OfferCreate",
        [deleted(), offer("CreatedNode", 9, made.eur("5"), "9000000"), root(49_000_000, before=49_000_012)],
        account=OWNER,
        sequence=9,
        TakerGets=made.eur("5"),
        TakerPays="9000000",
    )
    assert reason(step(sells_xrp, 101, create)) is RemovalReason.UNEXPLAINED


@pytest.mark.parametrize(
    ("pays_left", "expected"),
    [("1", RemovalReason.TINY), ("2", RemovalReason.UNEXPLAINED)],
    ids=["worth a drop", "worth two"],
)
def test_a_rest_worth_no_more_than_a_drop_is_too_small_to_trade(
    sells_usd: AccountState, pays_left: str, expected: RemovalReason
) -> None:
    before = {"TakerGets": usd("5"), "TakerPays": "10000000"}
    gone = deleted(usd("0.0000006"), pays_left, before=before)
    assert reason(step(sells_usd, 101, tx("OfferCreate", [gone, line("995", "1000")]))) is expected


def test_an_offer_that_gives_nothing_and_did_not_trade_is_not_called_too_small(
    sells_usd: AccountState,
) -> None:
    gone = deleted(usd("0"), "10000000")
    assert reason(step(sells_usd, 101, tx("OfferCreate", [gone]))) is RemovalReason.UNEXPLAINED


def test_what_no_rule_proves_is_unexplained_unresolved_and_an_anomaly(sells_xrp: AccountState) -> None:
    outcome = step(sells_xrp, 101, tx("OfferCreate", [deleted()]))
    [event] = outcome.events
    assert isinstance(event, OrderDisappeared)
    assert (event.removal_reason, event.resolution, event.anomaly) == (
        RemovalReason.UNEXPLAINED,
        Resolution.UNRESOLVED,
        True,
    )
