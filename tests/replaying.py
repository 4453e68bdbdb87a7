"""Serving recorded sessions to tests, and asking the node as a client would."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType
from waiting import limit

from replay_node.faults import Faults
from replay_node.node import Node
from replay_node.pace import Pace
from replay_node.server import listening
from replay_node.session import Session, read_session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

DATA = Path(__file__).parent / "data"
SAMPLES = Path(__file__).parents[2] / "shared" / "api" / "node_2.3_samples.json"
"""Beside the project, not in it: tests that need them are skipped without."""
Json = dict[str, Any]


@lru_cache(maxsize=8)
def recorded(name: str) -> Session:
    """Return a recorded session by its name."""
    return read_session(session_path(name))


def session_path(name: str) -> Path:
    return DATA / "ledgers" / f"{name}.json.gz"


def samples() -> list[Json]:
    """Return the recorded requests and answers of the real node; none where they are not at hand."""
    if not SAMPLES.exists():
        return []
    recorded_samples: list[Json] = json.loads(SAMPLES.read_text())
    return recorded_samples


class Client:
    """A client of one node: JSON-RPC at once, WebSockets as many as wanted."""

    def __init__(self, http: ClientSession, url: str, node: Node) -> None:
        self.http = http
        self.url = url
        self.node = node

    async def rpc(self, method: str, **params: object) -> Json:
        """Ask over JSON-RPC; return the result, an error included."""
        async with self.http.post(self.url, json={"method": method, "params": [params]}) as answer:
            result: Json = (await answer.json())["result"]
            return result

    def close_all(self) -> None:
        """Close every ledger of the session."""
        while self.node.chain.validated.ledger_index < self.node.chain.last_index:
            self.node.close_ledger()

    @asynccontextmanager
    async def socket(self) -> AsyncIterator[Socket]:
        async with self.http.ws_connect(self.url, max_msg_size=0) as socket:
            yield Socket(socket)


class Socket:
    """A WebSocket with its stream messages apart from its answers."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self.socket = socket

    async def ask(self, command: str, **params: object) -> Json:
        """Ask and return the whole answer; stream messages on the way are not expected."""
        await self.socket.send_json({"command": command, **params})
        return await self.next()

    async def next(self) -> Json:
        """Return the next message, whatever it is."""
        message: Json = await self.socket.receive_json(timeout=limit())
        return message

    async def messages(self, count: int) -> list[Json]:
        return [await self.next() for _ in range(count)]

    async def closed_with(self) -> int | None:
        """Read until the server closes; return its code."""
        while (await self.socket.receive(timeout=limit())).type not in (WSMsgType.CLOSE, WSMsgType.CLOSED):
            pass
        return self.socket.close_code


@asynccontextmanager
async def serving(
    name: str, *, pace: Pace | None = None, network_id: int | None = None, **faults: object
) -> AsyncIterator[Client]:
    """Serve a recorded session on a free port; ledgers close by hand unless a pace is given."""
    wanted = Faults()
    wanted.change(dict(faults))
    node = Node(recorded(name), pace=pace or Pace(), faults=wanted, network_id=network_id)
    async with listening(node, "127.0.0.1", 0) as url, ClientSession() as http:
        yield Client(http, url, node)
