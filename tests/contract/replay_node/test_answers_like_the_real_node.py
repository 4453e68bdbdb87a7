"""Every recorded request of the real node, put to ours on another session: same keys, types and errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from replaying import Client, Json, recorded, samples, serving

from replay_node.keys import offer_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

pytestmark = pytest.mark.asyncio(loop_scope="module")

SESSION = "random_2"
SAMPLES = samples()
SAMPLE_LEDGER = 1656
# What one object has and the next of its kind has not, by the luck of the market or of the moment.
BY_CHANCE = {
    "Expiration", "OfferSequence", "SendMax", "avg_time", "delivered_amount", "expiration", "over_target",
    "owner_funds", "peak_time", "per_second", "taker_gets_funded", "taker_pays_funded", "waiting",
}  # fmt: skip
# Recorded metadata is passed on as it is; amounts are drops in a string or a token in an object.
NOT_COMPARED = {"AffectedNodes"}
AMOUNTS = {
    "Amount", "DeliverMax", "SendMax", "TakerGets", "TakerPays", "delivered_amount", "taker_gets",
    "taker_gets_funded", "taker_pays", "taker_pays_funded",
}  # fmt: skip


def differences(ours: Any, sample: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401 - any JSON
    """Yield where our value has other keys or another type than the sample."""
    field = path.rpartition(".")[2]
    if field in NOT_COMPARED or (field in AMOUNTS and {kind(ours), kind(sample)} <= {"str", "dict"}):
        return
    if kind(ours) != kind(sample):
        yield f"{path}: expected {kind(sample)}, found {kind(ours)}"
    elif isinstance(ours, dict):
        for name in (ours.keys() ^ sample.keys()) - BY_CHANCE:
            yield f"{path}.{name}: {'not in the sample' if name in ours else 'missing'}"
        for name in ours.keys() & sample.keys():
            yield from differences(ours[name], sample[name], f"{path}.{name}")
    elif isinstance(ours, list) and sample:
        yield from list_differences(ours, sample, path)


def list_differences(ours: list[Any], sample: list[Any], path: str) -> Iterator[str]:
    """Yield which of our members are like no member of the sample."""
    if not ours:
        yield f"{path}: expected members, found none"
    shown = {transaction_type(other) for other in sample}
    for member in ours:
        # A page of ours may hold a type of transaction that the sample's page happens not to hold.
        unlike = (any(differences(member, other, path)) for other in sample)
        if transaction_type(member) in shown and all(unlike):
            yield f"{path}: no member of the sample is like {str(member)[:300]}"


def transaction_type(member: Any) -> str | None:  # noqa: ANN401 - any JSON
    """Return the type of a listed transaction, with whether it has flags; None for anything else."""
    if not isinstance(member, dict):
        return None
    tx = member.get("tx") or member.get("tx_json") or member
    return f"{tx['TransactionType']} {'Flags' in tx}" if "TransactionType" in tx else None


def kind(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, (int, float)) else type(value).__name__


async def repointed(client: Client, request: Json) -> Json:
    """Return a sample's request with accounts, ledgers, offers and transactions of our session."""
    session = recorded(SESSION)
    before_last = session.ledgers[-2]
    maker, last = session.accounts["maker"], session.ledgers[-1].ledger_index
    moved = {name: value for name, value in request.items() if name != "id"}
    for name in ("ledger_index", "ledger_index_min", "ledger_index_max"):
        if isinstance(moved.get(name), int):
            moved[name] += last - SAMPLE_LEDGER
    if str(moved.get("account", "")).startswith("rhSL"):
        moved["account"] = maker
    for name in ("taker_gets", "taker_pays", "asset", "asset2"):
        if "issuer" in moved.get(name, {}):
            moved[name] = {"currency": "USD", "issuer": session.accounts["issuer"]}
    if moved.get("transaction", "0")[0] != "0":
        moved["transaction"] = before_last.transactions[0]["hash"]
    if "accounts" in moved:
        moved["accounts"] = [maker]
    if "offer" in moved:
        open_offer = session.ledgers[-1].after["maker"]["offers"][0]["seq"]
        moved["offer"] = {"account": maker, "seq": 1 if moved["offer"]["seq"] == 1 else open_offer}
    if "marker" in moved:
        first = {name: value for name, value in moved.items() if name not in ("command", "marker")}
        moved["marker"] = (await client.rpc(moved["command"], **first))["marker"]
    return moved


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client() -> AsyncIterator[Client]:
    """Serve all samples from one node: no request of theirs changes anything."""
    async with serving(SESSION) as serving_client:
        serving_client.close_all()
        yield serving_client


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: f"{sample['request']['id']}")
async def test_a_websocket_answer_has_the_keys_and_types_of_the_real_one(
    client: Client, sample: Json
) -> None:
    asked = await repointed(client, sample["request"])
    async with client.socket() as socket:
        answer = await socket.ask(id=sample["request"]["id"], **asked)

    expected = sample["response"]
    answer.pop("request", None)
    expected = {name: value for name, value in expected.items() if name != "request"}
    assert list(differences(answer, expected)) == []
    for name in ("error", "error_code", "error_message", "status", "type", "api_version", "id"):
        assert answer.get(name) == expected.get(name)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: f"{sample['request']['id']}")
async def test_a_json_rpc_answer_has_the_same_inside_its_result(client: Client, sample: Json) -> None:
    if sample["request"]["command"] == "subscribe":
        answer = await client.rpc("subscribe", streams=["ledger"])
        assert answer["error"] == "invalidParams"  # there is no connection to send a stream to
        return
    asked = await repointed(client, sample["request"])
    answer = await client.rpc(asked.pop("command"), **asked)

    real = sample["response"]
    envelope = ("api_version", "id", "request", "result", "status", "type")
    expected = real.get("result") or {name: real[name] for name in real if name not in envelope}
    answer.pop("request", None)
    assert list(differences(answer, expected | {"status": real["status"]})) == []
    for name in ("error", "error_code", "error_message", "status"):
        assert answer.get(name) == real.get(name)


async def test_an_error_carries_the_request_as_it_came(client: Client) -> None:
    async with client.socket() as socket:
        answer = await socket.ask("nonsense", id=7, api_version=2)

    assert answer["request"] == {"command": "nonsense", "id": 7, "api_version": 2}


async def test_an_offer_entry_is_the_one_that_was_asked_for(client: Client) -> None:
    maker = recorded(SESSION).accounts["maker"]
    row = recorded(SESSION).ledgers[-1].after["maker"]["offers"][0]
    entry = await client.rpc("ledger_entry", offer={"account": maker, "seq": row["seq"]})

    assert entry["index"] == entry["node"]["index"] == offer_key(maker, row["seq"])
    assert entry["node"]["TakerGets"] == row["taker_gets"]
    by_index = await client.rpc("ledger_entry", index=entry["index"])
    assert by_index["node"] == entry["node"]
