"""The streams `validations` and `manifests`: made validators sign for the recorded ledgers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from replaying import Json, Socket, recorded, serving

from ledger_proof import (
    Validation,
    ValidatorList,
    check_list,
    confirm_ledger,
    prove_blobs,
    read_list_document,
    read_manifest,
    read_validation,
)
from ledger_proof.strict_json import convert
from ledger_proof.whole_ledger import BlobLedger

if TYPE_CHECKING:
    from replaying import Client

SESSION = "partial_then_full"
LEDGERS = recorded(SESSION).ledgers


async def published(client: Client) -> ValidatorList:
    async with client.http.get(f"{client.url}/vl/{client.node.validators.publisher}") as answer:
        [only] = read_list_document(await answer.read())
    return check_list(only)


def validation_in(message: Json) -> Validation:
    return read_validation(bytes.fromhex(message["data"]))


async def one_ledger(client: Client, socket: Socket) -> list[Json]:
    """Close a ledger and return what the streams bring before its `ledgerClosed`."""
    await client.rpc("ledger_accept")
    messages = []
    while (message := await socket.next())["type"] != "ledgerClosed":
        messages.append(message)
    return messages


async def test_the_listed_validators_sign_for_the_ledger_that_its_blobs_make() -> None:
    async with serving(SESSION) as client, client.socket() as socket:
        await socket.ask("subscribe", streams=["ledger", "validations"], api_version=2)
        messages = await one_ledger(client, socket)
        answer = await client.rpc(
            "ledger",
            ledger_index=LEDGERS[1].ledger_index,
            transactions=True,
            expand=True,
            binary=True,
            api_version=2,
        )
        listed = await published(client)
    header = prove_blobs(convert("ledger", answer["ledger"], BlobLedger)).header
    counted = confirm_ledger(header, [validation_in(message) for message in messages], listed)
    assert (counted.votes, counted.entries, counted.quorum, counted.refused) == (5, 5, 4, ())
    assert header.ledger_hash.hex().upper() == messages[0]["ledger_hash"] == answer["ledger_hash"]
    assert {message["ledger_index"] for message in messages} == {header.ledger_index}


async def test_a_validator_that_rotates_its_key_says_so_before_it_signs_with_it() -> None:
    async with serving(SESSION) as client, client.socket() as socket:
        await socket.ask("subscribe", streams=["ledger", "validations", "manifests"])
        listed = await published(client)
        seen = [await one_ledger(client, socket) for _ in LEDGERS[1:5]]
    manifests = [one for messages in seen for one in messages if one["type"] == "manifestReceived"]
    assert [messages[0] in manifests for messages in seen] == [False, False, True, False]
    newer = read_manifest(bytes.fromhex(manifests[0]["manifest"]))
    newer.check()
    signers = {validation_in(one).signing_key for one in seen[3]}
    assert newer.signing_key in signers
    assert listed.manifests[newer.master_key].signing_key not in signers
    assert listed.manifests[newer.master_key].sequence < newer.sequence


async def test_the_same_session_is_signed_with_the_same_bytes() -> None:
    async def messages() -> list[Json]:
        async with serving(SESSION) as client, client.socket() as socket:
            await socket.ask("subscribe", streams=["ledger", "validations"])
            return await one_ledger(client, socket)

    assert await messages() == await messages()


@pytest.mark.parametrize("absent", [0, 2, 9])
async def test_absent_validators_sign_for_nothing(absent: int) -> None:
    async with serving(SESSION, absent_validators=absent) as client, client.socket() as socket:
        await socket.ask("subscribe", streams=["ledger", "validations"])
        assert len(await one_ledger(client, socket)) == max(5 - absent, 0)


async def test_the_validators_do_not_sign_for_the_chain_that_a_lying_server_shows() -> None:
    async with serving(SESSION, other_chain=True) as client, client.socket() as socket:
        await socket.ask("subscribe", streams=["ledger", "validations"])
        messages = await one_ledger(client, socket)
        told = (await client.rpc("ledger_closed"))["ledger_hash"]
    assert {message["ledger_hash"] for message in messages} == {LEDGERS[1].header["ledger_hash"]}
    assert told != messages[0]["ledger_hash"]


async def test_nothing_is_signed_for_who_has_unsubscribed() -> None:
    async with serving(SESSION) as client, client.socket() as socket:
        await socket.ask("subscribe", streams=["ledger", "validations", "manifests"])
        await socket.ask("unsubscribe", streams=["validations", "manifests"])
        assert await one_ledger(client, socket) == []


async def test_another_path_is_no_list() -> None:
    async with serving(SESSION) as client, client.http.get(f"{client.url}/vl/ED00") as answer:
        assert "<html>" in await answer.text()
