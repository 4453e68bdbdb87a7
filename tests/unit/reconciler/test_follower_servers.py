"""One account and several servers: failover, and what a server must show before it is believed."""

from typing import Any

import pytest
from in_memory_bus import Memory
from in_process_node import InProcessServer
from one_account import follower, run, to_the_end
from replaying import recorded

from ledger_client import ProtocolViolation, Unreachable, WrongChain
from order_events import encode
from reconciler.following.account_reader import HistoryMissing


async def test_a_second_server_goes_on_where_the_first_one_broke_off() -> None:
    session, memory, plain = recorded("random_1"), Memory(), Memory()
    await run(plain, session)
    first, second = InProcessServer(session, "node://first"), InProcessServer(session, "node://second")
    one = follower(memory, session)
    await one.advance(first)
    first.close_ledgers(40)
    second.close_ledgers()
    left = 20

    def trouble(_method: str) -> Unreachable | None:
        nonlocal left
        left -= 1
        return Unreachable("node://first", "gone") if left < 0 else None

    first.trouble = trouble
    with pytest.raises(Unreachable):
        await to_the_end(one, first)
    await to_the_end(one, second)
    assert [encode(event) for event in memory.stream] == [encode(event) for event in plain.stream]


async def test_a_server_that_was_not_read_before_is_checked_even_if_it_has_nothing_new() -> None:
    session, memory = recorded("grid_swept"), Memory()
    first, second = InProcessServer(session, "node://first"), InProcessServer(session, "node://second")
    one = follower(memory, session)
    await one.advance(first)
    second.node.faults.change({"other_chain": True})
    with pytest.raises(WrongChain, match="node://second"):
        await one.advance(second)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"other_chain": True}, WrongChain),
        ({"hole": [0, 4_000_000_000]}, HistoryMissing),
    ],
)
async def test_a_server_that_can_not_be_trusted_changes_nothing(
    fault: dict[str, object], error: type[Exception]
) -> None:
    session, memory = recorded("grid_swept"), Memory()
    server = InProcessServer(session)
    one = follower(memory, session)
    await one.advance(server)
    before = (dict(memory.values), list(memory.stream))
    server.close_ledgers()
    server.node.faults.change(fault)
    with pytest.raises(error):
        await one.advance(server)
    assert (memory.values, memory.stream) == before


async def test_a_server_of_another_network_is_refused() -> None:
    session, memory = recorded("full_fill"), Memory()
    server = InProcessServer(session)
    one = follower(memory, session)
    await one.advance(server)
    server.spoil["server_info"] = lambda answer: {"info": {**answer["info"], "network_id": 21338}}
    with pytest.raises(ProtocolViolation, match="expected network 0, found 21338"):
        await one.advance(server)


async def test_what_a_server_says_of_its_network_holds_only_once_the_account_is_adopted_there() -> None:
    session, memory = recorded("full_fill"), Memory()
    foreign, honest = InProcessServer(session, "node://foreign"), InProcessServer(session, "node://honest")
    foreign.spoil["server_info"] = lambda answer: {"info": {**answer["info"], "network_id": 21338}}
    foreign.trouble = lambda method: Unreachable(foreign.name, "gone") if method == "ledger" else None
    one = follower(memory, session)
    with pytest.raises(Unreachable):
        await one.advance(foreign)
    await one.advance(honest)
    assert one.committed is not None
    assert one.committed.stored.record.network_id == 0
    foreign.trouble = lambda _method: None
    with pytest.raises(ProtocolViolation, match="expected network 0, found 21338"):
        await one.advance(foreign)


@pytest.mark.parametrize("named", [{"network_id": 21338}, {}])
async def test_a_server_on_another_network_than_the_one_that_is_set_is_refused_at_once(
    named: dict[str, int],
) -> None:
    session = recorded("full_fill")
    server = InProcessServer(session)

    def spoil(answer: dict[str, Any]) -> dict[str, Any]:
        info = {name: value for name, value in answer["info"].items() if name != "network_id"}
        return {"info": {**info, **named}}

    server.spoil["server_info"] = spoil
    one = follower(Memory(), session, network=lambda: 1)
    with pytest.raises(ProtocolViolation, match="expected network 1"):
        await one.advance(server)
    assert one.committed is None
