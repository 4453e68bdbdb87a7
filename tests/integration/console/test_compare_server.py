"""A book held against a server's history, which is asked once."""

import asyncio
import json
from pathlib import Path

import msgspec
import pytest
from engine_books.comparing import compared
from fillproof_command import fillproof
from running_node import running_node

from console.compare.comparison import Comparison, Options, compare, read
from console.compare.ledger.answers import RememberingServer
from console.compare.ledger.server import ServerHistory
from console.errors import BadOption
from console.recorded_server import RecordedServer, closed_session
from console.sessions import find_session
from ledger_client import Unreachable

SESSION = "random_2"
BOOKS = Path(__file__).parents[2] / "data" / "engines"
FILES = ("nautilus_random_2.orders.csv", "nautilus_random_2.fills.csv")
QUICK = 1e9
"""Requests a second: a recorded session bears it."""


class Failing(RecordedServer):
    """Ends after so many answers, as a connection does, or a person's Ctrl-C."""

    answers = 40

    async def request(self, method: str, /, **params: object) -> msgspec.Raw:
        if method != "server_info":
            self.answers -= 1
        if self.answers < 0:
            raise Unreachable(self.name, "gone")
        return await super().request(method, **params)


def options(first: int) -> Options:
    return Options(books=tuple(BOOKS / name for name in FILES), complete=True, first=first)


def first_ledger() -> int:
    return find_session(SESSION).session.ledgers[0].ledger_index + 1


def by_server(server: RecordedServer, cache: Path) -> tuple[Comparison, int]:
    remembering = RememberingServer(server, cache, QUICK)
    history = ServerHistory(remembering, ())
    try:
        chosen = options(first_ledger())
        return compare(read(chosen), chosen, history, lambda *_: None), remembering.asked
    finally:
        history.close()


def test_a_servers_history_says_of_a_book_what_the_session_says(tmp_path: Path) -> None:
    comparison, _ = by_server(closed_session(find_session(SESSION).session), tmp_path / "answers")
    by_session = compared(SESSION, [BOOKS / name for name in FILES], first=first_ledger())
    assert {one.id for one in comparison.judged.findings} == {one.id for one in by_session.judged.findings}
    assert not comparison.judged.not_checked


def test_what_was_interrupted_goes_on_where_it_was(tmp_path: Path) -> None:
    cache = tmp_path / "answers"
    failing = Failing(find_session(SESSION).session)
    failing.close_ledgers()
    with pytest.raises(BadOption, match="gone"):
        by_server(failing, cache)
    _, rest = by_server(closed_session(find_session(SESSION).session), cache)
    _, whole = by_server(closed_session(find_session(SESSION).session), tmp_path / "other")
    assert rest == whole - Failing.answers
    _, again = by_server(closed_session(find_session(SESSION).session), cache)
    assert again == 1  # what the server has by now


def test_a_server_is_asked_no_more_often_than_it_may_be(tmp_path: Path) -> None:
    now = 0.0
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        nonlocal now
        slept.append(seconds)
        now += seconds

    async def ask() -> None:
        recorded = closed_session(find_session(SESSION).session)
        server = RememberingServer(recorded, tmp_path / "a", 4, lambda: now)
        for index in range(3):
            await server.request("ledger", ledger_index=first_ledger() + index)
        await server.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("console.compare.ledger.answers.asyncio.sleep", sleep)
        asyncio.run(ask())
    assert slept == [0.25, 0.25]


def test_a_server_is_asked_with_the_ledger_where_the_book_begins(tmp_path: Path) -> None:
    remembering = RememberingServer(closed_session(find_session(SESSION).session), tmp_path / "a", QUICK)
    history = ServerHistory(remembering, ())
    for chosen, said in ((Options(books=options(2).books), "--from"), (options(5), "more history")):
        with pytest.raises(BadOption, match=said):
            compare(read(chosen), chosen, history, lambda *_: None)
    history.close()


def test_the_command_asks_a_live_server(tmp_path: Path) -> None:
    with running_node(SESSION, closed=True) as node:
        ended = fillproof(
            "compare", *(BOOKS / name for name in FILES), "--complete", "--from", first_ledger(),
            "--xrpl", node.url, "--cache", tmp_path / "answers", "--requests", 10000, "--json",
        )  # fmt: skip
    assert ended.returncode == 1, ended.stderr
    findings = [json.loads(line) for line in ended.stdout.splitlines()]
    assert len(findings) == 55
    assert any(one["distance_bps"] is not None for one in findings)
    assert all(one["explain"] is None or f"--xrpl {node.url}" in one["explain"] for one in findings)
