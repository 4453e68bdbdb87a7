"""Opening balances are looked at twice, on two servers where there are two, before anything rests on them."""

from collections.abc import Callable
from typing import Any

import pytest
from in_memory_bus import Memory
from in_process_node import InProcessServer
from one_account import committed_in, follower, to_the_end
from replaying import recorded

from ledger_client import LedgerServer, Unreachable
from order_events import BalanceDrift
from reconciler.safety.account_safety import SharedSafety

SESSION = recorded("partial_then_canceled")


def lying_about_xrp(server: InProcessServer, when: Callable[[], bool] = lambda: True) -> InProcessServer:
    """Let a server show a million drops too many, in every answer about the account's root."""

    def spoil(answer: dict[str, Any]) -> dict[str, Any]:
        if not when():
            return answer
        root = answer["account_data"]
        return {**answer, "account_data": {**root, "Balance": str(int(root["Balance"]) + 1_000_000)}}

    server.spoil["account_info"] = spoil
    return server


def closed(name: str) -> InProcessServer:
    server = InProcessServer(SESSION, name)
    server.close_ledgers()
    return server


def safety(other: LedgerServer | None) -> SharedSafety:
    return SharedSafety(check_ledgers=1, other_server=lambda _name: other)


def known(memory: Memory) -> bool:
    return committed_in(memory).state.record.holdings_known


async def adopted(server: InProcessServer, other: LedgerServer | None) -> Memory:
    memory = Memory()
    await follower(memory, SESSION, safety=safety(other)).advance(server)
    return memory


async def test_balances_that_two_servers_show_are_known() -> None:
    one, two = closed("node://one"), closed("node://two")
    assert known(await adopted(one, two))
    assert "account_info" in {method for method, _ in two.asked}


@pytest.mark.parametrize("liar_is_first", [True, False])
async def test_balances_that_two_servers_show_differently_are_not_known_and_the_account_is_followed(
    liar_is_first: bool,  # noqa: FBT001 - the case
) -> None:
    liar, honest = lying_about_xrp(closed("node://liar")), closed("node://honest")
    memory = await adopted(*((liar, honest) if liar_is_first else (honest, liar)))
    assert not known(memory)
    assert committed_in(memory).state.record.holdings == {}


async def test_a_wrong_opening_is_no_drift_and_is_known_once_two_looks_agree() -> None:
    lies = True
    liar, honest = lying_about_xrp(closed("node://liar"), lambda: lies), closed("node://honest")
    memory = Memory()
    one = follower(memory, SESSION, safety=safety(honest))
    await one.advance(liar)
    assert not known(memory)
    lies = False
    await to_the_end(one, liar)
    await one.advance(liar)
    assert known(memory)
    assert [event for event in memory.stream if isinstance(event, BalanceDrift)] == []


async def test_one_server_alone_is_looked_at_twice() -> None:
    looks = iter([True, False])
    liar = lying_about_xrp(closed("node://liar"), lambda: next(looks, False))
    assert not known(await adopted(liar, None))
    assert known(await adopted(closed("node://honest"), None))


async def test_where_the_other_server_does_not_answer_the_same_one_is_looked_at_again() -> None:
    silent = closed("node://silent")
    silent.trouble = lambda _method: Unreachable(silent.name, "no answer")
    assert known(await adopted(closed("node://one"), silent))
