"""Whole ledgers, read once for all accounts: the same facts as account_tx, and proof that none lacks."""

import asyncio
from collections import Counter
from typing import Any

import msgspec
import pytest
from in_process_node import InProcessServer, Spoil
from reading import read_to_the_end
from replaying import recorded

from ledger_client import ProtocolViolation, Refused, WholeLedgerServer, ledger_header
from ledger_client.affected_accounts import AffectingRow
from ledger_client.whole_ledgers import NEAREST, read_whole
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


def whole(server: InProcessServer, *, accounts: int = 2, clock: Clock | None = None) -> WholeLedgerServer:
    return WholeLedgerServer(server, accounts=lambda: accounts, from_accounts=2, clock=clock or Clock())


def methods(server: InProcessServer) -> Counter[str]:
    return Counter(method for method, _ in server.asked)


@pytest.mark.parametrize("name", ["random_crowd_4", "random_amm_3", "with_amm", "ticketed", "transfer_fee"])
async def test_every_account_is_given_the_same_facts_as_by_account_tx(name: str) -> None:
    session = recorded(name)
    server = InProcessServer(session)
    server.close_ledgers(min(5, len(session.ledgers) - 1))
    reader = whole(server)
    for account in session.accounts.values():
        assert await read_to_the_end(reader, account) == await read_to_the_end(server, account)


async def test_many_accounts_ask_for_each_ledger_once() -> None:
    server = closed(CROWD)
    reader = whole(server, accounts=len(CROWD.accounts))
    last = CROWD.ledgers[-1].ledger_index
    await asyncio.gather(*(reader.account_history(one, last - 1, last) for one in CROWD.accounts.values()))
    await ledger_header(reader, last)
    assert methods(server) == {"ledger": 4}
    assert await ledger_header(reader, last) == await ledger_header(server, last)


async def test_one_who_asks_and_goes_away_takes_no_answer_from_the_others() -> None:
    server = closed(CROWD)
    reader = whole(server)
    some, *_ = CROWD.accounts.values()
    gone, stays = (asyncio.ensure_future(reader.account_history(some, BUSY, BUSY)) for _ in "12")
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays
    assert methods(server) == {"ledger": 2}


async def test_few_accounts_and_long_ways_are_read_by_account() -> None:
    server = closed(CROWD)
    first, some = CROWD.ledgers[0].ledger_index, CROWD.accounts["maker"]
    near, far = first + NEAREST, first + NEAREST + 1
    await whole(server, accounts=1).account_history(some, first, near)
    await whole(server).account_history(some, first, far)
    assert methods(server) == {"account_tx": 2}


async def test_a_ledger_is_not_kept_for_long() -> None:
    server, clock = closed(CROWD), Clock()
    reader = whole(server, clock=clock)
    await reader.account_history(CROWD.accounts["maker"], BUSY, BUSY)
    clock.now += 61
    await reader.account_history(CROWD.accounts["maker"], BUSY, BUSY)
    assert methods(server) == {"ledger": 4}


async def test_what_a_server_does_not_give_whole_is_read_by_account() -> None:
    server = closed(CROWD)
    account = CROWD.accounts["maker"]
    plain = await read_to_the_end(server, account)
    server.trouble = lambda method: (
        Refused(server.name, "notImpl", "no such form")
        if method == "ledger" and server.asked[-1][1].get("binary")
        else None
    )
    assert await read_to_the_end(whole(server), account) == plain


def without_the_last(answer: dict[str, Any]) -> dict[str, Any]:
    ledger = answer["ledger"]
    return {**answer, "ledger": {**ledger, "transactions": ledger.get("transactions", [])[:-1]}}


def without_the_last_in(form: str) -> Spoil:
    member = {"JSON": "tx_json", "blobs": "tx_blob"}[form]

    def spoil(answer: dict[str, Any]) -> dict[str, Any]:
        shown = answer["ledger"].get("transactions", [])
        return without_the_last(answer) if shown and member in shown[0] else answer

    return spoil


def one_twice(answer: dict[str, Any]) -> dict[str, Any]:
    rows = answer["ledger"]["transactions"]
    return answer if "tx_blob" in rows[0] else _with(answer, transactions=[*rows, rows[0]])


def no_metadata(answer: dict[str, Any]) -> dict[str, Any]:
    rows = answer["ledger"]["transactions"]
    if "tx_blob" in rows[0]:
        return answer
    return _with(answer, transactions=[{**rows[0], "meta": "blob"}, *rows[1:]])


def another_header(answer: dict[str, Any]) -> dict[str, Any]:
    blob = answer["ledger"].get("ledger_data")
    return answer if blob is None else _with(answer, ledger_data="FF" + blob[2:])


def no_hexadecimal(answer: dict[str, Any]) -> dict[str, Any]:
    return _with(answer, ledger_data="nonsense") if "ledger_data" in answer["ledger"] else answer


def _with(answer: dict[str, Any], **changed: object) -> dict[str, Any]:
    return {**answer, "ledger": {**answer["ledger"], **changed}}


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (without_the_last_in("JSON"), "transactions that make the tree"),
        (without_the_last_in("blobs"), "as the root of the tree"),
        (without_the_last, "as the root of the tree"),
        (one_twice, "transactions that make the tree"),
        (another_header, "expected a header with the hash"),
        (no_hexadecimal, "hexadecimal"),
        (no_metadata, "expected metadata"),
    ],
)
async def test_a_ledger_that_is_not_what_its_hash_names_is_the_servers_fault(
    spoil: Spoil, complaint: str
) -> None:
    server = closed(CROWD)
    server.spoil["ledger"] = spoil
    with pytest.raises(ProtocolViolation, match=f"node://one: ledger: .*{complaint}"):
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
