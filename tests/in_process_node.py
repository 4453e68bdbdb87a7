"""A ledger server for tests: a recorded session without a network, and room to spoil its answers."""

from collections.abc import Callable
from typing import Any

import msgspec

from console.recorded_server import RecordedServer
from ledger_client import ServerError  # noqa: TC001
from replay_node.session import Session

Spoil = Callable[[dict[str, Any]], dict[str, Any]]


class InProcessServer(RecordedServer):
    """`node` closes its ledgers when the test says so; `asked` are the requests so far."""

    def __init__(self, session: Session, name: str = "node://one") -> None:
        super().__init__(session)
        self._name = name
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.spoil: dict[str, Spoil] = {}
        self.trouble: Callable[[str], ServerError | None] = lambda _method: None

    @property
    def name(self) -> str:
        return self._name

    async def request(self, method: str, /, **params: object) -> msgspec.Raw:
        self.asked.append((method, params))
        if trouble := self.trouble(method):
            raise trouble
        return await super().request(method, **params)

    def answer(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        result = super().answer(method, params)
        return self.spoil[method](result) if method in self.spoil and "error" not in result else result


def as_written(result: object) -> msgspec.Raw:
    """Return a result as a server writes it."""
    return msgspec.Raw(msgspec.json.encode(result))
