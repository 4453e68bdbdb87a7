"""`fillproof explain`: the command itself, against a recorded session and against a live node."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from fillproof_command import fillproof
from replaying import recorded
from running_node import RunningNode, running_node

pytestmark = pytest.mark.stack

SESSION = "partial_then_full"
ORDER = recorded(SESSION).orders[0]
WHICH = (ORDER["account"], ORDER["sequence"])
NOBODY = "rrrrrrrrrrrrrrrrrrrrBZbvji"


@pytest.fixture(scope="module")
def node() -> Iterator[RunningNode]:
    with running_node(SESSION, closed=True) as running:
        yield running


@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_a_live_node_and_a_recorded_session_give_the_same_answer(scheme: str, node: RunningNode) -> None:
    live = fillproof("explain", *WHICH, "--xrpl", node.url.replace("http", scheme), "--json")
    offline = fillproof("explain", *WHICH, "--session", SESSION, "--json")
    assert (live.returncode, offline.returncode, live.stderr) == (0, 0, "")
    found, expected = json.loads(live.stdout), json.loads(offline.stdout)
    assert {**found, "node": ""} == {**expected, "node": ""}
    assert found["removed_by"] == ORDER["truth"]["removed_by"]
    assert live.stdout.count("\n") == 1


def test_without_json_it_tells_in_words_and_in_a_table(node: RunningNode) -> None:
    ended = fillproof("explain", *WHICH, "--xrpl", node.url)
    assert ended.returncode == 0
    assert ended.stdout.startswith(f"FILLED  order {ORDER['sequence']} of {ORDER['account']}\n")
    assert f"Read from {node.url} up to validated ledger" in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ((ORDER["account"], 4_000_000_000), 3, "the account's next sequence is"),
        ((NOBODY, 1), 4, f"found none at {NOBODY}"),
        ((ORDER["account"], 1), 5, "ask a node with ledgers before"),
    ],
)
def test_what_there_is_to_explain_nothing_of_has_a_status_of_its_own(
    arguments: tuple[object, ...], status: int, said: str, node: RunningNode
) -> None:
    for source in (("--xrpl", node.url), ("--session", SESSION)):
        ended = fillproof("explain", *arguments, *source)
        assert (ended.returncode, ended.stdout) == (status, "")
        assert said in ended.stderr


@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_a_node_whose_history_begins_later_explains_what_it_has(scheme: str) -> None:
    first = recorded(SESSION).ledgers[0].ledger_index
    placed = next(
        ledger.ledger_index
        for ledger in recorded(SESSION).ledgers
        if ORDER["placed_tx"] in {raw["hash"] for raw in ledger.transactions}
    )
    with running_node(SESSION, "--fault", f"hole=[{first},{placed}]", closed=True) as running:
        url = running.url.replace("http", scheme)
        ended = fillproof("explain", *WHICH, "--xrpl", url, "--json")
    assert ended.returncode == 5
    found = json.loads(ended.stdout)
    assert (found["status"], found["resolution"]) == ("FILLED", "unresolved")
    assert found["missing_transactions"] == [ORDER["placed_tx"]]
    assert f"has no ledger before {placed + 1}" in found["unproven"][0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nonsense", 1, "--session", SESSION), "found 'nonsense'"),
        ((*WHICH,), "expected one source"),
        ((*WHICH, "--session", SESSION, "--xrpl", "http://127.0.0.1:1"), "expected one source"),
        ((*WHICH, "--session", "no_such_session"), "found 'no_such_session'"),
        ((*WHICH, "--xrpl", "ftp://127.0.0.1"), "found one with another scheme"),
        ((*WHICH, "--xrpl", "http://127.0.0.1:1"), "found none at http://127.0.0.1:1"),
        ((*WHICH, "--xrpl", "ws://127.0.0.1:1"), "found none at ws://127.0.0.1:1"),
        ((ORDER["account"], 0, "--session", SESSION), "expected a sequence of 1 to 4294967295, found 0"),
    ],
)
def test_bad_input_has_status_2(arguments: tuple[object, ...], said: str) -> None:
    ended = fillproof("explain", *arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert said in ended.stderr


@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_a_busy_node_is_asked_until_it_answers(scheme: str) -> None:
    with running_node(SESSION, "--fault", "slow_down=1", closed=True) as busy:
        ended = fillproof("explain", *WHICH, "--xrpl", busy.url.replace("http", scheme), "--json")
    assert ended.returncode == 0
    assert json.loads(ended.stdout)["status"] == "FILLED"


class NotANode(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def other_server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), NotANode) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_server_that_is_no_node_has_status_1() -> None:
    with other_server() as url:
        ended = fillproof("explain", *WHICH, "--xrpl", url)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "expected HTTP status 200, found server_info: HTTP status 404" in ended.stderr
