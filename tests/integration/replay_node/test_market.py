"""Books and pools at a ledger."""

from __future__ import annotations

from decimal import Decimal

import pytest
from replaying import Client, Json, recorded, serving

XRP = {"currency": "XRP"}


def usd(name: str) -> Json:
    return {"currency": "USD", "issuer": recorded(name).accounts["issuer"]}


def currency(amount: str | Json) -> str:
    return "XRP" if isinstance(amount, str) else str(amount["currency"])


async def both_sides(client: Client, name: str, **params: object) -> list[Json]:
    asks = await client.rpc("book_offers", taker_gets=XRP, taker_pays=usd(name), **params)
    bids = await client.rpc("book_offers", taker_gets=usd(name), taker_pays=XRP, **params)
    return [*asks["offers"], *bids["offers"]]


async def test_a_book_goes_from_the_best_price_to_the_worst_and_holds_every_open_offer() -> None:
    last = recorded("random_2").ledgers[-1]
    async with serving("random_2") as client:
        client.close_all()
        asks = await client.rpc("book_offers", taker_gets=XRP, taker_pays=usd("random_2"), limit=100)
        rows = await both_sides(client, "random_2", limit=100)

    prices = [Decimal(row["quality"]) for row in asks["offers"]]
    assert prices == sorted(prices)
    in_this_market = [
        row["seq"]
        for state in last.after.values()
        for row in state["offers"]
        if {currency(row["taker_gets"]), currency(row["taker_pays"])} == {"USD", "XRP"}
    ]
    assert sorted(row["Sequence"] for row in rows) == sorted(in_this_market)


async def test_the_funds_of_an_owner_stand_on_its_first_row_only() -> None:
    async with serving("random_2") as client:
        client.close_all()
        asks = await client.rpc("book_offers", taker_gets=XRP, taker_pays=usd("random_2"))

    with_funds = [row["Account"] for row in asks["offers"] if "owner_funds" in row]
    assert sorted(with_funds) == sorted({row["Account"] for row in asks["offers"]})


@pytest.mark.parametrize("name", ["unfunded_lingering", "frozen_line", "global_freeze"])
async def test_an_offer_without_funds_stays_in_the_book_and_says_so(name: str) -> None:
    async with serving(name) as client:
        await client.rpc("ledger_accept")
        funded = [row for row in await both_sides(client, name) if "taker_gets_funded" not in row]
        await client.rpc("ledger_accept")
        rows = await both_sides(client, name)

    assert funded
    assert [row["owner_funds"] for row in rows] == ["0"]
    funded_amounts = [row["taker_gets_funded"] for row in rows]
    assert [amount if isinstance(amount, str) else amount["value"] for amount in funded_amounts] == ["0"]


async def test_an_expired_offer_stays_in_the_book() -> None:
    async with serving("expired_lingering") as client:
        client.close_all()
        (row,) = await both_sides(client, "expired_lingering")

    assert row["Expiration"] < recorded("expired_lingering").ledgers[-1].header["parent_close_time"]


async def test_a_pool_made_in_the_session_has_its_fee_and_its_holdings() -> None:
    async with serving("with_amm") as client:
        before = await client.rpc("amm_info", asset=XRP, asset2=usd("with_amm"))
        client.close_all()
        pool = (await client.rpc("amm_info", asset=XRP, asset2=usd("with_amm")))["amm"]

    assert before["error"] == "actNotFound"
    assert pool["amount"] == "900000000"
    assert pool["amount2"]["value"] == "555.8372403814569"
    assert (pool["trading_fee"], pool["lp_token"]["value"]) == (500, "707106.7811865475")
    assert pool["auction_slot"]["discounted_fee"] == 50


async def test_an_older_pool_is_known_from_its_trades() -> None:
    async with serving("random_amm_3") as client:
        await client.rpc("ledger_accept")
        pool = (await client.rpc("amm_info", asset=XRP, asset2=usd("random_amm_3")))["amm"]

    assert pool["amount"] == "3992049780"
    assert pool["amount2"]["value"] == "2004.042189745138"


async def test_a_market_that_is_none_is_refused_as_the_real_node_refuses_it() -> None:
    async with serving("random_2") as client:
        same = await client.rpc("book_offers", taker_gets=XRP, taker_pays=XRP)
        missing = await client.rpc("book_offers", taker_gets=XRP)
        no_issuer = await client.rpc("book_offers", taker_gets=XRP, taker_pays={"currency": "USD"})

    assert (same["error"], same["error_code"]) == ("badMarket", 42)
    assert missing["error_message"] == "Missing field 'taker_pays'."
    assert no_issuer["error"] == "srcIsrMalformed"
