"""Which ledgers a client can see, and when."""

from __future__ import annotations

import pytest
from replaying import Client, recorded, serving

from replay_node.pace import Pace

RANDOM = "random_2"


async def validated(client: Client) -> int:
    info = await client.rpc("server_info")
    index: int = info["info"]["validated_ledger"]["seq"]
    return index


async def test_only_the_first_ledger_is_there_at_the_start_and_the_rest_on_ledger_accept() -> None:
    first, second = recorded(RANDOM).ledgers[:2]
    maker = recorded(RANDOM).accounts["maker"]
    async with serving(RANDOM) as client:
        unclosed = await client.rpc("tx", transaction=second.transactions[0]["hash"])
        too_late = await client.rpc("ledger", ledger_hash=second.header["ledger_hash"])
        nothing = await client.rpc("account_tx", account=maker)
        info = await client.rpc("server_info")
        accepted = await client.rpc("ledger_accept")
        closed = await client.rpc("tx", transaction=second.transactions[0]["hash"])

    assert unclosed["error"] == "txnNotFound"
    assert too_late["error"] == "lgrNotFound"
    assert nothing["transactions"] == []
    assert info["info"]["complete_ledgers"] == str(first.ledger_index)
    assert accepted["ledger_current_index"] == second.ledger_index + 1
    assert closed["validated"] is True


async def test_after_the_last_ledger_nothing_closes_any_more() -> None:
    async with serving(RANDOM) as client:
        client.close_all()
        before = await validated(client)
        again = await client.rpc("ledger_accept")

    assert before == recorded(RANDOM).ledgers[-1].ledger_index
    assert again["ledger_current_index"] == before + 1


async def test_at_the_pace_of_reading_each_read_of_the_last_ledger_closes_the_next() -> None:
    maker = recorded(RANDOM).accounts["maker"]
    first = recorded(RANDOM).ledgers[0].ledger_index
    async with serving(RANDOM, pace=Pace(on_read=True)) as client:
        assert await validated(client) == first
        await client.rpc("account_tx", account=maker, ledger_index_max=first)
        assert await validated(client) == first + 1
        await client.rpc("account_tx", account=maker, ledger_index_max=first)  # behind: nothing new was read
        assert await validated(client) == first + 1
        await client.rpc("ledger", ledger_index=first + 1)
        assert await validated(client) == first + 2
        page = await client.rpc("account_tx", account=maker, limit=1)  # more pages are to be read
        assert "marker" in page
        assert await validated(client) == first + 2


async def test_at_the_pace_of_the_clock_ledgers_close_by_themselves() -> None:
    async with serving("full_fill", pace=Pace(seconds=0.01)) as client, client.socket() as socket:
        await socket.ask("subscribe", streams=["ledger"])
        last = 0
        while last < client.node.chain.last_index:
            last = (await socket.next())["ledger_index"]

    assert last == recorded("full_fill").ledgers[-1].ledger_index


@pytest.mark.parametrize("name", ["validated", "closed", "number", "text", "hash", "current"])
async def test_a_ledger_can_be_named_in_every_way(name: str) -> None:
    first = recorded(RANDOM).ledgers[0]
    named = {"number": first.ledger_index, "text": str(first.ledger_index), "current": "current"}
    params = {"ledger_index": named.get(name, name)}
    if name == "hash":
        params = {"ledger_hash": first.header["ledger_hash"]}
    async with serving(RANDOM) as client:
        answer = await client.rpc("account_info", account=recorded(RANDOM).accounts["maker"], **params)

    if name == "current":
        assert (answer["ledger_current_index"], answer["validated"]) == (first.ledger_index + 1, False)
    else:
        assert (answer["ledger_index"], answer["validated"]) == (first.ledger_index, True)
    assert answer["account_data"] == first.after["maker"]["account_data"]


async def test_a_ledger_that_is_none_is_refused() -> None:
    async with serving(RANDOM) as client:
        texts = [
            (await client.rpc("ledger", **params))["error_message"]
            for params in (
                {"ledger_index": "nonsense"},
                {"ledger_index": -5},
                {"ledger_hash": "nonsense"},
                {"ledger_hash": 5},
            )
        ]

    assert texts == [
        "ledgerIndexMalformed",
        "ledgerIndexMalformed",
        "ledgerHashMalformed",
        "ledgerHashNotString",
    ]


async def test_an_expanded_ledger_lists_its_transactions_by_hash() -> None:
    ledger = recorded(RANDOM).ledgers[10]
    async with serving(RANDOM) as client:
        client.close_all()
        asked = {"ledger_index": ledger.ledger_index, "transactions": True}
        expanded = await client.rpc("ledger", **asked, expand=True, api_version=2)
        plain = await client.rpc("ledger", **asked)

    hashes = [transaction["hash"] for transaction in expanded["ledger"]["transactions"]]
    assert hashes == sorted(raw["hash"] for raw in ledger.transactions)
    assert plain["ledger"]["transactions"] == hashes


async def test_a_range_beyond_the_history_is_cut_in_version_1_and_refused_in_version_2() -> None:
    session = recorded(RANDOM)
    first, last = session.ledgers[0].ledger_index, session.ledgers[-1].ledger_index
    asked = {"account": session.accounts["maker"], "ledger_index_min": first - 5, "ledger_index_max": last}
    async with serving(RANDOM) as client:
        client.close_all()
        cut = await client.rpc("account_tx", **asked)
        refused = await client.rpc("account_tx", **asked, api_version=2)
        unbounded = await client.rpc(
            "account_tx", account=asked["account"], ledger_index_min=-1, ledger_index_max=-1, api_version=2
        )
        both = await client.rpc("account_tx", **asked, ledger_index="validated", api_version=2)

    assert (cut["ledger_index_min"], cut["ledger_index_max"]) == (first, last)
    assert refused["error"] == "lgrIdxMalformed"
    assert (unbounded["ledger_index_min"], unbounded["ledger_index_max"]) == (first, last)
    assert both["error"] == "invalidParams"


async def test_a_transaction_is_found_by_its_compact_id_on_its_network() -> None:
    raw = recorded(RANDOM).ledgers[1].transactions[0]
    async with serving(RANDOM, network_id=21337) as client:
        await client.rpc("ledger_accept")
        ctid = (await client.rpc("tx", transaction=raw["hash"]))["ctid"]
        found = await client.rpc("tx", ctid=ctid)
        elsewhere = await client.rpc("tx", ctid=ctid[:12] + "0000")
        info = await client.rpc("server_info")

    assert ctid.endswith(f"{21337:04X}")
    assert found["hash"] == raw["hash"]
    assert elsewhere["error"] == "wrongNetwork"
    assert info["info"]["network_id"] == 21337


async def test_a_search_for_a_transaction_says_whether_it_saw_every_ledger() -> None:
    first = recorded(RANDOM).ledgers[0].ledger_index
    asked = {"transaction": "0" * 64, "min_ledger": first}
    async with serving(RANDOM) as client:
        whole = await client.rpc("tx", **asked, max_ledger=first)
        part = await client.rpc("tx", **asked, max_ledger=first + 5)

    assert (whole["error"], whole["searched_all"]) == ("txnNotFound", True)
    assert part["searched_all"] is False
