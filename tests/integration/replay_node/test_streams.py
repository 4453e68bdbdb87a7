"""Subscriptions over a WebSocket."""

from __future__ import annotations

import json

from replaying import Json, recorded, serving

RANDOM = "random_2"
SECOND = recorded(RANDOM).ledgers[1]


def is_in(address: str, message: Json) -> bool:
    return message["type"] == "transaction" and f'"{address}"' in json.dumps(message["meta"]["AffectedNodes"])


async def test_a_ledger_s_closing_arrives_before_its_transactions_in_recorded_order() -> None:
    async with serving(RANDOM) as client, client.socket() as socket:
        await socket.ask("subscribe", streams=["ledger"], accounts=list(recorded(RANDOM).accounts.values()))
        await client.rpc("ledger_accept")
        messages = await socket.messages(len(SECOND.stream))

    assert messages[0]["type"] == "ledgerClosed"
    assert messages[0]["txn_count"] == len(SECOND.transactions)
    assert messages[0]["validated_ledgers"] == f"{SECOND.ledger_index - 1}-{SECOND.ledger_index}"
    assert messages[1:] == list(SECOND.stream[1:])


async def test_a_subscriber_gets_only_the_accounts_that_it_asked_for() -> None:
    maker = recorded(RANDOM).accounts["maker"]
    expected = [message["transaction"]["hash"] for message in SECOND.stream if is_in(maker, message)]
    async with serving(RANDOM) as client, client.socket() as socket:
        await socket.ask("subscribe", accounts=[maker])
        await client.rpc("ledger_accept")
        messages = await socket.messages(len(expected))
        answer = await socket.ask("ping")  # nothing else was sent before this answer

    assert [message["transaction"]["hash"] for message in messages] == expected
    assert 0 < len(expected) < len(SECOND.transactions)
    assert answer["result"] == {"role": "admin", "unlimited": True}


async def test_version_2_moves_the_hash_out_and_renames_the_transaction() -> None:
    async with serving(RANDOM) as client, client.socket() as socket:
        await socket.ask("subscribe", streams=["transactions"], api_version=2)
        await client.rpc("ledger_accept")
        message = await socket.next()

    assert message["hash"] == SECOND.transactions[0]["hash"]
    assert "hash" not in message["tx_json"]
    assert "transaction" not in message


async def test_subscribing_to_all_and_to_an_account_sends_its_transactions_twice() -> None:
    maker = recorded(RANDOM).accounts["maker"]
    own = sum(is_in(maker, message) for message in SECOND.stream)
    async with serving(RANDOM) as client, client.socket() as socket:
        await socket.ask("subscribe", streams=["transactions"], accounts=[maker])
        await client.rpc("ledger_accept")
        messages = await socket.messages(len(SECOND.transactions) + own)

    hashes = [message["transaction"]["hash"] for message in messages]
    assert len(hashes) - len(set(hashes)) == own


async def test_nothing_comes_after_unsubscribing() -> None:
    maker = recorded(RANDOM).accounts["maker"]
    async with serving(RANDOM) as client, client.socket() as socket:
        await socket.ask("subscribe", streams=["ledger", "transactions"], accounts=[maker])
        off = await socket.ask("unsubscribe", streams=["ledger", "transactions"], accounts=[maker])
        await client.rpc("ledger_accept")
        answer = await socket.ask("ping", id="after")

    assert off["result"] == {}
    assert answer["id"] == "after"


async def test_a_subscription_with_an_error_in_it_is_refused_whole() -> None:
    async with serving(RANDOM) as client, client.socket() as socket:
        stream = await socket.ask("subscribe", streams=["ledger", "nonsense"])
        account = await socket.ask("subscribe", streams=["ledger"], accounts=["nonsense"])
        shape = await socket.ask("subscribe", streams="ledger")
        await client.rpc("ledger_accept")
        answer = await socket.ask("ping", id="after")

    assert (stream["error"], stream["error_code"]) == ("malformedStream", 71)
    assert account["error"] == "actMalformed"
    assert shape["error"] == "invalidParams"
    assert answer["id"] == "after"


async def test_a_message_that_is_no_request_is_answered_and_the_connection_stays() -> None:
    async with serving(RANDOM) as client, client.socket() as socket:
        await socket.socket.send_str("{nonsense")
        broken = await socket.next()
        await socket.socket.send_json({"id": 1})
        nameless = await socket.next()
        version = await socket.ask("ping", api_version=9)
        answer = await socket.ask("ping")

    assert broken == {"type": "error", "error": "jsonInvalid", "value": "{nonsense"}
    assert (nameless["error"], nameless["id"]) == ("missingCommand", 1)
    assert version["error"] == "invalid_API_version"
    assert answer["status"] == "success"
