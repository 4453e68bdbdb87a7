"""The scheduler: wake-ups, several accounts, servers that come and go."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from decimal import Inexact
from uuid import UUID

import pytest
from in_memory_bus import Memory, MemoryStore
from in_process_node import InProcessServer
from one_account import committed_by
from running_scheduler import LAST, ROLES, SESSION, Running, scheduling
from structlog.testing import capture_logs
from waiting import limit, until
from with_a_hole import PATIENCE

from ledger_client import Unreachable
from reconciler.backfill.history_gaps import SECONDS_BETWEEN_SEARCHES
from reconciler.fleet import set_aside
from reconciler.fleet.account_shares import share
from reconciler.fleet.set_aside import SetAside
from reconciler.following.stored_account import cursor_of
from reconciler.health import LedgerHealth
from reconciler.metrics import Metrics
from retries import Backoff


async def test_every_account_is_followed_to_the_newest_ledger() -> None:
    server = InProcessServer(SESSION)
    server.close_ledgers()
    async with scheduling(Running(server)) as running:
        await until(running.all_at(LAST))
        await until(lambda: running.metric("cursor_lag_ledgers") == 0)
    assert running.metric("validated_ledger") == LAST
    assert running.readings > 0
    assert all(memory.stream for memory in running.memories.values())


async def test_a_closed_ledger_wakes_it_long_before_it_would_look_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("reconciler.fleet.scheduler._SHORTEST_PAUSE", 3600)
    server = InProcessServer(SESSION)
    async with scheduling(Running(server, poll_seconds=3600)) as running:
        for ledger in SESSION.ledgers[:3]:
            await until(running.all_at(ledger.ledger_index))
            server.close_ledgers(1)
            running.wakeup.notify()


async def test_without_any_wake_up_it_looks_by_itself() -> None:
    server = InProcessServer(SESSION)
    async with scheduling(Running(server, poll_seconds=0.05)) as running:
        await until(running.all_at(SESSION.ledgers[0].ledger_index))
        server.close_ledgers()
        await until(running.all_at(LAST))


async def test_a_hole_in_one_server_s_history_is_told_once_and_another_server_serves() -> None:
    holed, whole = InProcessServer(SESSION, "node://holed"), InProcessServer(SESSION, "node://whole")
    holed.node.faults.change({"hole": [SESSION.ledgers[5].ledger_index, SESSION.ledgers[6].ledger_index]})
    for server in (holed, whole):
        server.close_ledgers()
    with capture_logs() as logs:
        async with scheduling(Running(holed, whole, roles=("maker",), poll_seconds=0.02)) as running:
            await until(running.all_at(LAST))
    assert [line["problem"][:12] for line in logs if line["log_level"] == "warning"] == ["node://holed"]


async def test_while_the_history_is_missing_everywhere_nothing_advances() -> None:
    server = InProcessServer(SESSION)
    server.close_ledgers()
    async with scheduling(Running(server, roles=("maker",), poll_seconds=0.02)) as running:
        await until(running.all_at(LAST))
    again = InProcessServer(SESSION)
    again.node.faults.change({"hole": [SESSION.ledgers[5].ledger_index, SESSION.ledgers[6].ledger_index]})
    with capture_logs() as logs:
        async with scheduling(Running(again, roles=("maker",), poll_seconds=0.02)) as held:
            await until(held.all_at(SESSION.ledgers[0].ledger_index))
            again.close_ledgers()
            asked = len(again.asked)
            await until(lambda: len(again.asked) > asked + 5)
            assert held.all_at(SESSION.ledgers[0].ledger_index)()
            again.node.faults.change({"hole": None})
            await until(held.all_at(LAST))
    assert "history missing" in next(line["problem"] for line in logs if line["log_level"] == "warning")
    assert held.memories["maker"].stream == running.memories["maker"].stream


async def test_overload_and_unreachable_servers_only_cost_time() -> None:
    calm, troubled = InProcessServer(SESSION), InProcessServer(SESSION)
    for server in (calm, troubled):
        server.close_ledgers()
    troubled.node.faults.change({"slow_down": 1, "empty_pages": 2})
    async with scheduling(Running(calm)) as first:
        await until(first.all_at(LAST))
    async with scheduling(Running(troubled, poll_seconds=0.02)) as second:
        await until(second.all_at(LAST))
    assert [one.stream for one in second.memories.values()] == [one.stream for one in first.memories.values()]


class SwallowsCancellation(MemoryStore):
    """Finishes a commit although the task was cancelled meanwhile, as nats-py may."""

    def __init__(self, memory: Memory) -> None:
        super().__init__(memory)
        self.committing = asyncio.Event()

    async def commit(
        self, prefix: str, values: Mapping[str, bytes], deleted: Sequence[str], fence: int
    ) -> int:
        if fence:  # not the adoption's
            self.committing.set()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
        return await super().commit(prefix, values, deleted, fence)


async def test_a_cancellation_that_a_library_swallows_still_ends_the_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server, store = InProcessServer(SESSION), SwallowsCancellation(Memory())
    running = Running(server, roles=("maker",), poll_seconds=0.02)
    monkeypatch.setattr(running, "store", lambda _: store)
    server.close_ledgers()
    task = asyncio.create_task(running.scheduler.run())
    await store.committing.wait()
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=limit())
    assert done == {task}
    assert task.cancelled()


class TakesNothing(MemoryStore):
    """Takes the adoption's commit, and no other: stream and bucket are full."""

    async def commit(
        self, prefix: str, values: Mapping[str, bytes], deleted: Sequence[str], fence: int
    ) -> int:
        if fence:
            await asyncio.Event().wait()
        return await super().commit(prefix, values, deleted, fence)


