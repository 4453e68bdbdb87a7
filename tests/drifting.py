"""An account followed on a server that keeps one transaction to itself: its balances drift."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from in_memory_bus import Crash, Memory
from in_process_node import InProcessServer
from one_account import follower
from replaying import recorded

from offer_lifecycle import Source, balance_flows, read_transaction
from order_events import BalanceDrift
from reconciler.following.follower import Follower
from reconciler.following.stored_account import cursor_of
from reconciler.safety.account_safety import SharedSafety
from reconciler.safety.snapshot_check import SnapshotDiffers
from replay_node.session import Session

Json = dict[str, Any]
Spoil = Callable[[Json], Json]


def drifts(memory: Memory) -> list[BalanceDrift]:
    return [event for event in memory.stream if isinstance(event, BalanceDrift)]


async def one_by_one(memory: Memory, server: InProcessServer, role: str, safety: SharedSafety) -> None:
    """Look, and check, after every ledger."""
    one = follower(memory, server.session, role, safety=safety)
    chain = server.node.chain
    await one.advance(server)
    while cursor_of(one.committed) != chain.last_index:
        server.close_ledgers(1)
        await one.advance(server)


def without(missing: str) -> Spoil:
    """Have a server keep one transaction to itself."""

    def spoil(answer: Json) -> Json:
        shown = [one for one in answer["transactions"] if one["hash"] != missing]
        return {**answer, "transactions": shown}

    return spoil


def fill_by_a_stranger() -> tuple[Session, Json]:
    """Return a session, and the last transaction of a ledger of the maker's: it moved XRP and one token."""
    session = recorded("random_1")
    maker = session.accounts["maker"]
    for ledger in session.ledgers[20:]:
        touching = [tx for tx in ledger.transactions if maker in str(tx)]
        if touching and touching[-1]["TransactionType"] == "OfferCreate":
            moved = Counter[str]()
            for flow in balance_flows(
                read_transaction(touching[-1], ledger_index=ledger.ledger_index), maker
            ):
                moved[flow.asset] += flow.source is Source.FILL
            if len(+moved) > 1 and touching[-1]["Account"] != maker:
                return session, {**touching[-1], "ledger_index": ledger.ledger_index}
    raise AssertionError("expected a stranger's OfferCreate")


class Incomplete:
    """A server that keeps a transaction to itself, and who follows the account on it."""

    def __init__(self, safety: SharedSafety) -> None:
        self.session, self.missing = fill_by_a_stranger()
        self.memory, self.server = Memory(), InProcessServer(self.session)
        self.server.spoil["account_tx"] = without(self.missing["hash"])
        self._safety = safety
        self.one = self.started()

    def started(self) -> Follower:
        return follower(self.memory, self.session, safety=self._safety)

    async def look(self) -> None:
        """Look, and close a ledger after that; a process that dies comes back."""
        try:
            await self.one.advance(self.server)
        except Crash:
            self.one = self.started()
        except SnapshotDiffers:
            pass  # the book contradicts such a history too: told once, then the order is in doubt
        else:
            self.server.close_ledgers(1)

    async def follow(self, beyond: int = 10) -> None:
        """Follow up to so many ledgers after the missing transaction's."""
        while cursor_of(self.one.committed) < self.missing["ledger_index"] + beyond:
            await self.look()

    @property
    def found(self) -> list[BalanceDrift]:
        return drifts(self.memory)
