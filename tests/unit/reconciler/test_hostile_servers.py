"""Servers that are stuck, silent, slow, dripping or refusing, before an honest one: nothing is told late."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import msgspec
import pytest
from in_process_node import InProcessServer
from running_scheduler import SESSION, Running, scheduling
from waiting import moment, until

from ledger_client import Overloaded, ProtocolViolation, ServerError, Servers, Unreachable
from reconciler.following.stored_account import cursor_of

FIRST = SESSION.ledgers[0].ledger_index
MANY = 20
"""Ledgers: the session's account has traded by then."""
TOLD_WITHIN = moment() * 2 / 3
"""Two seconds on two idle cores, from the first server's showing a ledger to the commit of what is in it."""


class Slow(InProcessServer):
    """Waits before it answers; of the methods that are in `at_once` it answers at once."""

    def __init__(self, name: str, seconds: float, *at_once: str) -> None:
        super().__init__(SESSION, name)
        self.seconds = seconds
        self.at_once = at_once

    async def request(self, method: str, /, **params: object) -> msgspec.Raw:
        if method not in self.at_once:
            await asyncio.sleep(self.seconds)
        return await super().request(method, **params)


def stuck() -> InProcessServer:
    return InProcessServer(SESSION, "node://stuck")


def silent() -> InProcessServer:
    return Slow("node://silent", 3600)


def showing_only() -> InProcessServer:
    return Slow("node://showing-only", 3600, "server_info")


def dripping() -> InProcessServer:
    return Slow("node://dripping", 0.4)


def refusing(error: type[ServerError], *besides: str) -> InProcessServer:
    server = InProcessServer(SESSION, f"node://{error.kind}")
    server.trouble = lambda method: None if method in besides else error(server.name, "as ever")
    return server


def closing(server: InProcessServer) -> bool:
    return server.name != "node://stuck"


async def told_in(running: Running, servers: list[InProcessServer]) -> float:
    """Close one more ledger everywhere but on the stuck server; return the seconds until it is committed."""
    loop = asyncio.get_running_loop()
    for server in servers:
        if closing(server):
            server.close_ledgers(1)
    began, before = loop.time(), cursor_of(running.followers[0].committed)
    await until(lambda: cursor_of(running.followers[0].committed) == before + 1)
    return loop.time() - began


@contextlib.asynccontextmanager
async def followed(*servers: InProcessServer) -> AsyncIterator[Running]:
    """Follow one account to a ledger of the honest, last server; the monitor runs beside it."""
    running = Running(*servers, roles=("maker",), poll_seconds=1)
    for server in servers:
        if closing(server):
            server.close_ledgers(MANY)
    async with scheduling(running):
        monitoring = asyncio.create_task(running.monitor().run())
        try:
            await until(lambda: bool(running.followers))
            await until(lambda: cursor_of(running.followers[0].committed) == FIRST + MANY)
            yield running
        finally:
            monitoring.cancel()
            await asyncio.wait([monitoring])


@pytest.mark.parametrize(
    "others",
    [
        [stuck()],
        [silent()],
        [showing_only()],
        [dripping()],
        [refusing(Overloaded)],
        [refusing(Unreachable, "server_info")],
        [refusing(ProtocolViolation, "server_info", "ledger")],
        [stuck(), silent(), showing_only(), dripping(), refusing(Overloaded, "server_info")],
    ],
    ids=lambda others: "-".join(other.name.removeprefix("node://") for other in others),
)
async def test_a_ledger_is_told_within_two_seconds_whatever_the_other_servers_do(
    others: list[InProcessServer],
) -> None:
    servers = [*others, InProcessServer(SESSION, "node://honest")]
    async with followed(*servers) as running:
        taken = [await told_in(running, servers) for _ in range(3)]
    assert max(taken) < TOLD_WITHIN
    assert running.memories["maker"].stream


async def test_when_the_server_that_served_gets_stuck_the_other_one_is_asked() -> None:
    one, two = InProcessServer(SESSION, "node://one"), InProcessServer(SESSION, "node://two")
    async with followed(one, two) as running:
        two.close_ledgers(1)
        await until(lambda: cursor_of(running.followers[0].committed) == FIRST + MANY + 1)
        assert next(running.servers.candidates()).name == "node://two"


async def test_a_newer_ledger_that_no_server_lets_read_is_lag_and_no_reading() -> None:
    stays, shows = InProcessServer(SESSION, "node://stays"), InProcessServer(SESSION, "node://shows")
    async with followed(stays, shows) as running:
        shows.trouble = lambda method: (
            None if method == "server_info" else Unreachable(shows.name, "no answer")
        )
        shows.close_ledgers(10)
        await until(lambda: running.metric("validated_ledger") == FIRST + MANY + 10)
        assert running.metric("cursor_lag_ledgers") == 10
        readings, asked = running.readings, len(stays.asked)
        await until(lambda: len(stays.asked) > asked + 3)
        assert running.readings == readings
        shows.trouble = lambda _method: None
        await until(lambda: running.metric("cursor_lag_ledgers") == 0)
        assert running.readings > readings


async def test_one_server_alone_that_is_slow_is_waited_for() -> None:
    async with followed(Slow("node://slow", 0.15)) as running:
        assert cursor_of(running.followers[0].committed) == FIRST + MANY


def names(servers: Servers, after: int) -> list[str]:
    return [server.name for server in servers.candidates(after)]


async def test_what_a_server_shows_after_a_wrong_answer_counts_again_once_it_has_served() -> None:
    liar, honest = InProcessServer(SESSION, "node://liar"), InProcessServer(SESSION, "node://honest")
    servers = Running(liar, honest, roles=()).servers
    servers.note_shown(honest.name, 1056)
    servers.note_shown(liar.name, 1256)
    assert servers.newest_shown == 1256
    servers.failed(liar, ProtocolViolation(liar.name, "a header with another hash"))
    assert servers.newest_shown == 1056
    servers.served(liar)
    assert servers.newest_shown == 1256


async def test_servers_that_have_shown_the_next_ledger_come_first() -> None:
    one, two = InProcessServer(SESSION, "node://one"), InProcessServer(SESSION, "node://two")
    servers = Running(one, two, roles=()).servers
    servers.note_shown(one.name, 10)
    servers.note_shown(two.name, 11)
    assert names(servers, 10) == ["node://two", "node://one"]
    assert names(servers, 9) == ["node://one", "node://two"]
