"""Reserves: those in force at each ledger, whatever the present ones are."""

from typing import Any

import pytest
from in_process_node import InProcessServer
from reading import at
from replaying import recorded
from structlog.testing import capture_logs

from ledger_client import (
    FEE_SETTINGS,
    Overloaded,
    ProtocolViolation,
    Refused,
    ServerStatus,
    reserves_at,
    server_status,
)
from offer_lifecycle import Reserves
from reconciler.following import account_reader

SESSION = recorded("random_1")
MAKER = SESSION.accounts["maker"]
FIRST = SESSION.ledgers[0].ledger_index
LAST = SESSION.ledgers[-1].ledger_index
BEFORE = Reserves(base=10_000_000, increment=2_000_000)
AFTER = Reserves(base=1_000_000, increment=200_000)
VOTE = FIRST + 40
"""The ledger that changed them: what follows it is held to the new ones."""


@pytest.fixture
def server() -> InProcessServer:
    node = InProcessServer(SESSION)
    node.close_ledgers()
    node.spoil["ledger_entry"] = voted
    return node


def voted(answer: dict[str, Any]) -> dict[str, Any]:
    """Let the ledgers before the vote have the old reserves, in the fields that they had then."""
    if answer["index"] != FEE_SETTINGS or answer["ledger_index"] >= VOTE:
        return answer
    old = {"ReserveBase": BEFORE.base, "ReserveIncrement": BEFORE.increment}
    return {**answer, "node": {"LedgerEntryType": "FeeSettings", **old}}


def asked(server: InProcessServer) -> list[Any]:
    return [params["ledger_index"] for method, params in server.asked if method == "ledger_entry"]


async def status_of(server: InProcessServer) -> ServerStatus:
    return await server_status(server)


async def test_each_ledger_has_the_reserves_that_the_one_before_it_left(server: InProcessServer) -> None:
    status = await status_of(server)
    facts = await account_reader.read_ledgers(server, status, await at(server, FIRST, MAKER), LAST, ())
    found = {one.header.ledger_index: one.reserves for one in facts if one.transactions}
    assert found == {ledger: BEFORE if ledger <= VOTE else AFTER for ledger in found}
    assert set(found.values()) == {BEFORE, AFTER}


@pytest.mark.parametrize("vote", [FIRST + 1, FIRST + 2, FIRST + 50, LAST - 1, LAST])
async def test_the_ledger_that_changed_them_is_found_exactly(
    server: InProcessServer, vote: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(globals(), "VOTE", vote)
    every = range(FIRST + 1, LAST + 1)
    found = await reserves_at(server, await status_of(server), FIRST, LAST, every)
    assert found == {ledger: BEFORE if ledger <= vote else AFTER for ledger in every}
    assert len(asked(server)) <= 2 + (LAST - FIRST).bit_length()


async def test_where_nothing_changed_both_ends_are_asked_and_nothing_else(server: InProcessServer) -> None:
    status = await status_of(server)
    await reserves_at(server, status, VOTE, LAST, [LAST])
    assert asked(server) == [VOTE, LAST - 1]
    await reserves_at(server, status, LAST - 1, LAST, [LAST])
    assert asked(server)[2:] == [LAST - 1]


async def test_where_no_transaction_is_held_to_them_nothing_is_asked(server: InProcessServer) -> None:
    assert await reserves_at(server, await status_of(server), FIRST, LAST, []) == {}
    assert asked(server) == []


async def test_a_server_without_the_entry_is_taken_at_its_present_word_and_that_is_told(
    server: InProcessServer,
) -> None:
    status = await status_of(server)
    server.trouble = lambda method: (
        Refused(server.name, "lgrNotFound", "pruned") if method == "ledger_entry" else None
    )
    with capture_logs() as logs:
        found = await reserves_at(server, status, FIRST, LAST - 1, [LAST - 1])
    assert found == {LAST - 1: status.reserves}
    assert [line["log_level"] for line in logs] == ["warning"]
    with capture_logs() as logs:
        await reserves_at(server, status, LAST - 1, LAST, [LAST])
    assert logs == []


async def test_a_busy_server_is_no_server_without_the_entry(server: InProcessServer) -> None:
    status = await status_of(server)
    server.trouble = lambda _: Overloaded(server.name, "slowDown")
    with pytest.raises(Overloaded):
        await reserves_at(server, status, FIRST, LAST, [LAST])


async def test_an_entry_that_names_no_reserves_is_the_servers_fault(server: InProcessServer) -> None:
    server.spoil["ledger_entry"] = lambda answer: {**answer, "node": {"LedgerEntryType": "FeeSettings"}}
    with pytest.raises(ProtocolViolation, match="expected reserves in FeeSettings"):
        await reserves_at(server, await status_of(server), FIRST, LAST, [LAST])
