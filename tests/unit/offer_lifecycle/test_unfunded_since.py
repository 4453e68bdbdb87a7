"""Who removed an unfunded offer, and since when it was one, are two facts."""

import made_ledger as made
import pytest
from made_ledger import ISSUER, OWNER, line, listed, offer, root, state, step, tx, unknown, usd

from offer_lifecycle import HIGH_FREEZE, AccountState, LedgerOutcome
from order_events import OrderDisappeared, RemovalReason

SELLS_USD, SELLS_XRP = listed(7, usd("5"), "10000000"), listed(7, "10000000", usd("5"))
ON_TWO, ON_THREE = 1_400_000, 1_600_000
"""The reserves, in drops, of who owns so many objects."""


def since(outcome: LedgerOutcome) -> tuple[str | None, str | None]:
    """Return (removed_by, unfunded_since) of the one offer that ended unfunded."""
    [event] = [event for event in outcome.events if isinstance(event, OrderDisappeared)]
    assert event.removal_reason is RemovalReason.UNFUNDED
    return event.removed_by, event.unfunded_since


def swept(*more: made.Raw, gets: object | None = None, pays: object = "10000000") -> made.Raw:
    gone = offer("DeletedNode", 7, usd("5") if gets is None else gets, pays)
    return tx("OfferCreate", [gone, *more], name="SWEEP")


def swept_xrp(*more: made.Raw) -> made.Raw:
    return swept(*more, gets="10000000", pays=usd("5"))


def owns(drops: int, *, before: int | None = None, owners: int, owners_before: int | None = None) -> made.Raw:
    """The owner's root; OwnerCount is what the reserve is counted by."""
    node = root(drops, before=before, owners=owners)
    if owners_before is not None:
        node["ModifiedNode"]["PreviousFields"]["OwnerCount"] = owners_before
    return node


@pytest.fixture
def sells_usd() -> AccountState:
    return state(offers=[SELLS_USD])


def test_a_token_paid_away_earlier_names_the_payment_and_not_the_sweep(sells_usd: AccountState) -> None:
    step(sells_usd, 101, tx("Payment", [line("0", "1000")], account=OWNER, name="PAID"))
    assert since(step(sells_usd, 105, swept())) == ("SWEEP", "PAID")


def test_an_offer_that_became_unfunded_as_it_was_met_is_unfunded_since_then(sells_usd: AccountState) -> None:
    assert since(step(sells_usd, 101, swept(line("0", "2")))) == ("SWEEP", "SWEEP")


def test_an_earlier_transaction_of_the_same_ledger_counts(sells_usd: AccountState) -> None:
    paid = tx("Payment", [line("0", "1000")], account=OWNER, name="PAID")
    assert since(step(sells_usd, 101, paid, swept())) == ("SWEEP", "PAID")


def test_a_freeze_of_the_line_takes_the_funds_away(sells_usd: AccountState) -> None:
    frozen = line("9", "9", flags=HIGH_FREEZE)
    frozen["ModifiedNode"]["PreviousFields"] = {"Flags": 0}
    step(sells_usd, 101, tx("TrustSet", [frozen], account=ISSUER, name="FROZEN"))
    assert since(step(sells_usd, 102, swept())) == ("SWEEP", "FROZEN")


def test_what_was_empty_when_its_account_was_adopted_is_unfunded_since_nobody_knows() -> None:
    assert since(step(state(offers=[SELLS_USD], usd_balance="0"), 101, swept())) == ("SWEEP", None)


def test_touching_an_empty_balance_again_does_not_make_it_empty_since_then(sells_usd: AccountState) -> None:
    step(sells_usd, 101, tx("Payment", [line("0", "1000")], account=OWNER, name="PAID"))
    step(sells_usd, 102, tx("TrustSet", [line("0", "0")], account=OWNER, name="LIMIT"))
    assert since(step(sells_usd, 103, swept(line("0", "0")))) == ("SWEEP", "PAID")


def test_only_the_last_time_that_it_became_empty_counts(sells_usd: AccountState) -> None:
    step(sells_usd, 101, tx("Payment", [line("0", "1000")], account=OWNER, name="PAID"))
    step(sells_usd, 102, tx("Payment", [line("3", "0")], name="REFUNDED"))
    step(sells_usd, 103, tx("Payment", [line("0", "3")], account=OWNER, name="PAID AGAIN"))
    assert since(step(sells_usd, 104, swept())) == ("SWEEP", "PAID AGAIN")


def test_a_balance_that_was_filled_up_again_leaves_no_moment_behind(sells_usd: AccountState) -> None:
    step(sells_usd, 101, tx("Payment", [line("0", "1000")], account=OWNER, name="PAID"))
    step(sells_usd, 102, tx("Payment", [line("3", "0")], name="REFUNDED"))
    assert sells_usd.record.holdings[made.USD].emptied_by is None


def test_of_an_account_followed_from_nowhere_it_is_known_from_the_first_transaction_that_shows_it() -> None:
    seen = unknown()
    step(seen, 101, tx("Payment", [line("0", "1000")], account=OWNER, name="PAID"))
    assert since(step(seen, 102, swept())) == ("SWEEP", "PAID")
    unseen = unknown()
    step(unseen, 101, tx("TrustSet", [line("0", "0")], account=OWNER, name="LIMIT"))
    assert since(step(unseen, 102, swept())) == ("SWEEP", None)


def test_xrp_that_a_grown_reserve_takes_away_names_what_made_it_grow() -> None:
    ledger = state(offers=[SELLS_XRP], drops=ON_THREE)
    step(ledger, 101, tx("TicketCreate", [owns(ON_THREE, owners=3, owners_before=2)], name="GREW"))
    removed = swept_xrp(owns(ON_THREE, owners=2, owners_before=3))
    assert since(step(ledger, 102, removed)) == ("SWEEP", "GREW")


def test_xrp_spent_down_to_the_reserve_names_the_payment() -> None:
    ledger = state(offers=[SELLS_XRP])
    paid = owns(ON_TWO, before=50_000_000, owners=2)
    step(ledger, 101, tx("Payment", [paid], account=OWNER, name="PAID"))
    assert since(step(ledger, 102, swept_xrp(owns(ON_TWO, owners=1, owners_before=2)))) == ("SWEEP", "PAID")


def test_xrp_taken_down_to_the_reserve_as_the_offer_was_met_is_unfunded_since_then() -> None:
    ledger = state(offers=[SELLS_XRP])
    taken = owns(ON_TWO, before=50_000_000, owners=1, owners_before=2)
    assert since(step(ledger, 101, swept_xrp(taken))) == ("SWEEP", "SWEEP")


def test_a_global_freeze_found_in_the_ledger_before_is_since_nobody_knows(sells_usd: AccountState) -> None:
    frozen = made.answer({"account_root": ISSUER}, {"Balance": "1", "OwnerCount": 0, "Flags": 0x0040_0000})
    assert since(step(sells_usd, 101, swept(), answers=(frozen,))) == ("SWEEP", None)
