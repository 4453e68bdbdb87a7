"""All servers looked at together: one that lags, or is on another chain, is named and put aside."""

import asyncio
import random

import pytest
from in_process_node import InProcessServer
from replaying import recorded
from structlog.testing import capture_logs
from waiting import until

from ledger_client import LedgerServer, Servers, ServerStatus, Unreachable
from reconciler.fleet import server_monitor
from reconciler.fleet.server_monitor import LEDGERS_BEHIND, ServerMonitor
from reconciler.metrics import Metrics

LONG = recorded("random_1")
ONE, TWO = "node://one", "node://two"


class Watched:
    """Two servers with all ledgers closed; the first one is read."""

    def __init__(self) -> None:
        self.one, self.two = InProcessServer(LONG, ONE), InProcessServer(LONG, TWO)
        self.one.close_ledgers()
        self.two.close_ledgers()
        self.metrics = Metrics()
        clock = asyncio.get_running_loop().time
        self.servers = Servers([self.one, self.two], clock=clock, chance=random.Random(1))  # noqa: S311 - no secret
        self.watch = ServerMonitor(self.servers, self.metrics)

    def used(self) -> list[str]:
        return [server.name for server in self.servers.candidates()]

    def metric(self, name: str, server: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"reconciler_server_{name}", {"server": server})


@pytest.fixture
async def watched() -> Watched:
    return Watched()


async def test_servers_that_agree_are_all_used_and_measured(watched: Watched) -> None:
    await watched.watch.check_servers()
    assert watched.used() == [ONE, TWO]
    for name in (ONE, TWO):
        assert watched.metric("up", name) == 1
        assert watched.metric("validated_ledger", name) == LONG.ledgers[-1].ledger_index


async def test_a_server_behind_the_others_is_put_aside_and_named_though_it_is_the_one_read(
    watched: Watched,
) -> None:
    watched.one.node.faults.change({"lag": 50})
    watched.servers.note_shown(TWO, LONG.ledgers[-1].ledger_index)
    with capture_logs() as logs:
        await watched.watch.check_servers()
    assert watched.used() == [TWO]
    assert watched.metric("up", ONE) == 0
    assert watched.metric("validated_ledger", ONE) == LONG.ledgers[-51].ledger_index
    assert [(line["kind"], ONE in line["problem"]) for line in logs] == [("lagging", True)]


async def test_an_exception_that_nobody_foresaw_puts_aside_the_one_server_and_the_others_are_monitored(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = server_monitor.server_status

    async def broken(server: LedgerServer) -> ServerStatus:
        if server.name == ONE:
            raise OverflowError("a time that nobody foresaw")
        return await ask(server)

    monkeypatch.setattr(server_monitor, "server_status", broken)
    with capture_logs() as logs:
        await watched.watch.check_servers()
    assert watched.used() == [TWO]
    assert watched.metric("up", ONE) == 0
    assert watched.metric("up", TWO) == 1
    assert watched.metrics.registry.get_sample_value("reconciler_monitor_faults_total") == 1
    assert [entry["server"] for entry in logs if entry["log_level"] == "error"] == [ONE]


async def test_a_comparison_that_fails_is_counted_and_made_again(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_monitor, "SECONDS_BETWEEN_CHECKS", 0.01)
    checked = asyncio.Event()
    failures = [OverflowError("nobody foresaw it")] * 3

    async def check() -> None:
        if failures:
            raise failures.pop()
        checked.set()

    monkeypatch.setattr(watched.watch, "compare_chains", check)
    running = asyncio.create_task(watched.watch.run())
    await until(checked.is_set)
    running.cancel()
    assert watched.metrics.registry.get_sample_value("reconciler_monitor_faults_total") == 3


async def test_a_server_a_little_late_is_used(watched: Watched) -> None:
    watched.two.node.faults.change({"lag": LEDGERS_BEHIND})
    await watched.watch.check_servers()
    assert watched.used() == [ONE, TWO]


async def test_a_server_on_another_chain_than_the_one_that_is_read_is_put_aside_and_named(
    watched: Watched,
) -> None:
    watched.two.node.faults.change({"other_chain": True})
    with capture_logs() as logs:
        await watched.watch.check_servers()
    assert watched.used() == [ONE]
    assert [(line["kind"], TWO in line["problem"]) for line in logs] == [("wrong_chain", True)]


async def test_when_the_one_read_is_away_the_others_are_not_judged_by_each_other(watched: Watched) -> None:
    watched.one.trouble = lambda _: Unreachable(ONE, "gone")
    watched.two.node.faults.change({"other_chain": True})
    await watched.watch.check_servers()
    assert watched.used() == [TWO]
    assert (watched.metric("up", ONE), watched.metric("up", TWO)) == (0, 1)


async def test_a_server_that_has_not_got_the_ledger_compared_is_not_judged(watched: Watched) -> None:
    last = LONG.ledgers[-1].ledger_index
    watched.two.node.faults.change({"hole": [last, last]})
    await watched.watch.check_servers()
    assert watched.used() == [ONE, TWO]


async def test_a_server_that_comes_back_is_up_again(watched: Watched) -> None:
    watched.two.trouble = lambda _: Unreachable(TWO, "gone")
    await watched.watch.check_servers()
    assert watched.metric("up", TWO) == 0
    watched.two.trouble = lambda _: None
    watched.servers.served(watched.two)
    await until(lambda: TWO in watched.used())
    await watched.watch.check_servers()
    assert watched.metric("up", TWO) == 1
