"""Lies of a server: no false event lasts, no false state is committed beside an honest server or a quorum."""

import pytest
from lying import Outcome, crash_after_lie, run_with_lie
from lying_world import LyingWorld
from replaying import recorded
from true_outcome import books_of, is_true, truth_of

from order_events import OrderCorrected
from replay_node.session import Session

LIES: dict[str, dict[str, object]] = {
    "amounts": {"forge": "amounts"},
    "amounts, hashed anew": {"forge": "amounts", "rehash": True},
    "hidden": {"forge": "hidden"},
    "hidden, hashed anew": {"forge": "hidden", "rehash": True},
    "added": {"forge": "added"},
    "doubled": {"forge": "doubled"},
    "invented": {"invent": 3},
    "wrong chain": {"other_chain": True},
    "stale": {"stale": 3},
    "an old index": {"lag": 3},
}
GUARDS = {
    "the liar and an honest server": {"servers": 2, "liar": 0},
    "an honest server and the liar": {"servers": 2, "liar": 1},
    "the liar and a list of validators": {"validators": True},
}
CONSISTENT = {"forge": "amounts", "rehash": True}
VOICES: dict[str, dict[str, object]] = {
    "too few": {"absent_validators": 2},
    "none": {"voices": "withheld"},
    "of strangers": {"voices": "strangers"},
    "forged": {"voices": "forged"},
    "an old key": {"voices": "old_key", "absent_validators": 1},
    "a revoked key": {"voices": "revoked", "absent_validators": 1},
}
AFTER = 2
"""Ledgers after which the server begins to lie."""


@pytest.fixture(scope="module")
def session() -> Session:
    return recorded("grid_swept")


async def outcome(session: Session, faults: dict[str, object], **world: object) -> Outcome:
    return await run_with_lie(LyingWorld(session, **world), faults, after=AFTER)  # type: ignore[arg-type]


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("lie", LIES)
async def test_no_lie_is_committed_or_called_confirmed(session: Session, lie: str, guard: str) -> None:
    found = await outcome(session, LIES[lie], **GUARDS[guard])
    assert (found.committed, found.confirmed, found.missing, found.wrong_at_the_end) == (0, 0, 0, 0)
    assert found.standing == 0 or found.stopped


@pytest.mark.parametrize("lie", ["amounts", "hidden", "added", "doubled", "stale", "wrong chain"])
async def test_an_honest_server_beside_a_liar_leads_to_the_end(session: Session, lie: str) -> None:
    for guard in ("the liar and an honest server", "an honest server and the liar"):
        found = await outcome(session, LIES[lie], **GUARDS[guard])
        assert found.ledgers == len(session.ledgers) - 1


async def test_a_chain_that_contradicts_itself_nowhere_is_believed_alone_and_never_called_confirmed(
    session: Session,
) -> None:
    found = await outcome(session, CONSISTENT)
    assert found.committed > 0
    assert found.confirmed == 0


@pytest.mark.parametrize("voices", VOICES)
async def test_without_a_quorum_nothing_more_is_committed(session: Session, voices: str) -> None:
    found = await outcome(session, VOICES[voices], validators=True)
    rotation = 3  # ledgers until the first validator changes its key
    assert found.ledgers == (rotation - 1 if "key" in voices else AFTER - 1)
    assert found.stopped


@pytest.mark.parametrize("voices", ["none", "of strangers", "forged"])
async def test_a_forged_chain_finds_no_quorum_whatever_is_relayed(session: Session, voices: str) -> None:
    found = await outcome(session, {**CONSISTENT, **VOICES[voices]}, validators=True)
    assert (found.committed, found.confirmed) == (0, 0)


async def test_one_validator_that_is_away_or_changes_its_key_stops_nothing(session: Session) -> None:
    for faults in ({"absent_validators": 1}, {}):
        found = await outcome(session, faults, validators=True)
        assert found.ledgers == len(session.ledgers) - 1
        assert not found.stopped


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("liar_at", range(1, 6))
async def test_one_ledger_of_another_chain_is_not_committed_below_a_true_one(
    guard: str, liar_at: int
) -> None:
    sparse = recorded("partial_then_full")  # a ledger without a transaction follows each one that has some
    world, truth = LyingWorld(sparse, **GUARDS[guard]), await truth_of(sparse)  # type: ignore[arg-type]
    await world.look()
    faults = world.liar.node.faults
    for number, ledger in enumerate(sparse.ledgers[1:], start=1):
        if number == liar_at:
            faults.change({"forge": "hidden", "rehash": True, "forge_from": ledger.ledger_index})
        await world.until_next_close()
        faults.change({"forge": "", "rehash": False})
        for _ in range(0 if number == liar_at else 3):
            await world.look()
            assert books_of(world.one) == truth.books[world.cursor]


@pytest.mark.parametrize("lie", ["amounts", "added", "doubled"])
async def test_a_lie_told_before_a_crash_is_corrected_after_the_restart(session: Session, lie: str) -> None:
    crashed = LyingWorld(session)
    told = await crash_after_lie(crashed, {"forge": lie})
    restarted = LyingWorld(session, memory=crashed.memory)
    for node in restarted.nodes:
        node.close_ledgers(crashed.closed)
    restarted.closed = crashed.closed
    found = await run_with_lie(restarted, {}, after=0)
    corrected = {event.corrects for event in crashed.memory.stream if isinstance(event, OrderCorrected)}
    truth = await truth_of(session)
    assert {event.event_id for event in told if not is_true(truth, event)} <= corrected
    assert (found.standing, found.missing, found.wrong_at_the_end) == (0, 0, 0)
    assert len({event.event_id for event in crashed.memory.stream}) == len(crashed.memory.stream)
