"""Two servers: what only one of them says is told, and not committed before the other one has named it."""

import asyncio

import pytest
from in_memory_bus import Memory
from one_account import announced, run, statuses
from replaying import recorded
from several_servers import World, before_the_fill
from waiting import limit, until

from ledger_client import (
    Disputed,
    ServerError,
    Unconfirmed,
)
from order_events import OrderEvent, OrderFilled
from reconciler.following.confirmation import VALIDATORS, ConfirmationRule, Quorum


async def test_a_fill_is_told_at_once_and_committed_when_a_second_server_has_named_its_ledger() -> None:
    world = await before_the_fill(recorded("full_fill"), rule=ConfirmationRule(seconds=60))
    cursor = world.cursor
    world.close_ledger(0)
    advancing = asyncio.create_task(world.advance())
    await until(lambda: any(isinstance(event, OrderFilled) for event in world.memory.stream))
    assert world.cursor == cursor
    world.close_ledger(1)
    assert await advancing is None
    assert world.cursor == cursor + 1
    assert world.metric("confirmed_ledger") == cursor + 1


async def test_a_second_server_that_does_not_keep_up_is_not_waited_for_and_that_is_said() -> None:
    world = await before_the_fill(recorded("busy_ledger"), rule=ConfirmationRule(seconds=9_000))
    cursor = world.cursor
    world.close_ledger(0)
    world.nodes[1].stream.lost()
    world.servers.failed(world.read[1], ServerError("node://1", "gone"))
    async with asyncio.timeout(limit()):
        assert await world.advance() is None
    assert world.cursor == cursor + 1
    assert world.metric("unconfirmed_ledgers_total") == 1


def lie_from_the_next_ledger(world: World, liar: int, **faults: object) -> None:
    """Let a server show another ledger than the next one that closes."""
    node = world.nodes[liar].node
    node.faults.change({**faults, "forge_from": node.chain.validated.ledger_index + 1})


@pytest.mark.parametrize("liar", [0, 1])
async def test_where_two_servers_of_one_mind_so_far_show_different_bytes_nothing_is_committed(
    liar: int,
) -> None:
    world = await before_the_fill(recorded("full_fill"))
    cursor = world.cursor
    lie_from_the_next_ledger(world, liar, forge="amounts", rehash=True)
    world.close_ledger()
    problems = [await world.advance(server) for server in (0, 1)]
    assert world.cursor == cursor
    assert any(isinstance(problem, Disputed) for problem in problems)
    assert world.confirmation.is_unproven


@pytest.mark.parametrize("liar", [0, 1])
async def test_a_hash_that_is_only_named_disputes_nothing(liar: int) -> None:
    world = await before_the_fill(recorded("full_fill"))
    cursor = world.cursor
    world.nodes[liar].node.faults.change({"other_chain": True})
    world.close_ledger()
    true = world.nodes[1 - liar].node.chain
    problems = [await world.advance(server) for server in (0, 1)]
    assert not any(isinstance(problem, Disputed) for problem in problems)
    assert world.cursor == cursor + 1
    assert world.one.committed is not None
    assert world.one.committed.stored.record.ledger_hash == true.hash_of(true.validated)


async def test_a_third_server_settles_what_two_dispute() -> None:
    world = await before_the_fill(recorded("full_fill"), servers=3)
    cursor = world.cursor
    liar = world.nodes[1].node.chain
    liar.hash_of = lambda _ledger: "AB" * 32  # type: ignore[method-assign]
    world.close_ledger()
    assert await world.advance() is None
    assert world.cursor == cursor + 1


@pytest.mark.parametrize("lie", ["amounts", "hidden", "added", "doubled"])
@pytest.mark.parametrize("liar", [0, 1])
async def test_no_lie_is_committed_with_two_servers_of_which_one_is_honest(lie: str, liar: int) -> None:
    session = recorded("grid_swept")
    truth = Memory()
    truth.announcements += announced(session)
    await run(truth, session)
    world = World(session)
    world.nodes[liar].node.faults.change({"forge": lie})
    last = world.nodes[0].node.chain.last_index
    await world.advance()
    for _ in session.ledgers:
        world.close_ledger()
        for _ in range(2):
            await world.advance()
    assert world.cursor == last
    assert statuses(world.memory) == statuses(truth)
    assert standing(world.memory) == standing(truth)


def standing(memory: Memory) -> dict[int, object]:
    return {event.sequence: event.filled_qty for event in memory.stream if isinstance(event, OrderEvent)}


async def test_a_quorum_confirms_without_a_second_server() -> None:
    signed: set[bytes] = set()
    quorum = Quorum(
        is_wanted=lambda: True,
        confirms=lambda name, _time: name in signed,
        confirmed_hash=lambda _index, _time: None,
    )
    rule = ConfirmationRule(seconds=0.05, commit_unconfirmed=False)
    world = World(recorded("full_fill"), servers=1, rule=rule, quorum=quorum)
    await world.advance()
    cursor = world.cursor
    world.close_ledger()
    assert isinstance(await world.advance(), Unconfirmed)
    assert world.cursor == cursor
    chain = world.nodes[0].node.chain
    signed.add(bytes.fromhex(chain.hash_of(chain.validated)))
    assert await world.advance() is None
    assert world.cursor == cursor + 1
    assert VALIDATORS == "validators"


async def test_one_server_alone_waits_for_nobody() -> None:
    world = World(recorded("full_fill"), servers=1, rule=ConfirmationRule(seconds=60))
    await world.advance()
    cursor = world.cursor
    world.close_ledger()
    assert await world.advance() is None
    assert world.cursor == cursor + 1
    assert world.metric("unconfirmed_ledgers_total") == 0
    assert world.metric("confirmed_ledger") == 0
