"""Which server is asked, and when one that failed is asked again."""

import random

import pytest
from in_process_node import InProcessServer
from replaying import recorded
from structlog.testing import capture_logs

from ledger_client import Lagging, Overloaded, ServerError, Servers, Unreachable, WrongChain


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


SESSION = recorded("full_fill")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def servers(clock: Clock) -> Servers:
    both = [InProcessServer(SESSION, "node://one"), InProcessServer(SESSION, "node://two")]
    return Servers(both, clock=clock, chance=random.Random(1))  # noqa: S311 - no secret


def names(servers: Servers) -> list[str]:
    return [server.name for server in servers.candidates()]


def first(servers: Servers) -> InProcessServer:
    server = next(servers.candidates())
    assert isinstance(server, InProcessServer)
    return server


def test_the_server_that_answered_last_is_asked_first(servers: Servers) -> None:
    _, second = servers.candidates()
    servers.served(second)
    assert names(servers) == ["node://two", "node://one"]


@pytest.mark.parametrize("error", [Unreachable, Overloaded, WrongChain])
def test_a_server_that_failed_stands_aside_and_comes_back(
    servers: Servers, clock: Clock, error: type[ServerError]
) -> None:
    servers.failed(first(servers), error("node://one", "trouble"))
    assert names(servers) == ["node://two"]
    clock.now += 30
    assert names(servers) == ["node://one", "node://two"]


def pause(servers: Servers, clock: Clock) -> float:
    """Return how long the first server stands aside after one more failure."""
    server, began = first(servers), clock.now
    servers.failed(server, Unreachable(server.name, "trouble"))
    while server.name not in names(servers):
        clock.now += 0.01
    return clock.now - began


def test_the_pause_grows_with_each_failure_up_to_half_a_minute(servers: Servers, clock: Clock) -> None:
    pauses = [pause(servers, clock) for _ in range(12)]
    assert pauses[0] < 0.26
    assert pauses[0] < pauses[3] < pauses[6]
    assert max(pauses) <= 30.1


def test_one_that_lags_is_asked_again_within_five_seconds_however_often_it_did(
    servers: Servers, clock: Clock
) -> None:
    for _ in range(20):
        servers.failed(first(servers), Lagging("node://one", "late"))
        clock.now += 5
        assert names(servers) == ["node://one", "node://two"]


def test_tasks_that_meet_the_same_trouble_together_count_as_one_failure(
    servers: Servers, clock: Clock
) -> None:
    server = first(servers)
    for _ in range(10):
        servers.failed(server, Unreachable(server.name, "trouble"))
    clock.now += 0.26
    assert server.name in names(servers)


def test_one_warning_is_given_for_each_kind_of_trouble_and_one_line_when_it_is_over(
    servers: Servers, clock: Clock
) -> None:
    server = first(servers)
    with capture_logs() as logs:
        for kind in (Unreachable, Unreachable, WrongChain, WrongChain):
            servers.failed(server, kind(server.name, "trouble"))
            clock.now += 60
        servers.served(server)
    assert [(line["log_level"], line.get("kind")) for line in logs] == [
        ("warning", "unreachable"),
        ("error", "wrong_chain"),
        ("info", None),
    ]


def test_an_overloaded_server_is_left_alone_for_as_long_as_it_asks(servers: Servers, clock: Clock) -> None:
    servers.failed(first(servers), Overloaded("node://one", "HTTP status 429", seconds_away=100))
    servers.note_shown("node://one", 99)
    clock.now += 99
    assert names(servers) == ["node://two"]
    clock.now += 1
    assert names(servers) == ["node://one", "node://two"]


def test_an_unreachable_server_that_shows_a_new_ledger_is_asked_again_soon(
    servers: Servers, clock: Clock
) -> None:
    server = first(servers)
    for _ in range(9):
        servers.failed(server, Unreachable(server.name, "trouble"))
        clock.now += 60
    servers.failed(server, Unreachable(server.name, "trouble"))
    servers.note_shown(server.name, 99)
    clock.now += 1
    assert names(servers) == ["node://one", "node://two"]
