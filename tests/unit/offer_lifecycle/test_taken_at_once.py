"""What an order took at once, to the last digit: its counterparts against its owner's balances."""

from decimal import Decimal

import made_ledger as made
import pytest
from made_ledger import ISSUER, OWNER, STRANGER, eur, line, met, offer, root, tx, usd

from offer_lifecycle import AMM_LINE, Transaction, balance_changes, offer_changes, read_transaction
from offer_lifecycle.counterparts import fill_rounding, taken_at_once

POOL, SPONSOR = "rPool", "rSponsor"
BEFORE, FEE = 50_000_000, 12
ORDER = {"TakerGets": usd("5"), "TakerPays": "10000000"}


def create(nodes: list[made.Raw], **more: object) -> Transaction:
    raw = tx("OfferCreate", nodes, account=OWNER, sequence=9, **{**ORDER, **more})  # type: ignore[arg-type]
    return read_transaction(raw, ledger_index=101)


def taken(nodes: list[made.Raw], **more: object) -> tuple[Decimal, Decimal, str | None]:
    order = create(nodes, **more)
    found = taken_at_once(order, list(offer_changes(order)), list(balance_changes(order, OWNER)))
    return found.gave, found.got, found.problem


def test_a_token_that_moved_by_as_much_as_the_fee_is_not_the_fee() -> None:
    _, _, problem = taken([line("988", "1000")])
    assert problem is not None


def test_an_offer_that_was_only_removed_gave_nothing() -> None:
    dropped = offer("DeletedNode", 7, "10000000", usd("5"), owner=STRANGER)
    assert taken([root(BEFORE - FEE, before=BEFORE), dropped]) == (0, 0, None)


def test_tokens_may_be_off_by_the_last_digits_of_the_balances_and_offers_and_no_further() -> None:
    def problem(balance: str) -> str | None:
        got = root(BEFORE - FEE + 10_000_000, before=BEFORE)
        return taken([got, line(balance, "1000"), met(usd("5"), "10000000")])[2]

    exact = Decimal(995)
    last_digits = Decimal("1e-13") + 2 * Decimal("1e-15") + Decimal("1e-12")
    assert problem(str(exact)) is None
    assert problem(str(exact + Decimal("1e-13"))) is None
    assert problem(str(exact + 10 * last_digits)) is not None


def test_only_what_traded_of_an_asset_is_rounded() -> None:
    idle_offer = offer("DeletedNode", 8, usd("7"), "10000000", owner=STRANGER)
    traded, idle = offer_changes(create([met(usd("5"), "10000000"), idle_offer]))
    each = Decimal("0.5")
    whole = fill_rounding([traded], made.USD, each)
    assert whole > each
    assert fill_rounding([traded, idle], made.USD, each) == whole
    assert fill_rounding([traded], "EUR.rIssuer", each) == 0


def test_what_an_offer_of_another_book_traded_is_not_counted_beside_what_the_order_took() -> None:
    elsewhere = met(eur("5"), "10000000", sequence=4)
    got = root(BEFORE - FEE + 10_000_000, before=BEFORE)
    assert taken([got, line("995", "1000"), met(usd("5"), "10000000"), elsewhere]) == (5, 10_000_000, None)


def test_what_a_trade_left_of_an_offer_is_rounded_as_what_there_was_before_it() -> None:
    before = {"TakerGets": usd("150"), "TakerPays": "30000000"}
    partly = offer("ModifiedNode", 3, usd("5"), "1000000", before=before, owner=STRANGER)
    left, was = Decimal("1e-15"), Decimal("1e-13")
    assert fill_rounding(offer_changes(create([partly])), made.USD, Decimal(1)) == 1 + left + was


def test_the_problem_of_a_bridge_is_that_xrp_stayed_with_the_owner() -> None:
    pool = line("505", "500", account=POOL, flags=AMM_LINE)
    eur_line = line("4", "0", currency="EUR")
    other = line("496", "500", account=POOL, currency="EUR", flags=AMM_LINE)
    nodes = [root(BEFORE - FEE - 7, before=BEFORE), line("995", "1000"), pool, eur_line, other]
    problem = taken(nodes, TakerPays=made.eur("4"))[2]
    assert problem == "the owner's XRP moved by more than the fee, in an order of which XRP is no side"


def test_a_fee_that_the_owner_is_shown_to_have_paid_must_be_in_its_balance() -> None:
    whole = root(BEFORE + 10_000_000, before=BEFORE)
    problem = taken([whole, line("995", "1000"), met(usd("5"), "10000000")])[2]
    assert problem is not None


