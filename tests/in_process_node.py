"""A ledger server for tests: the replay node's answers without a network, and room to spoil them."""

from collections.abc import Callable
from typing import Any

import msgspec

from ledger_client.envelope import API_VERSION, decode, result_of
from ledger_client.server import Answer, ServerError
from replay_node.faults import Faults
from replay_node.node import Node
from replay_node.pace import Pace
from replay_node.request import Request
from replay_node.session import Session

Spoil = Callable[[dict[str, Any]], dict[str, Any]]


class InProcessServer:
    """Implements the port `LedgerServer`; `node` closes its ledgers when the test says so."""

    def __init__(self, session: Session, name: str = "node://one") -> None:
        self.name = name
        self.session = session
        self.node = Node(session, pace=Pace(), faults=Faults())
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.spoil: dict[str, Spoil] = {}
        self.trouble: Callable[[str], ServerError | None] = lambda _method: None

    def close_ledgers(self, count: int | None = None) -> None:
        """Close so many more ledgers; by default all that the session has."""
        chain = self.node.chain
        for _ in range(chain.last_index - chain.first_index if count is None else count):
            self.node.close_ledger()

    async def request(self, method: str, /, **params: object) -> Answer:
        self.asked.append((method, params))
        if trouble := self.trouble(method):
            raise trouble
        request = Request(node=self.node, command=method, params=params, api_version=API_VERSION)
        result = self.node.answer(request)
        if method in self.spoil and "error" not in result:
            result = self.spoil[method](result)
        status = "error" if "error" in result else "success"
        wire = msgspec.json.encode({"result": {**result, "status": status}})
        return result_of(self.name, method, decode(self.name, wire))

    async def close(self) -> None:
        pass
