"""One transaction, one account: every part of a balance's change has a source, or is drift."""

from decimal import Decimal

import pytest
from made_ledger import ISSUER, MPT, OWNER, STRANGER, USD, Raw, eur, line, mpt, mptoken, offer, root, tx, usd

from offer_lifecycle import AMM_LINE, Source, balance_flows, format_decimal, read_transaction

FEE, FILL, TRANSFER_FEE = Source.FEE, Source.FILL, Source.TRANSFER_FEE
PAYMENT, RIPPLED, OTHER = Source.PAYMENT, Source.RIPPLED, Source.OTHER
ROUNDING, DRIFT = Source.ROUNDING, Source.DRIFT


def booked(
    raw: Raw, account: str = OWNER, held: dict[str, Decimal] | None = None
) -> dict[str, dict[Source, str]]:
    found: dict[str, dict[Source, str]] = {}
    for flow in balance_flows(read_transaction(raw, ledger_index=101), account, held):
        assert flow.source not in found.get(flow.asset, {})
        found.setdefault(flow.asset, {})[flow.source] = format_decimal(flow.amount)
    return found


def sold(usd_left: str, usd_before: str, xrp_left: str, xrp_before: str) -> Raw:
    """The owner's resting offer gives USD for XRP."""
    before = {"TakerGets": usd(usd_before), "TakerPays": xrp_before}
    return offer("ModifiedNode", 7, usd(usd_left), xrp_left, before=before)


def theirs(gets: object, pays: object, gets_before: object, pays_before: object) -> Raw:
    """A stranger's resting offer."""
    before = {"TakerGets": gets_before, "TakerPays": pays_before}
    return offer("ModifiedNode", 8, gets, pays, before=before, owner=STRANGER)


def test_the_sender_pays_the_fee_and_nobody_else() -> None:
    raw = tx("AccountSet", [root(88, before=100)], account=OWNER)
    assert booked(raw) == {"XRP": {FEE: "-12"}}
    assert booked(raw, STRANGER) == {}


def test_a_delegate_pays_the_fee_in_the_senders_place() -> None:
    nodes = [root(88, before=100, account=STRANGER), root(50, owners=1)]
    raw = tx("AccountSet", nodes, account=OWNER, Delegate=STRANGER)
    assert booked(raw, STRANGER) == {"XRP": {FEE: "-12"}}
    assert booked(raw) == {}


def test_a_failed_transaction_takes_no_more_than_there_is() -> None:
    raw = tx("Payment", [root(0, before=7)], account=OWNER, result="tecINSUFF_FEE")
    assert booked(raw) == {"XRP": {FEE: "-7"}}


def test_a_failed_transaction_moves_nothing_but_its_fee() -> None:
    raw = tx("Payment", [root(80, before=100)], account=OWNER, result="tecPATH_DRY")
    assert booked(raw) == {"XRP": {FEE: "-12", DRIFT: "-8"}}


@pytest.mark.parametrize("kind", ["OfferCreate", "Payment"])
def test_a_makers_balances_change_by_what_its_offer_gave_and_got(kind: str) -> None:
    nodes = [sold("60", "100", "30", "50"), root(120, before=100), line("960", "1000")]
    assert booked(tx(kind, nodes, **TAKES)) == {"XRP": {FILL: "20"}, USD: {FILL: "-40"}}


TAKES: Raw = {"TakerGets": "20", "TakerPays": usd("40")}


def test_a_drop_that_no_fill_explains_is_drift() -> None:
    nodes = [sold("60", "100", "30", "50"), root(121, before=100), line("960", "1000")]
    assert booked(tx("OfferCreate", nodes, **TAKES)) == {"XRP": {FILL: "20", DRIFT: "1"}, USD: {FILL: "-40"}}


@pytest.mark.parametrize("kind", ["OfferCreate", "OfferCancel"])
def test_a_strangers_order_without_an_offer_of_ours_explains_nothing(kind: str) -> None:
    nodes = [root(105, before=100), line("960", "1000")]
    assert booked(tx(kind, nodes, **TAKES)) == {"XRP": {DRIFT: "5"}, USD: {DRIFT: "-40"}}


