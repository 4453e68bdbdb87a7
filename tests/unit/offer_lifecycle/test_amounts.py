from decimal import Decimal, Inexact

import made_ledger as made
import pytest

from offer_lifecycle import EXACT, format_decimal, limit_price, market_of, parse_amount, units
from order_events import Amount, Side


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("1000000", Amount("XRP", Decimal(1_000_000))),
        ("-5", Amount("XRP", Decimal(-5))),
        ({"currency": "USD", "issuer": "rI", "value": "1234e-5"}, Amount("USD.rI", Decimal("0.01234"))),
        ({"mpt_issuance_id": made.MPT.lower(), "value": "7"}, Amount(made.MPT, Decimal(7))),
    ],
    ids=["drops", "negative drops", "a token with an exponent", "an MPT"],
)
def test_every_way_of_writing_an_amount_is_read(raw: object, expected: Amount) -> None:
    assert parse_amount(raw) == expected


@pytest.mark.parametrize(
    "raw",
    [
        None,
        5,
        "five",
        "NaN",
        "Infinity",
        "1.5",
        "1e400",
        {"currency": "USD"},
        {"value": "1"},
        made.mpt("1e100"),
        made.mpt("1e-101"),
        made.mpt("0." + 63 * "1"),
        {"mpt_issuance_id": "00AA", "value": "1"},
    ],
)
def test_what_is_no_amount_is_refused_with_what_was_found(raw: object) -> None:
    with pytest.raises(ValueError, match=r"expected .* found"):
        parse_amount(raw)


def test_the_largest_and_the_smallest_token_value_add_up_exactly() -> None:
    largest, smallest = Decimal("9999999999999999e80"), Decimal("1e-96")
    assert EXACT.subtract(EXACT.add(largest, smallest), largest) == smallest


def test_a_sum_that_can_not_be_exact_is_an_error_and_not_a_rounding() -> None:
    with pytest.raises(Inexact):
        EXACT.add(Decimal("1e400"), Decimal("1e-96"))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("50.00", "50"),
        ("20.40", "20.4"),
        ("1E+3", "1000"),
        ("0E-10", "0"),
        ("1e-7", "0.0000001"),
        ("-0", "0"),
    ],
)
def test_numbers_are_written_short_and_without_an_exponent(value: str, text: str) -> None:
    assert format_decimal(Decimal(value)) == text


def test_xrp_is_the_base_of_a_market_and_its_seller_sells() -> None:
    assert market_of("XRP", "USD.rI") == ("XRP/USD.rI", Side.SELL)
    assert market_of("USD.rI", "XRP") == ("XRP/USD.rI", Side.BUY)


def test_of_two_tokens_the_one_that_sorts_first_is_the_base() -> None:
    assert market_of("EUR.rI", "USD.rI") == ("EUR.rI/USD.rI", Side.SELL)
    assert market_of("USD.rI", "EUR.rI") == ("EUR.rI/USD.rI", Side.BUY)


def test_a_price_is_in_quote_per_base_with_xrp_in_xrp() -> None:
    gives, asks = Amount("XRP", Decimal(100_000_000)), Amount("USD.rI", Decimal(50))
    assert limit_price(Side.SELL, gives, asks) == Decimal("0.5")
    assert limit_price(Side.BUY, asks, gives) == Decimal("0.5")
    assert units(gives) == Decimal(100)
