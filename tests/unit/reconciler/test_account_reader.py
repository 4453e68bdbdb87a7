"""Reading without a gap: what a server may get wrong, and that it is noticed."""

from typing import Any

import pytest
from in_process_node import InProcessServer, Spoil
from reading import at
from replaying import recorded

from ledger_client import Lagging, ProtocolViolation, ServerStatus, WrongChain, server_status
from offer_lifecycle import AccountRecord, LedgerFacts, Reserves
from reconciler.following import account_reader

SESSION = recorded("partial_then_canceled")
MAKER = SESSION.accounts["maker"]
FIRST = SESSION.ledgers[0].ledger_index
LAST = SESSION.ledgers[-1].ledger_index


@pytest.fixture
def server() -> InProcessServer:
    node = InProcessServer(SESSION)
    node.close_ledgers()
    return node


async def read(
    server: InProcessServer, record: AccountRecord, deadlines: tuple[int, ...] = ()
) -> list[LedgerFacts]:
    status = await server_status(server)
    upto = account_reader.last_readable_ledger(server, status, record.ledger_index)
    return await account_reader.read_ledgers(server, status, record, upto, deadlines)


def hashes(facts: list[LedgerFacts]) -> list[str]:
    return [tx.hash for ledger in facts for tx in ledger.transactions]


def recorded_hashes(after: int) -> list[str]:
    return [
        tx["hash"]
        for ledger in SESSION.ledgers
        if ledger.ledger_index > after
        for tx in ledger.transactions
        if MAKER in str(tx)
    ]


async def test_every_transaction_of_the_account_after_the_cursor_is_read_in_the_ledgers_order(
    server: InProcessServer,
) -> None:
    facts = await read(server, await at(server, FIRST, MAKER))
    assert hashes(facts) == recorded_hashes(FIRST)
    assert facts[-1].header.ledger_index == LAST


async def test_a_ledger_without_transactions_is_read_where_a_deadline_asks_for_it() -> None:
    session = recorded("expired_swept")
    maker, indexes = session.accounts["maker"], [one.ledger_index for one in session.ledgers]
    quiet = next(one.ledger_index for one in session.ledgers[1:-1] if maker not in str(one.transactions))
    server = InProcessServer(session)
    server.close_ledgers()
    record = await at(server, indexes[0], maker)
    without = [one.header.ledger_index for one in await read(server, record)]
    asked = [one.header.ledger_index for one in await read(server, record, (0, quiet, indexes[-1] + 9))]
    assert quiet not in without
    assert asked == sorted({*without, quiet})


async def test_empty_pages_with_a_marker_do_not_end_the_reading(server: InProcessServer) -> None:
    server.node.faults.change({"empty_pages": 3})
    facts = await read(server, await at(server, FIRST, MAKER))
    assert hashes(facts) == recorded_hashes(FIRST)


async def test_the_order_of_transactions_inside_a_page_does_not_matter(server: InProcessServer) -> None:
    server.spoil["account_tx"] = lambda page: {**page, "transactions": page["transactions"][::-1]}
    facts = await read(server, await at(server, FIRST, MAKER))
    assert hashes(facts) == recorded_hashes(FIRST)


def narrowed(page: dict[str, Any]) -> dict[str, Any]:
    return {**page, "ledger_index_max": page["ledger_index_max"] - 1}


def unvalidated(page: dict[str, Any]) -> dict[str, Any]:
    return {**page, "transactions": [{**tx, "validated": False} for tx in page["transactions"]]}


def out_of_range(page: dict[str, Any]) -> dict[str, Any]:
    return {**page, "transactions": [{**tx, "ledger_index": LAST + 1} for tx in page["transactions"]]}


def of_another_ledger(page: dict[str, Any]) -> dict[str, Any]:
    return {**page, "transactions": [{**tx, "ledger_hash": "0" * 64} for tx in page["transactions"]]}


def without_metadata(page: dict[str, Any]) -> dict[str, Any]:
    return {**page, "transactions": [{**tx, "meta": None} for tx in page["transactions"]]}


def the_same_marker_again(page: dict[str, Any]) -> dict[str, Any]:
    return {**page, "marker": {"ledger": FIRST, "seq": 0}}


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (narrowed, "expected the range"),
        (unvalidated, "expected a validated transaction"),
        (out_of_range, "expected a validated transaction of ledgers"),
        (of_another_ledger, "expected hash"),
        (without_metadata, "metadata"),
        (the_same_marker_again, "new, short marker"),
    ],
)
async def test_an_answer_that_contradicts_the_question_is_the_servers_fault(
    server: InProcessServer, spoil: Spoil, complaint: str
) -> None:
    record = await at(server, FIRST, MAKER)
    server.spoil["account_tx"] = spoil
    with pytest.raises(ProtocolViolation, match=f"node://one: account_tx: .*{complaint}"):
        await read(server, record)


async def test_a_header_that_is_not_validated_is_not_taken(server: InProcessServer) -> None:
    record = await at(server, FIRST, MAKER)
    server.spoil["ledger"] = lambda answer: {**answer, "validated": False}
    with pytest.raises(ProtocolViolation, match="expected validated ledger"):
        await read(server, record)


async def test_a_server_on_another_chain_is_told_by_its_hashes(server: InProcessServer) -> None:
    record = await at(server, FIRST, MAKER)
    server.node.faults.change({"other_chain": True})
    with pytest.raises(WrongChain, match=r"node://one: .* on another chain"):
        await read(server, record)


async def test_a_cursor_ledger_that_shows_other_transactions_than_before_is_an_alarm(
    server: InProcessServer,
) -> None:
    busy = next(one.ledger_index for one in SESSION.ledgers[1:-1] if MAKER in str(one.transactions))
    record = await at(server, busy, MAKER)
    server.spoil["account_tx"] = lambda page: {**page, "transactions": page["transactions"][1:]}
    with pytest.raises(WrongChain, match=f"expected ledger {busy} to show {MAKER} the same"):
        await read(server, record)


async def test_a_hole_in_the_history_is_never_read_over(server: InProcessServer) -> None:
    record = await at(server, FIRST, MAKER)
    server.node.faults.change({"hole": [FIRST + 1, FIRST + 1]})
    with pytest.raises(
        account_reader.HistoryMissing, match=f"history missing: expected ledgers {FIRST}-{LAST}, found"
    ):
        await read(server, record)


async def test_a_server_that_lags_behind_the_cursor_is_not_read(server: InProcessServer) -> None:
    record = await at(server, LAST, MAKER)
    server.node.faults.change({"lag": 1})
    with pytest.raises(Lagging, match="it lags"):
        await read(server, record)


def test_a_long_way_is_read_in_steps(server: InProcessServer) -> None:
    reserves = Reserves(base=1_000_000, increment=200_000)
    status = ServerStatus(validated=5000, complete=((1, 5000),), network_id=0, reserves=reserves)
    assert (
        account_reader.last_readable_ledger(server, status, 1000) == 1000 + account_reader.LEDGERS_A_READING
    )
    assert account_reader.last_readable_ledger(server, status, 4990) == 5000