def test_a_transfer_fee_is_kept_apart_from_what_the_offer_gave() -> None:
    nodes = [sold("60", "100", "30", "50"), root(120, before=100), line("959.92", "1000")]
    assert booked(tx("OfferCreate", nodes, **TAKES))[USD] == {FILL: "-40", TRANSFER_FEE: "-0.08"}


def test_what_no_transfer_rate_can_make_is_drift() -> None:
    # 1.002 and a bit: a TransferRate has nine digits after the point
    nodes = [sold("60", "100", "30", "50"), root(120, before=100), line("959.91999999", "1000")]
    assert booked(tx("OfferCreate", nodes, **TAKES))[USD] == {FILL: "-40", DRIFT: "-0.08000001"}
    nodes = [sold("60", "100", "30", "50"), root(120, before=100), line("919.9", "1000")]
    assert booked(tx("OfferCreate", nodes, **TAKES))[USD] == {FILL: "-40", DRIFT: "-40.1"}


def test_a_payment_charges_its_sender_and_not_the_maker_for_the_transfer() -> None:
    nodes = [sold("60", "100", "30", "50"), root(120, before=100), line("959.92", "1000")]
    assert booked(tx("Payment", nodes))[USD] == {FILL: "-40", DRIFT: "-0.08"}


def test_a_balance_is_rounded_in_its_last_digit_and_no_further() -> None:
    large = "1000000000000000"
    nodes = [sold("60", "99.7", "30", "50"), root(120, before=100), line("999999999999960", large)]
    assert booked(tx("OfferCreate", nodes, **TAKES))[USD] == {FILL: "-39.7", ROUNDING: "-0.3"}
    nodes = [sold("60", "99.7", "30", "50"), root(120, before=100), line("999999999999970", large)]
    assert booked(tx("OfferCreate", nodes, **TAKES))[USD] == {FILL: "-39.7", DRIFT: "9.7"}


def test_a_balance_that_comes_down_to_a_few_of_its_last_digit_is_nothing() -> None:
    nodes = [sold("5", "45.000000000001", "30", "50"), root(120, before=100), line("0", "40.00000000000108")]
    assert booked(tx("OfferCreate", nodes, **TAKES))[USD] == {
        FILL: "-40.000000000001",
        ROUNDING: "-0.00000000000008",
    }
    nodes[2] = line("0", "40.00000000000308")
    assert DRIFT in booked(tx("Payment", nodes))[USD]


def test_a_fill_too_small_for_a_balance_shows_only_in_the_offer() -> None:
    nodes = [sold("60", "60.01", "30", "50"), root(120, before=100)]
    raw = tx("OfferCreate", nodes, **TAKES)
    held = {USD: Decimal(2_000_000_000_000_000)}
    assert booked(raw, held=held)[USD] == {FILL: "-0.01", ROUNDING: "0.01"}
    assert booked(raw, held={USD: Decimal(2000)})[USD] == {FILL: "-0.01", DRIFT: "0.01"}


def test_a_taker_traded_what_the_other_side_gave_and_got() -> None:
    nodes = [theirs("80", usd("60"), "100", usd("100")), root(108, before=100), line("959.92", "1000")]
    raw = tx("OfferCreate", nodes, account=OWNER, TakerGets=usd("40"), TakerPays="20")
    assert booked(raw) == {"XRP": {FEE: "-12", FILL: "20"}, USD: {FILL: "-40", TRANSFER_FEE: "-0.08"}}


def test_what_goes_back_to_its_issuer_is_charged_no_transfer_fee() -> None:
    nodes = [
        theirs("80", usd("60"), "100", usd("100")),
        offer(
            "ModifiedNode",
            9,
            "90",
            usd("80"),
            before={"TakerGets": "100", "TakerPays": usd("100")},
            owner=ISSUER,
        ),
        root(118, before=100),
        line("939.92", "1000"),
    ]
    raw = tx("OfferCreate", nodes, account=OWNER, TakerGets=usd("60"), TakerPays="30")
    assert booked(raw)[USD] == {FILL: "-60", TRANSFER_FEE: "-0.08"}


