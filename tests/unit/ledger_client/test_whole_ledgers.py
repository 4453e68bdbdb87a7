"""Whole ledgers, read once for all accounts: the same facts as account_tx, and proof that none lacks."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Container
from typing import Any

import msgspec
import pytest
from in_process_node import InProcessServer, Spoil
from reading import read_to_the_end
from replaying import recorded

from ledger_client import (
    LedgerTransaction,
    NotProven,
    Refused,
    WholeLedgerServer,
    account_history,
    ledger_header,
)
from ledger_client.affected_accounts import AffectingRow
from ledger_client.whole_ledger import read_whole
from ledger_client.whole_ledgers import NEAREST
from offer_lifecycle import LedgerFacts, offer_changes
from replay_node.session import Session


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


CROWD = recorded("random_crowd_4")
BUSY = max(CROWD.ledgers, key=lambda one: len(one.transactions)).ledger_index


def closed(session: Session) -> InProcessServer:
    server = InProcessServer(session)
    server.close_ledgers()
    return server


def whole(
    server: InProcessServer, *, accounts: int = 2, clock: Clock | None = None, samples: Container[int] = ()
) -> WholeLedgerServer:
    return WholeLedgerServer(
        server,
        accounts=lambda: accounts,
        from_accounts=2,
        clock=clock or Clock(),
        is_sample=lambda ledger_index: ledger_index in samples,
    )


def methods(server: InProcessServer) -> Counter[str]:
    return Counter(method for method, _ in server.asked)


@pytest.mark.parametrize("name", ["random_crowd_4", "random_amm_3", "with_amm", "ticketed", "transfer_fee"])
async def test_every_account_is_given_the_same_facts_as_by_account_tx(name: str) -> None:
    session = recorded(name)
    server = InProcessServer(session)
    server.close_ledgers(min(5, len(session.ledgers) - 1))
    reader = whole(server)
    for account in session.accounts.values():
        proven, plain = await read_to_the_end(reader, account), await read_to_the_end(server, account)
        assert list(map(as_compared, proven)) == list(map(as_compared, plain))


def as_compared(facts: LedgerFacts) -> object:
    """Return what both ways give alike; that blobs read as their JSON is held elsewhere."""
    offers = [
        (tx.hash, [(one.account, one.sequence, one.kind, one.gave, one.got) for one in offer_changes(tx)])
        for tx in facts.transactions
    ]
    return facts.header, facts.reserves, offers


async def test_many_accounts_ask_for_each_ledger_once() -> None:
    server = closed(CROWD)
    reader = whole(server, accounts=len(CROWD.accounts))
    last = CROWD.ledgers[-1].ledger_index
    await asyncio.gather(*(reader.account_history(one, last - 1, last) for one in CROWD.accounts.values()))
    await ledger_header(reader, last)
    assert methods(server) == {"ledger": 2}
    assert await ledger_header(reader, last) == await ledger_header(server, last)


async def test_one_who_asks_and_goes_away_takes_no_answer_from_the_others() -> None:
    server = closed(CROWD)
    reader = whole(server)
    some, *_ = CROWD.accounts.values()
    gone, stays = (asyncio.ensure_future(reader.account_history(some, BUSY, BUSY)) for _ in "12")
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays
    assert methods(server) == {"ledger": 1}


async def test_few_accounts_and_long_ways_are_read_by_account() -> None:
    server = closed(CROWD)
    first, some = CROWD.ledgers[0].ledger_index, CROWD.accounts["maker"]
    far = first + NEAREST + 1
    await whole(server, accounts=1).account_history(some, first, far)
    await whole(server).account_history(some, first, far)
    assert methods(server) == {"account_tx": 2}


async def test_few_accounts_read_whole_what_touches_them() -> None:
    server = closed(CROWD)
    first, some = CROWD.ledgers[0].ledger_index, CROWD.accounts["maker"]
    near = first + NEAREST
    found = await whole(server, accounts=1).account_history(some, first, near)
    plain = await account_history(server, some, first, near)
    assert [one.transaction.hash for one in found] == [one.transaction.hash for one in plain]
    assert all(one.proven for one in found if one.transaction.ledger_index > first)
    touched = {one.transaction.ledger_index for one in found} - {first}
    assert methods(server) == {"account_tx": 2, "ledger": len(touched)}


async def test_a_sample_is_read_whole_although_nothing_shows_that_it_touches_the_account() -> None:
    server = closed(CROWD)
    first, some = CROWD.ledgers[0].ledger_index, "rrrrrrrrrrrrrrrrrrrrBZbvji"
    reader = whole(server, accounts=1, samples={first + 1})
    assert await reader.account_history(some, first, first + 2) == []
    assert methods(server) == {"account_tx": 1, "ledger": 1}


async def test_a_ledger_is_not_kept_for_long() -> None:
    server, clock = closed(CROWD), Clock()
    reader = whole(server, clock=clock)
    await reader.account_history(CROWD.accounts["maker"], BUSY, BUSY)
    clock.now += 61
    await reader.account_history(CROWD.accounts["maker"], BUSY, BUSY)
    assert methods(server) == {"ledger": 2}


async def test_what_a_server_does_not_give_whole_is_read_by_account() -> None:
    server = closed(CROWD)
    account = CROWD.accounts["maker"]
    plain = await read_to_the_end(server, account)
    server.trouble = lambda method: (
        Refused(server.name, "notImpl", "no such form")
        if method == "ledger" and server.asked[-1][1].get("binary")
        else None
    )
    found = await read_to_the_end(whole(server), account)
    assert list(map(as_compared, found)) == list(map(as_compared, plain))


def without_the_last(answer: dict[str, Any]) -> dict[str, Any]:
    return _with(answer, transactions=answer["ledger"]["transactions"][:-1])


def one_twice(answer: dict[str, Any]) -> dict[str, Any]:
    rows = answer["ledger"]["transactions"]
    return _with(answer, transactions=[*rows, rows[0]])


def another_amount(answer: dict[str, Any]) -> dict[str, Any]:
    first, *others = answer["ledger"]["transactions"]
    blob = first["meta_blob"]
    spoiled = {**first, "meta_blob": blob[:-2] + ("00" if blob[-2:] != "00" else "01")}
    return _with(answer, transactions=[spoiled, *others])


def another_index(answer: dict[str, Any]) -> dict[str, Any]:
    return _with(answer, ledger_data="FF" + answer["ledger"]["ledger_data"][2:])


def another_state(answer: dict[str, Any]) -> dict[str, Any]:
    blob = answer["ledger"]["ledger_data"]
    return _with(answer, ledger_data=blob[:-2] + ("00" if blob[-2:] != "00" else "01"))


def no_hexadecimal(answer: dict[str, Any]) -> dict[str, Any]:
    return _with(answer, ledger_data="nonsense")


def another_hash(answer: dict[str, Any]) -> dict[str, Any]:
    return {**answer, "ledger_hash": "nonsense"}


def _with(answer: dict[str, Any], **changed: object) -> dict[str, Any]:
    return {**answer, "ledger": {**answer["ledger"], **changed}}


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (without_the_last, "expected root"),
        (one_twice, "transaction"),
        (another_amount, "expected root"),
        (another_index, "expected hash"),
        (another_state, "expected hash"),
        (no_hexadecimal, "hexadecimal"),
        (another_hash, "hexadecimal"),
    ],
)
async def test_a_ledger_that_is_not_what_its_hash_names_is_the_servers_fault(
    spoil: Spoil, complaint: str
) -> None:
    server = closed(CROWD)
    server.spoil["ledger"] = spoil
    with pytest.raises(NotProven, match=f"node://one: ledger: .*{complaint}"):
        await read_whole(server, BUSY)


def test_accounts_are_affected_as_servers_count_them() -> None:
    node = {
        "Account": "rOwner",
        "LowLimit": {"currency": "USD", "issuer": "rLow", "value": "1"},
        "TakerGets": {"mpt_issuance_id": "00000001" + "00" * 19 + "01", "value": "1"},
        "Balance": {"currency": "USD", "issuer": "rNobody", "value": "1"},
        "MPTokenIssuanceID": "00000001" + "00" * 20,
        "Nested": [{"Signer": {"Account": "rSigner"}}],
    }
    row = {
        "hash": "A",
        "meta": {"AffectedNodes": [{"ModifiedNode": {"FinalFields": node}}, {"DeletedNode": {}}]},
    }
    expected = {"rOwner", "rLow", "rrrrrrrrrrrrrrrrrrrrBZbvji", "rrrrrrrrrrrrrrrrrrrrrhoLvTp"}
    assert msgspec.convert(row, AffectingRow).accounts() == expected


async def test_with_few_accounts_what_touches_one_is_proven_and_nothing_else_is_read_whole() -> None:
    server = closed(CROWD)
    reader = whole(server, accounts=1)
    account = CROWD.accounts["maker"]
    found = await reader.account_history(account, BUSY - 1, BUSY)
    asked = [params for method, params in server.asked if method == "ledger"]
    assert names(found) == names(await server_history(server, account))
    touched = {row.transaction.ledger_index for row in found} - {BUSY - 1}
    assert [params["ledger_index"] for params in asked] == sorted(touched)
    assert all(params["binary"] for params in asked)


async def server_history(server: InProcessServer, account: str) -> list[LedgerTransaction]:
    return await account_history(server, account, BUSY - 1, BUSY)


async def test_what_a_server_says_of_an_account_and_its_bytes_do_not_is_not_read() -> None:
    server = closed(CROWD)
    account = CROWD.accounts["maker"]
    truth = await server_history(server, account)

    def forged(answer: dict[str, Any]) -> dict[str, Any]:
        text = re.sub(r'"Sequence": (\d+)', r'"Sequence": 1\1', json.dumps(answer["transactions"]))
        return {**answer, "transactions": json.loads(text)}

    server.spoil["account_tx"] = forged
    believed = await server_history(server, account)
    assert traded(believed) != traded(truth)
    found = await whole(server, accounts=1).account_history(account, BUSY - 1, BUSY)
    assert traded(found) == traded(truth)


def names(rows: list[LedgerTransaction]) -> list[str]:
    return [row.transaction.hash for row in rows]


def traded(rows: list[LedgerTransaction]) -> list[object]:
    """Return what the transactions did to offers in the busy ledger; the one before was read already."""
    busy = [row.transaction for row in rows if row.transaction.ledger_index == BUSY]
    return [(one.sequence, one.gave, one.got) for tx in busy for one in offer_changes(tx)]
