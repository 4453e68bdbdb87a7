"""Every fault shows, and none where it was not asked for."""

from __future__ import annotations

import pytest
from replaying import Client, Json, Socket, recorded, serving

from replay_node.faults import Faults

RANDOM = "random_2"
SECOND = recorded(RANDOM).ledgers[1]
MAKER = recorded(RANDOM).accounts["maker"]


async def streamed(client: Client, socket: Socket) -> list[str]:
    """Close one ledger and return the hashes of its transactions as they came, up to the next ledger."""
    await socket.ask("subscribe", streams=["ledger", "transactions"])
    await client.rpc("ledger_accept")
    await client.rpc("replay_fault", skip=0, double=0, reorder=0)
    await client.rpc("ledger_accept")
    hashes: list[str] = []
    while (message := await socket.next()).get("ledger_index") == SECOND.ledger_index:
        if message["type"] == "transaction":
            hashes.append(message["transaction"]["hash"])
    return hashes


@pytest.mark.parametrize("fault", ["skip", "double", "reorder"])
async def test_a_disturbed_stream_differs_from_the_recorded_one_and_is_the_same_each_time(fault: str) -> None:
    whole = [raw["hash"] for raw in SECOND.transactions]
    seen: list[list[str]] = []
    for _ in range(2):
        async with serving(RANDOM, seed=3, **{fault: 0.5}) as client, client.socket() as socket:
            seen.append(await streamed(client, socket))

    assert seen[0] == seen[1]
    if fault == "skip":
        assert set(seen[0]) < set(whole)
    elif fault == "double":
        assert list(dict.fromkeys(seen[0])) == whole
        assert len(seen[0]) > len(whole)
    else:
        assert sorted(seen[0]) == sorted(whole)
        assert seen[0] != whole


async def test_delayed_messages_let_an_answer_overtake_them() -> None:
    async with serving(RANDOM, delay=0.05) as client, client.socket() as socket:
        await socket.ask("subscribe", streams=["ledger"])
        await client.rpc("ledger_accept")
        answer = await socket.ask("ping", id="first")
        late = await socket.next()

    assert answer["id"] == "first"
    assert late["type"] == "ledgerClosed"


async def test_the_connection_closes_after_so_many_messages_and_a_new_one_can_be_made() -> None:
    async with serving(RANDOM, close_after=3) as client:
        async with client.socket() as socket:
            await socket.ask("subscribe", streams=["ledger", "transactions"])
            await client.rpc("ledger_accept")
            messages = await socket.messages(3)
            code = await socket.closed_with()
        async with client.socket() as again:
            answer = await again.ask("ping")

    assert [message["type"] for message in messages] == ["ledgerClosed", "transaction", "transaction"]
    assert code == 1008
    assert answer["status"] == "success"


async def test_all_connections_can_be_closed_at_once() -> None:
    async with serving(RANDOM) as client, client.socket() as one, client.socket() as other:
        await one.ask("ping")
        await other.ask("ping")
        await client.rpc("replay_fault", close_now=True)
        codes = [await one.closed_with(), await other.closed_with()]

    assert codes == [1008, 1008]


async def test_so_many_requests_are_told_to_slow_down() -> None:
    async with serving(RANDOM, slow_down=2) as client:
        answers = [await client.rpc("ping") for _ in range(3)]

    assert [answer.get("error") for answer in answers] == ["slowDown", "slowDown", None]
    assert answers[0]["error_code"] == 10


async def test_an_overloaded_server_answers_503_in_plain_text_and_closes_the_websocket() -> None:
    async with serving(RANDOM, overload=1) as client:
        async with client.http.post(client.url, json={"method": "ping"}) as refused:
            status, text, kind = refused.status, await refused.text(), refused.content_type
        async with client.socket() as socket:
            await client.rpc("replay_fault", overload=1)
            await socket.socket.send_json({"command": "ping"})
            code = await socket.closed_with()
        answer = await client.rpc("ping")

    assert (status, text.strip(), kind) == (503, "Server is overloaded", "text/plain")
    assert code == 1008
    assert answer["status"] == "success"


async def test_a_loaded_server_warns() -> None:
    async with serving(RANDOM, load_warning=2) as client, client.socket() as socket:
        over_http = await client.rpc("ping")
        over_websocket = await socket.ask("ping")
        calm = await client.rpc("ping")

    assert over_http["warning"] == over_websocket["warning"] == "load"
    assert "warning" not in calm