def test_an_order_that_a_delegate_signed_traded_no_fee() -> None:
    nodes = [
        theirs("80", usd("60"), "100", usd("100")),
        root(120, before=100),
        line("960", "1000"),
        root(88, before=100, account="rDelegate"),
    ]
    raw = tx("OfferCreate", nodes, account=OWNER, TakerGets=usd("40"), TakerPays="20", Delegate="rDelegate")
    assert booked(raw) == {"XRP": {FILL: "20"}, USD: {FILL: "-40"}}


def test_a_taker_that_got_more_than_the_other_side_gave_has_drift_and_no_fill() -> None:
    nodes = [theirs("80", usd("60"), "100", usd("100")), root(109, before=100), line("960", "1000")]
    raw = tx("OfferCreate", nodes, account=OWNER, TakerGets=usd("40"), TakerPays="20")
    assert booked(raw) == {"XRP": {FEE: "-12", DRIFT: "21"}, USD: {DRIFT: "-40"}}


def test_an_order_of_ours_moves_no_third_asset() -> None:
    nodes = [root(88, before=100), line("960", "1000", currency="EUR")]
    raw = tx("OfferCreate", nodes, account=OWNER, TakerGets=usd("40"), TakerPays="20")
    assert booked(raw) == {"XRP": {FEE: "-12"}, f"EUR.{ISSUER}": {DRIFT: "-40"}}


def test_a_payment_takes_from_its_sender_and_gives_to_its_destination() -> None:
    sent = tx("Payment", [root(58, before=100), line("10", "15")], account=OWNER, Destination=STRANGER)
    assert booked(sent) == {"XRP": {FEE: "-12", PAYMENT: "-30"}, USD: {PAYMENT: "-5"}}
    received = tx("Payment", [root(130, before=100), line("15", "10")], Destination=OWNER)
    assert booked(received) == {"XRP": {PAYMENT: "30"}, USD: {PAYMENT: "5"}}


def test_a_payment_the_wrong_way_or_of_others_is_drift() -> None:
    sent = tx("Payment", [root(118, before=100)], account=OWNER, Destination=STRANGER)
    assert booked(sent) == {"XRP": {FEE: "-12", DRIFT: "30"}}
    received = tx("Payment", [line("5", "10")], Destination=OWNER)
    assert booked(received) == {USD: {DRIFT: "-5"}}
    assert booked(tx("Payment", [root(130, before=100)], Destination=STRANGER)) == {"XRP": {DRIFT: "30"}}


def test_fills_of_the_sender_are_told_from_its_payment() -> None:
    nodes = [sold("60", "100", "30", "50"), root(78, before=100), line("960", "1000")]
    raw = tx("Payment", nodes, account=OWNER, Destination=OWNER)
    assert booked(raw) == {"XRP": {FEE: "-12", FILL: "20", PAYMENT: "-30"}, USD: {FILL: "-40"}}


def between(balance: str, before: str, peer: str) -> Raw:
    """The owner's trust line with another than the issuer."""
    raw = line(balance, before)
    raw["ModifiedNode"]["FinalFields"]["HighLimit"]["issuer"] = peer
    return raw


def test_money_that_ripples_through_leaves_one_line_for_another() -> None:
    through = tx("Payment", [between("90", "100", "rA"), between("10", "0", "rB")])
    assert booked(through) == {"USD.rA": {RIPPLED: "-10"}, "USD.rB": {RIPPLED: "10"}}
    lost = tx("Payment", [between("90", "100", "rA"), between("9", "0", "rB")])
    assert booked(lost) == {"USD.rA": {DRIFT: "-10"}, "USD.rB": {DRIFT: "9"}}


def test_who_passes_its_own_issue_on_may_keep_a_transfer_fee() -> None:
    kept = tx("Payment", [between("110", "100", "rA"), between("-9.98", "0", "rB")])
    assert booked(kept) == {"USD.rA": {RIPPLED: "10"}, f"USD.{OWNER}": {RIPPLED: "-9.98"}}


