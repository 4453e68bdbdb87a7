"""Asking one XRP Ledger node: over HTTP, over WebSocket, or a recorded session without a network.

Each way of asking is a function that exchanges one request for one answer; what the answers mean, and
what to do about a busy node, is the same for all.
"""

import contextlib
import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import connect

from console.errors import BadOption, NodeUnusable
from replay_node.faults import Faults
from replay_node.node import Node as ReplayNode
from replay_node.pace import Pace
from replay_node.request import Request
from replay_node.session import Session

API_VERSION = 2
_TIMEOUT = 20.0
"""Seconds for a connection, and for an answer."""
_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before a busy node is asked again."""
_MAX_MESSAGE = 64 * 2**20
_BUSY_STATUS = frozenset({httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.TOO_MANY_REQUESTS})
_BUSY = frozenset({"slowDown", "tooBusy", "jsonRpcTooBusy"})
_SHOWN = 200
"""Characters of a strange answer that an error shows."""

Exchange = Callable[[str, Mapping[str, Any]], bytes]
"""(method, parameters) -> the answer with its envelope, one JSON object."""
T = TypeVar("T")


class NodeSilent(BadOption):
    """No node answers at that address, or it stopped answering."""


class NodeMisbehaves(NodeUnusable):
    """The node answers, and not as a node must."""


class Refused(NodeUnusable):
    """The node says that it can't: `code` is its name for it, as `lgrNotFound`."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class _Busy(Exception):
    """The node is overloaded; later it may answer."""


class _Envelope(msgspec.Struct):
    """What stands around a result. Over HTTP an error stands inside `result`, over WebSocket beside it."""

    result: msgspec.Raw = msgspec.Raw(b"{}")
    error: str | None = None
    error_message: str | None = None
    warning: str | None = None
    id: object = None


class Node:
    """One node to ask: one thing after the other."""

    def __init__(self, name: str, exchange: Exchange, pauses: tuple[float, ...] = _PAUSES) -> None:
        """`name` is how messages call it."""
        self.name = name
        self._exchange = exchange
        self._pauses = pauses

    def ask(self, method: str, kind: type[T], **params: object) -> T:
        """Return the result as `kind`; a busy node is asked again after a while.

        Raises:
            Refused: the node says that it can't.
            NodeSilent: it does not answer, or is busy for too long.
            NodeMisbehaves: its answer is none.

        """
        busy = ""
        for pause in (*self._pauses, None):
            try:
                return self._once(method, kind, params)
            except _Busy as error:
                busy = str(error)
            if pause is not None:
                time.sleep(pause)
        raise NodeSilent(f"expected an answer from {self.name}, found it busy again and again: {busy}")

    def _once(self, method: str, kind: type[T], params: Mapping[str, Any]) -> T:
        answer = self._exchange(method, params)
        try:
            outer = msgspec.json.decode(answer, type=_Envelope)
            inner = msgspec.json.decode(outer.result, type=_Envelope)
            code = outer.error or inner.error
            if code in _BUSY:
                raise _Busy(f"{method}: {code}")
            if code is not None:
                said = outer.error_message or inner.error_message or "no message"
                raise Refused(code, f"{self.name}: {method}: {printable(code)}: {printable(said)}")
            result = msgspec.json.decode(outer.result, type=kind, strict=False)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            start = printable(answer[:_SHOWN].decode(errors="replace"))
            raise NodeMisbehaves(
                f"{self.name}: {method}: expected an answer of an XRP Ledger node, found {start} ({error})"
            ) from error
        if "load" in (outer.warning, inner.warning) and self._pauses:
            time.sleep(self._pauses[0])  # the next ones would be refused
        return result


def printable(text: str) -> str:
    """Return a foreign text without what a terminal would obey."""
    return "".join(char if char.isprintable() else "?" for char in text)


@contextlib.contextmanager
def at_url(url: str) -> Iterator[Node]:
    """Ask a live node: http(s):// by JSON-RPC, ws(s):// by WebSocket, on one connection.

    Raises:
        BadOption: the URL is of another kind; NodeSilent: nobody answers there.

    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https", "ws", "wss"} or not parts.hostname:
        raise BadOption(f"expected a URL as https://HOST:PORT or wss://HOST:PORT, found {url!r}")
    name = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"
    opened = _over_http if parts.scheme.startswith("http") else _over_websocket
    with opened(url, name) as exchange:
        yield Node(name, exchange)


def of_session(session: Session) -> Node:
    """Ask a recorded session as if all its ledgers had closed."""
    return Node(f"session {session.name}", recorded(session))


def recorded(session: Session) -> Exchange:
    """Answer as the replay node does, without a network."""
    replay = ReplayNode(session, pace=Pace(), faults=Faults())
    for _ in session.ledgers:
        replay.close_ledger()

    def exchange(method: str, params: Mapping[str, Any]) -> bytes:
        request = Request(node=replay, command=method, params=dict(params), api_version=API_VERSION)
        return msgspec.json.encode({"result": replay.answer(request)})

    return exchange


@contextlib.contextmanager
def _over_http(url: str, name: str) -> Iterator[Exchange]:
    with httpx.Client(timeout=_TIMEOUT) as client:

        def exchange(method: str, params: Mapping[str, Any]) -> bytes:
            body = {"method": method, "params": [{**params, "api_version": API_VERSION}]}
            headers = {"Content-Type": "application/json"}
            try:
                response = client.post(url, content=msgspec.json.encode(body), headers=headers)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise _silent(name, error) from error
            found = (
                f"{method}: HTTP status {response.status_code}: {printable(response.text[:_SHOWN].strip())}"
            )
            if response.status_code in _BUSY_STATUS:
                raise _Busy(found)
            if response.status_code != httpx.codes.OK:
                raise NodeMisbehaves(f"{name}: expected HTTP status 200, found {found}")
            return response.content

        yield exchange


@contextlib.contextmanager
def _over_websocket(url: str, name: str) -> Iterator[Exchange]:
    numbers = itertools.count(1)
    try:
        socket = connect(url, open_timeout=_TIMEOUT, close_timeout=1, max_size=_MAX_MESSAGE)
    except (OSError, WebSocketException, ValueError) as error:
        raise _silent(name, error) from error

    def exchange(method: str, params: Mapping[str, Any]) -> bytes:
        number = next(numbers)
        body = {**params, "id": number, "command": method, "api_version": API_VERSION}
        until = time.monotonic() + _TIMEOUT
        try:
            socket.send(msgspec.json.encode(body).decode())
            while True:
                message = socket.recv(timeout=max(0.0, until - time.monotonic()), decode=False)
                if _answers(message, number):
                    return message
        except (OSError, ConnectionClosed) as error:  # a timeout is an OSError
            raise _silent(name, error) from error

    with socket:
        yield exchange


def _answers(message: bytes, number: int) -> bool:
    """Whether it is the answer to that request; an answer that can't be read is one too."""
    try:
        return msgspec.json.decode(message, type=_Envelope).id in {None, number}
    except (msgspec.DecodeError, UnicodeDecodeError):
        return True


def _silent(name: str, error: Exception) -> NodeSilent:
    reason = printable(str(error)) or type(error).__name__
    return NodeSilent(f"expected an XRP Ledger node that answers, found none at {name} ({reason})")
