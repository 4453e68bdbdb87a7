"""Asking a node: what is no answer, what is a refusal, and when it is asked again."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pytest

from console.errors import BadOption
from console.explain.node import Node, NodeMisbehaves, NodeSilent, Refused, at_url, printable


class Pong(msgspec.Struct):
    role: str


def answering(*answers: bytes, pauses: tuple[float, ...] = ()) -> Node:
    left: Iterator[bytes] = iter(answers)

    def exchange(_method: str, _params: Mapping[str, Any]) -> bytes:
        return next(left)

    return Node("http://node", exchange, pauses=pauses)


def result(**fields: object) -> bytes:
    return json.dumps({"result": fields}).encode()


def test_a_busy_node_is_asked_again() -> None:
    node = answering(result(error="slowDown"), result(error="tooBusy"), result(role="admin"), pauses=(0, 0))
    assert node.ask("ping", Pong).role == "admin"


def test_a_node_that_stays_busy_is_as_good_as_silent() -> None:
    node = answering(result(error="slowDown"), result(error="slowDown"), pauses=(0,))
    with pytest.raises(NodeSilent, match="found it busy again and again: ping: slowDown"):
        node.ask("ping", Pong)


def test_an_answer_with_a_warning_is_an_answer() -> None:
    answer = json.dumps({"result": {"role": "user"}, "warning": "load"}).encode()
    assert answering(answer, pauses=(0,)).ask("ping", Pong).role == "user"


@pytest.mark.parametrize(
    "answer",
    [
        json.dumps({"result": {"error": "lgrNotFound", "error_message": "none\x1b[2J"}}),
        json.dumps({"error": "lgrNotFound", "error_message": "none\x1b[2J", "id": 1, "status": "error"}),
    ],
)
def test_a_refusal_has_its_code_and_nothing_that_a_terminal_obeys(answer: str) -> None:
    with pytest.raises(Refused) as refused:
        answering(answer.encode()).ask("ledger", Pong)
    assert refused.value.code == "lgrNotFound"
    assert str(refused.value) == "http://node: ledger: lgrNotFound: none?[2J"


@pytest.mark.parametrize("answer", [b"<html>", b"[]", b'{"result": 1}', b'{"result": {"role": 7}}', b"\xff"])
def test_what_is_no_answer_is_said_to_be_none(answer: bytes) -> None:
    with pytest.raises(NodeMisbehaves, match="http://node: ping: expected an answer of an XRP Ledger node"):
        answering(answer).ask("ping", Pong)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "127.0.0.1:51234", "https://", "nonsense"])
def test_a_url_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(BadOption, match="expected a URL as https://HOST:PORT"), at_url(url):
        pass


@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_a_url_that_nobody_answers_is_named_without_its_password(scheme: str) -> None:
    with (
        pytest.raises(NodeSilent, match=f"found none at {scheme}://127.0.0.1:1 "),
        at_url(f"{scheme}://me:secret@127.0.0.1:1") as node,
    ):
        node.ask("ping", Pong)


def test_what_a_terminal_would_obey_is_shown_as_question_marks() -> None:
    assert printable("USD\x1b[31m\u202e") == "USD?[31m?"
