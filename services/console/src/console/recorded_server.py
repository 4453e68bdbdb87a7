"""A recorded session as a ledger server: the replay node's answers, without a network."""

from typing import Any

import msgspec

from ledger_client import API_VERSION, read_envelope, result_of
from replay_node.faults import Faults
from replay_node.node import Node
from replay_node.pace import Pace
from replay_node.request import Request
from replay_node.session import Session


class RecordedServer:
    """Answers as the replay node does (see `LedgerServer`). No answer is waited for."""

    def __init__(self, session: Session) -> None:
        """Show only the session's first ledger; `close_ledgers` shows more."""
        self.session = session
        self.node = Node(session, pace=Pace(), faults=Faults())

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"session {self.session.name}"

    def close_ledgers(self, count: int | None = None) -> None:
        """Close so many more ledgers; by default all that the session has."""
        chain = self.node.chain
        for _ in range(chain.last_index - chain.first_index if count is None else count):
            self.node.close_ledger()

    async def request(self, method: str, /, **params: object) -> msgspec.Raw:
        """Ask, and return the `result` (see `LedgerServer`)."""
        result = self.answer(method, params)
        status = "error" if "error" in result else "success"
        wire = msgspec.json.encode({"result": {**result, "status": status}})
        return result_of(self.name, method, read_envelope(self.name, wire))

    def answer(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return the node's result, or its error: then it has the field `error`."""
        return self.node.answer(
            Request(node=self.node, command=method, params=params, api_version=API_VERSION)
        )

    async def close(self) -> None:
        """Nothing is open."""


def closed_session(session: Session) -> RecordedServer:
    """Return the session as a server that has validated all of its ledgers."""
    server = RecordedServer(session)
    server.close_ledgers()
    return server
