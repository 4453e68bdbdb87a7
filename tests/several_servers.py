"""Servers of the same session, and an account that is followed on the first of them."""

import asyncio
import random
import time

from in_memory_bus import Memory, MemoryFeed, MemoryOrders, MemoryStore, NoMarket
from one_account import announced, run
from streamed_server import StreamedServer

from ledger_client import (
    LedgerServer,
    ServerError,
    Servers,
    StreamGroup,
    WholeLedgerServer,
)
from order_events import OrderFilled
from reconciler.following.confirmation import ConfirmationRule, LedgerConfirmation, Quorum
from reconciler.following.follower import Follower
from reconciler.following.publisher import Publisher
from reconciler.following.stored_account import cursor_of
from reconciler.metrics import Metrics
from replay_node.session import Session

NO_QUORUM = Quorum(
    is_wanted=lambda: False, confirms=lambda _hash, _time: False, confirmed_hash=lambda _index, _time: None
)
RULE = ConfirmationRule(seconds=0.3)


class World:
    """Some servers of the same session, and an account that is followed on the first one."""

    def __init__(
        self,
        session: Session,
        servers: int = 2,
        *,
        rule: ConfirmationRule = RULE,
        quorum: Quorum = NO_QUORUM,
    ) -> None:
        group = StreamGroup()
        self.memory, self.metrics = Memory(), Metrics()
        self.memory.announcements += announced(session)
        self.nodes = [StreamedServer(session, f"node://{n}", group) for n in range(servers)]
        self.read: list[LedgerServer] = [
            WholeLedgerServer(node.shared, accounts=lambda: 1, from_accounts=2, clock=lambda: 0.0)
            for node in self.nodes
        ]
        self.servers = Servers(self.read, clock=time.monotonic, chance=random.Random(1))  # noqa: S311
        self.confirmation = LedgerConfirmation(
            self.servers, rule, quorum, self.metrics, clock=time.monotonic, pause=asyncio.sleep
        )
        self.one = Follower(
            session.accounts["maker"],
            start_ledger=session.ledgers[0].ledger_index,
            feed=MemoryFeed(self.memory),
            store=MemoryStore(self.memory),
            publisher=Publisher(MemoryOrders(self.memory), NoMarket(), disappearance_timeout=1),
            confirmation=self.confirmation,
        )

    @property
    def cursor(self) -> int:
        return cursor_of(self.one.committed)

    async def advance(self, server: int = 0) -> ServerError | None:
        try:
            await self.one.advance(self.read[server])
        except ServerError as error:
            return error
        return None

    def close_ledger(self, *servers: int) -> None:
        for server in servers or range(len(self.nodes)):
            self.nodes[server].close_ledgers(1)
            name, newest = self.nodes[server].name, self.nodes[server].node.chain.validated.ledger_index
            self.servers.note_shown(name, newest)

    def metric(self, name: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"reconciler_{name}")


async def before_the_fill(session: Session, **world: object) -> World:
    made = World(session, **world)  # type: ignore[arg-type] - passed on
    plain = Memory()
    plain.announcements += announced(session)
    await run(plain, session)
    fill = next(event.ledger_index or 0 for event in plain.stream if isinstance(event, OrderFilled))
    await made.advance()
    while made.cursor < fill - 1:
        made.close_ledger()
        await made.advance()
    return made
