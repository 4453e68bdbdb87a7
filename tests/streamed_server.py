"""A recorded session as a server with streams, in this process: they tell of each closed ledger at once."""

import asyncio
from typing import Any

import msgspec
from in_process_node import InProcessServer

from ledger_client import LedgerStream, SharedServer, StreamGroup
from replay_node.session import RecordedLedger, Session
from replay_node.streams import Subscription


class StreamedServer(InProcessServer):
    """Its questions are answered only while `answers` is set; `shared` is what the reconciler reads."""

    def __init__(
        self, session: Session, name: str = "node://streamed", group: StreamGroup | None = None
    ) -> None:
        super().__init__(session, name)
        self.now = 0.0
        self.stream = LedgerStream(clock=lambda: self.now, patience=0.01, group=group)
        self.shared = SharedServer(
            self, last_close=lambda: self.now, clock=lambda: self.now, stream=self.stream
        )
        self.answers = asyncio.Event()
        self.answers.set()
        self.subscription = Subscription(ledger=True, transactions=True, api_version=2)
        self.node.on_validated.add(self._tell)
        header = self.node.chain.validated.header
        self.stream.opened(
            msgspec.Raw(
                msgspec.json.encode(
                    {
                        "ledger_index": self.node.chain.validated.ledger_index,
                        "ledger_hash": self.node.chain.hash_of(self.node.chain.validated),
                        "ledger_time": header["close_time"],
                        "reserve_base": 1_000_000,
                        "reserve_inc": 200_000,
                        "validated_ledgers": self.node.chain.complete_ledgers(),
                    }
                )
            )
        )

    def _tell(self, ledger: RecordedLedger) -> None:
        messages = list(self.node.streams.messages(ledger, self.subscription))
        for message in self.node.faults.disturb(messages):
            self.hear(message)

    def hear(self, message: dict[str, Any]) -> None:
        """Let the stream bring one message."""
        self.stream.heard(message["type"], msgspec.json.encode(message))

    async def request(self, method: str, /, **params: object) -> msgspec.Raw:
        await self.answers.wait()
        return await super().request(method, **params)
