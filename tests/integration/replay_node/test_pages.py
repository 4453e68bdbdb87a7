"""Pages joined are the whole: nothing is lost or doubled at a page's edge."""

from __future__ import annotations

import json

import pytest
from replaying import Client, Json, recorded, serving


async def all_pages(client: Client, method: str, member: str, **params: object) -> list[Json]:
    """Follow the markers to the end and join what the pages hold."""
    joined: list[Json] = []
    marker: dict[str, object] = {}
    while True:
        page = await client.rpc(method, **params, **marker)
        joined += page[member]
        if "marker" not in page:
            return joined
        marker = {"marker": page["marker"]}


def history(name: str, address: str) -> list[str]:
    """Return the hashes of the transactions whose metadata names the account, from the recording itself."""
    return [
        raw["hash"]
        for ledger in recorded(name).ledgers
        for raw in ledger.transactions
        if f'"{address}"' in json.dumps(raw["metaData"]["AffectedNodes"])
    ]


@pytest.mark.parametrize("name", ["random_2", "ticketed", "account_deleted", "grid_swept"])
@pytest.mark.parametrize("forward", [True, False])
async def test_an_account_s_history_walked_in_pages_is_the_recorded_one(name: str, forward: bool) -> None:  # noqa: FBT001
    async with serving(name) as client:
        client.close_all()
        for address in recorded(name).accounts.values():
            walked = await all_pages(
                client, "account_tx", "transactions", account=address, forward=forward, limit=7, api_version=2
            )
            hashes = [transaction["hash"] for transaction in walked]
            assert hashes[:: 1 if forward else -1] == history(name, address)


async def test_a_deleted_account_s_offers_are_not_found_but_its_history_is() -> None:
    maker = recorded("account_deleted").accounts["maker"]
    async with serving("account_deleted") as client:
        client.close_all()
        offers = await client.rpc("account_offers", account=maker, ledger_index="validated")
        walked = await client.rpc("account_tx", account=maker, ledger_index_min=465, ledger_index_max=724)
        skipped = await client.rpc("ledger", ledger_index=500)
        info = await client.rpc("server_info")

    assert offers["error"] == "actNotFound"
    assert len(walked["transactions"]) == 2
    assert skipped["error"] == "lgrNotFound"
    assert info["info"]["complete_ledgers"] == "463-725"


@pytest.mark.parametrize("name", ["random_2", "ticketed", "grid_swept"])
async def test_offers_and_lines_in_pages_are_those_recorded_after_the_ledger(name: str) -> None:
    async with serving(name) as client:
        client.close_all()
        for ledger in recorded(name).ledgers[:: max(1, len(recorded(name).ledgers) // 6)]:
            for state in ledger.after.values():
                asked = {
                    "account": state["account_data"]["Account"],
                    "ledger_index": ledger.ledger_index,
                    "limit": 10,
                }
                assert await all_pages(client, "account_offers", "offers", **asked) == state["offers"]
                assert await all_pages(client, "account_lines", "lines", **asked) == state["lines"]


async def test_a_page_that_other_objects_fill_holds_no_offers_and_has_a_marker() -> None:
    issuer = recorded("random_crowd_4").accounts["issuer"]  # its directory is full of trust lines
    async with serving("random_crowd_4") as client:
        page = await client.rpc("account_offers", account=issuer, limit=10)

    assert page["offers"] == []
    assert page["limit"] == 10
    assert "marker" in page


async def test_a_limit_is_brought_into_the_method_s_range() -> None:
    maker = recorded("random_2").accounts["maker"]
    async with serving("random_2") as client:
        client.close_all()
        page = await client.rpc("account_offers", account=maker, limit=1)
        wrong = await client.rpc("account_offers", account=maker, limit="ten")

    assert page["limit"] == 10
    assert wrong["error_message"] == "Invalid field 'limit', not unsigned integer."


async def test_a_marker_that_names_nothing_is_refused() -> None:
    maker = recorded("random_2").accounts["maker"]
    async with serving("random_2") as client:
        gone = await client.rpc("account_offers", account=maker, marker=f"{'A' * 64},0")
        malformed = await client.rpc("account_offers", account=maker, marker="nonsense")

    assert gone["error_message"] == "Invalid parameters."
    assert malformed["error_message"] == "Invalid field 'marker'."