def test_an_issuer_owes_the_same_to_others_less_the_transfer_fee() -> None:
    nodes = [
        sold("60", "100", "30", "50"),
        line("959.92", "1000"),
        line("40", "0", account=STRANGER),
    ]
    assert booked(tx("OfferCreate", nodes, **TAKES), ISSUER) == {USD: {TRANSFER_FEE: "0.08"}}
    nodes[1] = line("960.5", "1000")
    assert booked(tx("OfferCreate", nodes, **TAKES), ISSUER) == {USD: {DRIFT: "-0.5"}}


def test_what_an_issuer_owes_is_rounded_with_each_fill() -> None:
    second = {"TakerGets": usd("100"), "TakerPays": "50"}
    nodes = [
        sold("80", "100", "40", "50"),
        offer("ModifiedNode", 8, usd("80"), "40", before=second),
        line("999999999999958", "1000000000000000"),
        line("39.7", "0", account=STRANGER),
    ]
    assert booked(tx("OfferCreate", nodes, **TAKES), ISSUER) == {USD: {ROUNDING: "2.3"}}


def test_an_issuer_owes_more_by_what_its_own_offer_gave() -> None:
    before = {"TakerGets": usd("100"), "TakerPays": "50"}
    nodes = [
        offer("ModifiedNode", 9, usd("60"), "30", before=before, owner=ISSUER),
        root(120, before=100, account=ISSUER),
        line("40", "0", account=STRANGER),
    ]
    raw = tx("OfferCreate", nodes, **TAKES)
    assert booked(raw, ISSUER) == {"XRP": {FILL: "20"}, USD: {FILL: "-40"}}


def test_what_an_automated_market_maker_trades_is_no_fill_of_an_offer() -> None:
    nodes = [
        line("1040", "1000", account="rPool", flags=AMM_LINE),
        root(80, before=100, account="rPool"),
        line("960", "1000"),
        root(108, before=100),
    ]
    raw = tx("OfferCreate", nodes, account=OWNER, TakerGets=usd("40"), TakerPays="20")
    assert booked(raw, "rPool") == {"XRP": {OTHER: "-20"}, USD: {OTHER: "40"}}
    assert booked(raw) == {"XRP": {FEE: "-12", FILL: "20"}, USD: {FILL: "-40"}}


def test_a_pool_that_holds_too_much_to_show_what_it_gave_is_still_a_pool() -> None:
    pool = root(101, before=100, account="rPool")
    pool["ModifiedNode"]["FinalFields"]["AMMID"] = "A1"
    assert booked(tx("Payment", [pool]), "rPool") == {"XRP": {OTHER: "1"}}


def test_other_kinds_of_transactions_move_what_they_show() -> None:
    escrow = tx("EscrowFinish", [root(130, before=100)], Destination=OWNER)
    assert booked(escrow) == {"XRP": {OTHER: "30"}}
    clawback = tx("Clawback", [line("10", "15")], account=ISSUER)
    assert booked(clawback) == {USD: {OTHER: "-5"}}


def test_a_transaction_of_a_kind_that_moves_nothing_moves_nothing() -> None:
    raw = tx("TrustSet", [root(80, before=100), line("1000.000000000001", "1000")], account=OWNER)
    assert booked(raw) == {"XRP": {FEE: "-12", DRIFT: "-8"}, USD: {DRIFT: "0.000000000001"}}


def test_what_an_offer_of_an_mpt_gave_is_a_fill() -> None:
    before = {"TakerGets": mpt("100"), "TakerPays": eur("50")}
    nodes = [
        offer("ModifiedNode", 7, mpt("60"), eur("30"), before=before),
        line("20", "0", currency="EUR"),
        mptoken("960", "1000"),
    ]
    assert booked(tx("OfferCreate", nodes, **TAKES)) == {f"EUR.{ISSUER}": {FILL: "20"}, MPT: {FILL: "-40"}}