async def test_while_the_bus_takes_nothing_the_lag_grows_with_every_ledger(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = InProcessServer(SESSION)
    running = Running(server, roles=("maker",), poll_seconds=0.02)
    monkeypatch.setattr(running, "store", TakesNothing)
    async with scheduling(running):
        await until(running.all_at(SESSION.ledgers[0].ledger_index))
        for closed in (1, 2, 3):
            server.close_ledgers(1)
            running.servers.note_shown(server.name, SESSION.ledgers[closed].ledger_index)
            assert running.metric("cursor_lag_ledgers") == closed
            await asyncio.sleep(0)


async def test_an_account_that_another_replica_has_gone_on_with_is_taken_up_again() -> None:
    server = InProcessServer(SESSION)
    running = Running(server, roles=("maker",), poll_seconds=0.02)
    running.pause_between_renewals(0.01)
    async with scheduling(running):
        await until(running.all_at(SESSION.ledgers[0].ledger_index))
        running.memories["maker"].revision += 1  # somebody else's commit
        server.close_ledgers()
        await until(running.all_at(LAST))
    assert running.metric("lease_losses_total") == 1
    assert len(running.made) == 2
    undisturbed = Running(server, roles=("maker",), poll_seconds=0.02)
    async with scheduling(undisturbed):
        await until(undisturbed.all_at(LAST))
    assert running.memories["maker"].stream == undisturbed.memories["maker"].stream


class Poisoned(MemoryStore):
    """A store that the first commit of a ledger ends, as often as it is told to, with what nobody foresaw."""

    def __init__(self, memory: Memory, failures: list[Exception]) -> None:
        super().__init__(memory)
        self.failures = failures

    async def commit(
        self, prefix: str, values: Mapping[str, bytes], deleted: Sequence[str], fence: int
    ) -> int:
        if self.failures:
            raise self.failures.pop()
        return await super().commit(prefix, values, deleted, fence)


async def test_an_unexpected_exception_sets_aside_one_account_which_goes_on_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(set_aside, "_BACKOFF", Backoff(shortest=0.01, longest=0.01))
    server = InProcessServer(SESSION)
    server.close_ledgers()
    running = Running(server)
    health = LedgerHealth()
    health.watch_set_aside(running.scheduler.set_aside)
    one, neighbour = running.memories["maker"], running.memories["maker2"]
    failures: list[Exception] = [Inexact("a number that nobody foresaw")] * 1000
    monkeypatch.setattr(
        running,
        "store",
        lambda memory: Poisoned(memory, failures) if memory is one else MemoryStore(memory),
    )
    address = SESSION.accounts["maker"]
    with capture_logs() as logs:
        async with scheduling(running):
            await until(lambda: len(failures) < 990)
            others = [account for account in running.followers if account.account != address]
            await until(lambda: all(cursor_of(other.committed) == LAST for other in others))
            assert neighbour.stream != []
            assert running.metric("accounts_set_aside") == 1
            assert (running.metric("account_faults_total") or 0) >= 10
            assert await health.notes()["set aside"]() == f"{address}: Inexact: a number that nobody foresaw"
            failures.clear()
            await until(running.all_at(LAST))
            assert running.metric("accounts_set_aside") == 0
            assert await health.notes()["set aside"]() is None
    told = [entry for entry in logs if entry["log_level"] == "error"]
    assert {entry["account"] for entry in told} == {address}
    expected = await told_without_trouble()
    assert {event.event_id for event in one.stream} == expected


async def told_without_trouble() -> set[UUID]:
    """Return the ids of the events of the account `maker` when nothing goes wrong."""
    server = InProcessServer(SESSION)
    server.close_ledgers()
    async with scheduling(Running(server, roles=("maker",))) as running:
        await until(running.all_at(LAST))
    return {event.event_id for event in running.memories["maker"].stream}


def test_pauses_between_tries_of_an_account_grow_up_to_a_minute() -> None:
    aside = SetAside(Metrics(), chance=lambda: 1.0)
    pauses = [aside.add("rOne", ValueError("x")) for _ in range(9)]
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    aside.discard("rOne")
    assert aside.add("rOne", ValueError("x")) == 1


async def test_accounts_come_and_go_with_the_other_replicas() -> None:
    server = InProcessServer(SESSION)
    server.close_ledgers()
    accounts = frozenset(SESSION.accounts[role] for role in ROLES)
    running = Running(server, poll_seconds=0.02)
    running.pause_between_renewals(0.01)
    async with scheduling(running):
        await until(running.all_at(LAST))
        others = {f"other{number}": accounts for number in range(40)}
        running.leases.living.update(others)
        mine = share("one", sorted(accounts), {**others, "one": accounts})
        await until(lambda: {one.account for one in running.followers} == mine)
        assert mine < accounts
        await until(lambda: running.metric("replicas") == 41)
        await until(lambda: running.metric("accounts") == len(mine))
        for other in others:
            del running.leases.living[other]
        await until(running.all_at(LAST))
        assert running.metric("lease_losses_total") == 0
    assert running.leases.living == {}


async def test_a_replica_with_nothing_to_follow_still_turns() -> None:
    running = Running(InProcessServer(SESSION), roles=())
    running.pause_between_renewals(0.01)
    async with scheduling(running):
        await until(lambda: running.readings > 3)


async def test_ledgers_that_no_server_has_are_left_out_and_read_once_a_server_has_them() -> None:
    server, whole = InProcessServer(SESSION, "node://holed"), InProcessServer(SESSION, "node://whole")
    first = SESSION.ledgers[0].ledger_index
    whole.trouble = lambda _method: Unreachable("node://whole", "not there yet")
    async with scheduling(Running(server, whole, poll_seconds=0.01, roles=ROLES[:1])) as running:

        def passes(seconds: float, reached: Callable[[], bool]) -> bool:
            running.gaps_clock.now += seconds
            return reached()

        await until(running.all_at(first))
        server.node.faults.change({"hole": [first + 1, first + 20]})
        server.close_ledgers()
        await until(lambda: passes(PATIENCE, running.all_at(LAST)))
        await until(lambda: running.metric("open_gaps") == 1)
        whole.close_ledgers()
        whole.trouble = lambda _method: None
        await until(lambda: passes(SECONDS_BETWEEN_SEARCHES, lambda: running.metric("open_gaps") == 0))
        assert committed_by(running.followers[0]).history_gaps == ()