async def test_a_hole_in_history_shows_everywhere() -> None:
    first = recorded(RANDOM).ledgers[0].ledger_index
    last = recorded(RANDOM).ledgers[-1].ledger_index
    hole = recorded(RANDOM).ledgers[10]
    async with serving(RANDOM) as client:
        client.close_all()
        await client.rpc("replay_fault", hole=[hole.ledger_index, hole.ledger_index + 4])
        info = await client.rpc("server_info")
        gone = await client.rpc("ledger", ledger_index=hole.ledger_index)
        tx = await client.rpc("tx", transaction=hole.transactions[0]["hash"])
        cut = await client.rpc("account_tx", account=MAKER, ledger_index_min=first)
        refused = await client.rpc("account_tx", account=MAKER, ledger_index_min=first, api_version=2)

    around = f"{first}-{hole.ledger_index - 1},{hole.ledger_index + 5}-{last}"
    assert info["info"]["complete_ledgers"] == around
    assert gone["error"] == "lgrNotFound"
    assert tx["error"] == "txnNotFound"
    assert cut["ledger_index_min"] == hole.ledger_index + 5
    assert refused["error"] == "lgrIdxMalformed"


async def test_an_empty_page_has_a_marker_from_which_everything_follows() -> None:
    async with serving(RANDOM) as client:
        client.close_all()
        for method, member in (("account_tx", "transactions"), ("account_offers", "offers")):
            whole: Json = await client.rpc(method, account=MAKER, forward=True)
            await client.rpc("replay_fault", empty_pages=1)
            empty = await client.rpc(method, account=MAKER, forward=True)
            rest = await client.rpc(method, account=MAKER, forward=True, marker=empty["marker"])
            assert empty[member] == []
            assert rest[member] == whole[member]


async def test_a_server_on_another_chain_has_other_hashes_that_fit_each_other() -> None:
    first, second = recorded(RANDOM).ledgers[:2]
    async with serving(RANDOM, other_chain=True) as client, client.socket() as socket:
        await socket.ask("subscribe", streams=["ledger"])
        await client.rpc("ledger_accept")
        streamed_hash = (await socket.next())["ledger_hash"]
        parent = await client.rpc("ledger", ledger_index=first.ledger_index)
        child = await client.rpc("ledger", ledger_index=second.ledger_index)
        by_hash = await client.rpc("ledger", ledger_hash=child["ledger_hash"])
        real = await client.rpc("ledger", ledger_hash=second.header["ledger_hash"])

    assert child["ledger_hash"] == streamed_hash != second.header["ledger_hash"]
    assert child["ledger"]["parent_hash"] == parent["ledger_hash"]
    assert by_hash["ledger_index"] == second.ledger_index
    assert real["error"] == "lgrNotFound"


async def test_a_server_that_lags_is_so_many_ledgers_behind_in_answers_and_streams() -> None:
    ledgers = recorded(RANDOM).ledgers
    async with serving(RANDOM, lag=2) as client, client.socket() as socket:
        await socket.ask("subscribe", streams=["ledger"])
        for _ in range(3):
            await client.rpc("ledger_accept")
        info = await client.rpc("server_info")
        closed = await socket.next()
        unseen = await client.rpc("ledger", ledger_index=ledgers[3].ledger_index)

    assert info["info"]["validated_ledger"]["seq"] == ledgers[1].ledger_index
    assert closed["ledger_index"] == ledgers[1].ledger_index
    assert unseen["error"] == "lgrNotFound"


async def test_a_fault_that_is_none_changes_nothing_and_says_what_was_expected() -> None:
    async with serving(RANDOM) as client:
        unknown = await client.rpc("replay_fault", nonsense=1, skip=1)
        wrong = await client.rpc("replay_fault", double=7)
        table = await client.rpc("replay_fault")

    assert "nonsense" in unknown["error_message"]
    assert "<= 1.0" in wrong["error_message"]
    assert (table["faults"]["skip"], table["faults"]["double"]) == (0, 0)


async def test_faults_are_independent_of_each_other() -> None:
    names = [name for name in Faults.__struct_fields__ if name not in ("seed", "skip")]
    async with serving(RANDOM, skip=0.5) as client:
        table = (await client.rpc("replay_fault", slow_down=1))["faults"]

    assert table["skip"] == 0.5
    assert {name for name in names if table[name]} == {"slow_down"}
