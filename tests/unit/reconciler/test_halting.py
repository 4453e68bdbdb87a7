"""An account that waits for an operator: through crashes, on any replica, until somebody answers."""

from typing import Any
from uuid import UUID

import msgspec
import pytest
from in_memory_bus import Crash, Memory, MemoryOperator
from in_process_node import InProcessServer
from one_account import committed_by, follower, to_the_end
from replaying import recorded
from structlog.testing import capture_logs

from console.engine import announcements
from order_events import OrderDisappeared, ReconcilerHalted, ReconcilerResumed, decode
from order_events.subjects import HALT_KEY, RESUME_KEY
from reconciler.following.follower import Follower
from reconciler.following.stored_account import cursor_of
from reconciler.health import LedgerHealth
from reconciler.safety.account_safety import SharedSafety
from reconciler.safety.policy import Policy

SESSION = recorded("never_placed")


def announced() -> Memory:
    memory = Memory()
    memory.announcements += list(announcements(SESSION))
    return memory


def started(memory: Memory, limit: int = 1) -> Follower:
    policy = Policy(halt_after_unresolved=limit)
    return follower(memory, SESSION, safety=SharedSafety(policy=policy, operator=MemoryOperator(memory)))


def at_its_end() -> InProcessServer:
    server = InProcessServer(SESSION)
    server.close_ledgers()
    return server


async def halted() -> tuple[Memory, Follower, ReconcilerHalted]:
    memory, server = announced(), at_its_end()
    one = started(memory)
    await to_the_end(one, server)
    event = halt_of(one)
    assert event is not None
    return memory, one, event


def halt_of(one: Follower) -> ReconcilerHalted | None:
    return committed_by(one).policy_state.halted


def of_type(memory: Memory, kind: type[Any]) -> list[Any]:
    return [event for event in memory.stream if isinstance(event, kind)]


def kept(memory: Memory, key: str) -> bytes | None:
    return memory.values.get(f"0.{SESSION.accounts['maker']}.{key}")


async def test_the_halt_is_published_and_lies_in_the_bucket_for_the_operator() -> None:
    with capture_logs() as logs:
        memory, _, event = await halted()
    assert of_type(memory, ReconcilerHalted) == [event]
    notice = kept(memory, HALT_KEY)
    assert notice is not None
    assert decode(notice) == event
    assert [line["reason"] for line in logs if line["log_level"] == "error"] == [event.reason]


async def test_the_halt_survives_the_process_and_is_known_to_whoever_takes_the_account_up() -> None:
    memory, _, event = await halted()
    other = started(memory, limit=0)  # whatever its own limit
    await other.advance(at_its_end())
    assert halt_of(other) == event
    assert of_type(memory, ReconcilerHalted) == [event]


async def test_an_operator_s_answer_is_published_once_and_lifts_the_halt_for_good() -> None:
    memory, one, event = await halted()
    answer = MemoryOperator(memory).answer(event)
    with capture_logs() as logs:
        for _ in range(3):
            await one.advance(at_its_end())
    assert halt_of(one) is None
    assert of_type(memory, ReconcilerResumed) == [answer]
    assert (kept(memory, HALT_KEY), kept(memory, RESUME_KEY)) == (None, None)
    assert "resumed by an operator" in [line["event"] for line in logs]
    again = started(memory)
    await again.advance(at_its_end())
    assert halt_of(again) is None


async def test_an_answer_to_another_halt_lifts_nothing() -> None:
    memory, one, event = await halted()
    MemoryOperator(memory).answer(msgspec.structs.replace(event, event_id=UUID(int=7)))
    await one.advance(at_its_end())
    assert halt_of(one) == event


async def test_nobody_is_asked_while_nothing_is_halted() -> None:
    memory, server = announced(), at_its_end()
    one = started(memory, limit=0)
    MemoryOperator(memory).read_answer = None  # type: ignore[assignment, method-assign]
    await to_the_end(one, server)
    assert of_type(memory, OrderDisappeared) != []
    assert halt_of(one) is None


async def test_a_crash_between_any_two_steps_halts_once_and_resumes_once() -> None:
    untroubled, one, event = await halted()
    MemoryOperator(untroubled).answer(event)
    await one.advance(at_its_end())
    for crash_at in range(1, untroubled.calls + 1):
        memory, server = announced(), at_its_end()
        memory.crash_at = crash_at
        one = started(memory)
        answered = False
        for _ in range(8):
            try:
                await one.advance(server)
            except Crash:
                one = started(memory)
            halt = halt_of(one) if one.committed else None
            if halt is not None and not answered:
                MemoryOperator(memory).answer(halt)
                answered = True
        assert memory.stream == untroubled.stream
        assert memory.values == untroubled.values


async def test_a_halted_account_goes_on_being_followed() -> None:
    _, one, event = await halted()
    assert event.ledger_index is not None
    assert cursor_of(one.committed) == SESSION.ledgers[-1].ledger_index >= event.ledger_index


@pytest.mark.parametrize(
    ("halts", "told"), [({}, None), ({"rOne": "expected 1, found 2"}, "rOne: expected 1, found 2")]
)
async def test_health_tells_who_is_halted_and_why(halts: dict[str, str], told: str | None) -> None:
    health = LedgerHealth()
    assert await health.notes()["halted"]() is None
    health.watch_halts(lambda: halts)
    assert await health.notes()["halted"]() == told
    assert await health.checks()["ledger"]() is None