def test_a_large_balance_of_another_party_rounds_the_trade_too() -> None:
    got = root(BEFORE - FEE + 10_000_000, before=BEFORE)
    off = line(str(Decimal(995) + Decimal("1e-10")), "1000")
    offers = met(usd("5"), "10000000")
    large = line("1000005", "1000000", account=STRANGER)
    assert taken([got, off, offers])[2] is not None
    assert taken([got, off, offers, large])[2] is None


PAID = root(BEFORE - FEE, before=BEFORE)


@pytest.mark.parametrize(
    ("nodes", "more"),
    [
        ([PAID, line("995", "1000")], {}),
        ([root(BEFORE + FEE, before=BEFORE)], {}),
        ([root(BEFORE)], {}),
        ([root(BEFORE - 1, before=BEFORE)], {"Delegate": STRANGER}),
        ([root(BEFORE - 1, before=BEFORE)], {"Sponsor": SPONSOR, "SponsorFlags": 1}),
    ],
    ids=[
        "tokens went beside the fee",
        "as much as the fee came in",
        "the fee was not taken",
        "a drop went, and another paid the fee",
        "a drop went, and nobody is shown to have paid the fee",
    ],
)
def test_more_than_the_fee_that_moved_without_a_counterpart_is_a_problem(
    nodes: list[made.Raw], more: dict[str, object]
) -> None:
    assert taken(nodes, **more)[2] is not None


def test_an_order_that_met_nobody_and_cost_its_owner_the_fee_or_nothing_took_nothing() -> None:
    assert taken([PAID]) == (0, 0, None)
    assert taken([root(BEFORE)], Delegate=STRANGER) == (0, 0, None)


def test_where_it_is_not_shown_who_paid_the_fee_the_owner_may_have_paid_it_or_not() -> None:
    def problem(fee: int) -> str | None:
        got = root(BEFORE - fee + 10_000_000, before=BEFORE)
        sponsored = {"Sponsor": SPONSOR, "SponsorFlags": 1}
        return taken([got, line("995", "1000"), met(usd("5"), "10000000")], **sponsored)[2]

    assert [problem(fee) is None for fee in (-1, 0, 1, FEE, FEE + 1)] == [False, True, False, True, False]


# Last digits: of the balance after it and before it, of the fill's own addition, of the offer's two amounts
GAVE_ROUNDING = Decimal("1e-13") + Decimal("1e-12") + Decimal("1e-13") + Decimal("1e-15")
GOT_ROUNDING = 3 * Decimal("1e-12") + Decimal("1e-15")
A_BIT = Decimal("1e-15")


def trade_of_five(gave: Decimal) -> str | None:
    """Return the problem of an order that gave 5 USD by the offer it met, and `gave` by its balance."""
    got = root(BEFORE - FEE + 10_000_000, before=BEFORE)
    return taken([got, line(str(1000 - gave), "1000"), met(usd("5"), "10000000")])[2]


def test_what_an_order_gave_may_lack_what_rounding_takes_and_exceed_the_highest_fee_by_it() -> None:
    least, most = 5 - GAVE_ROUNDING, 10 + GAVE_ROUNDING
    given = (least - A_BIT, least, most, most + A_BIT)
    assert [trade_of_five(gave) is None for gave in given] == [False, True, True, False]


def test_what_an_order_got_may_be_off_by_what_rounding_takes() -> None:
    def problem(off: Decimal) -> str | None:
        nodes = [root(BEFORE - FEE - 10_000_000, before=BEFORE), line(str(1005 + off), "1000")]
        return taken([*nodes, met("10000000", usd("5"))], TakerGets="10000000", TakerPays=usd("5"))[2]

    offs = (-GOT_ROUNDING - A_BIT, -GOT_ROUNDING, GOT_ROUNDING, GOT_ROUNDING + A_BIT)
    assert [problem(off) is None for off in offs] == [False, True, True, False]


@pytest.mark.parametrize(("owes", "accepted"), [("5", True), ("6", False)])
def test_an_issuer_charges_itself_no_fee(owes: str, *, accepted: bool) -> None:
    holder = line(owes, "0", account=STRANGER)
    nodes = [root(BEFORE - FEE + 10_000_000, before=BEFORE, account=ISSUER), holder]
    raw = tx("OfferCreate", [*nodes, met(usd("5"), "10000000")], account=ISSUER, sequence=9, **ORDER)  # type: ignore[arg-type]
    order = read_transaction(raw, ledger_index=101)
    found = taken_at_once(order, list(offer_changes(order)), list(balance_changes(order, ISSUER)))
    assert (found.problem is None) is accepted
