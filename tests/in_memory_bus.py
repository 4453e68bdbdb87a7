"""The bus for tests of the service's own logic; what a real NATS does is tested against a real NATS."""

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

import msgspec

from ledger_client import LedgerServer
from offer_lifecycle import AccountRecord, Header
from order_events import (
    OrderDisappeared,
    OrderEvent,
    OrdersEvent,
    ReconcilerHalted,
    ReconcilerResumed,
    encode,
)
from order_events.subjects import RESUME_KEY
from reconciler.ports.bus import Announced, Announcement, BusAway, EngineMark, NotOwner, StoredValues


class Crash(Exception):
    """The process dies here."""


class Memory:
    """What outlives a crash of the process: streams and bucket, and the number of calls until the crash."""

    def __init__(self) -> None:
        self.stream: list[OrdersEvent] = []
        self.announcements: list[Announcement] = []
        self.values: dict[str, bytes] = {}
        self.revision = 0
        self.calls = 0
        self.crash_at: int | None = None
        self.refuses_disappearances = False
        self.lost_announcements: str | None = None
        self.watermarks: dict[str, AccountRecord] = {}

    def call(self) -> None:
        """Count one call that changes something; the one at `crash_at` kills the process."""
        self.calls += 1
        if self.calls == self.crash_at:
            raise Crash

    def store(self, events: Sequence[OrdersEvent]) -> None:
        """Append what is not there yet, as JetStream does by message id."""
        known = {event.event_id for event in self.stream}
        once = {event.event_id: event for event in reversed(events)}
        self.stream += [once[name] for name in dict.fromkeys(e.event_id for e in events) if name not in known]


class MemoryOrders:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def offer(self, events: Sequence[OrderDisappeared], within: float) -> list[OrderDisappeared]:
        assert within >= 0
        self._memory.call()
        if self._memory.refuses_disappearances:
            return list(events)
        self._memory.store(events)
        return []

    async def publish(self, events: Sequence[OrdersEvent]) -> None:
        self._memory.call()
        self._memory.store(events)
        self._memory.call()


class MemoryFeed:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._next: dict[str, int] = {}

    def follow(self, account: str, after: int, mark: EngineMark | None = None) -> None:
        assert mark is None
        self._next[account] = after

    def forget(self, account: str) -> None:
        del self._next[account]

    async def announced(self, account: str) -> Announced:
        upto = len(self._memory.announcements)
        new = self._memory.announcements[self._next[account] : upto]
        self._next[account] = upto
        mine = tuple(one for one in new if one.account == account)
        lost, self._memory.lost_announcements = self._memory.lost_announcements, None
        return Announced(announcements=mine, sequence=upto, lost=lost)


class MemoryWatermarks:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def read(self, prefix: str) -> AccountRecord | None:
        return self._memory.watermarks.get(prefix)

    async def read_last_told(self, prefix: str) -> AccountRecord | None:
        assert prefix not in self._memory.watermarks
        return None

    async def write(self, prefix: str, record: AccountRecord) -> None:
        self._memory.watermarks[prefix] = record


class MemoryToldEvents:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def read_after(self, prefix: str, ledger_index: int) -> list[OrderEvent]:
        told = [event for event in self._memory.stream if isinstance(event, OrderEvent)]
        assert all(f"{event.network_id}.{event.account}" == prefix for event in told)
        return [event for event in told if (event.ledger_index or 0) > ledger_index]


class MemoryStore:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def load(self, prefix: str) -> StoredValues:
        values = {
            key.removeprefix(f"{prefix}."): value
            for key, value in self._memory.values.items()
            if key.startswith(f"{prefix}.")
        }
        return StoredValues(values=values, revision=self._memory.revision if values else 0)

    async def commit(
        self, prefix: str, values: Mapping[str, bytes], deleted: Sequence[str], fence: int
    ) -> int:
        self._memory.call()
        if fence != self._memory.revision:
            raise NotOwner(f"expected revision {fence}, found {self._memory.revision}")
        for key in deleted:
            self._memory.values.pop(f"{prefix}.{key}", None)
        self._memory.values.update({f"{prefix}.{key}": value for key, value in values.items()})
        self._memory.revision += 1
        self._memory.call()
        return self._memory.revision


class MemoryOperator:
    """Writes and reads an operator's answer where the state is kept."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def answer(self, halted: ReconcilerHalted) -> ReconcilerResumed:
        resumed = ReconcilerResumed(
            event_id=UUID(int=1),
            network_id=halted.network_id,
            account=halted.account,
            session_id=halted.session_id,
            ledger_index=None,
            occurred_at=halted.occurred_at,
            answers=halted.event_id,
            resumed_by="ada",
            note="looked into it",
        )
        self._memory.values[f"{halted.network_id}.{halted.account}.{RESUME_KEY}"] = encode(resumed)
        return resumed

    async def read_answer(self, prefix: str) -> ReconcilerResumed | None:
        written = self._memory.values.get(f"{prefix}.{RESUME_KEY}")
        return None if written is None else msgspec.json.decode(written, type=ReconcilerResumed)


class MemoryLeases:
    """Replicas live until they leave: nothing expires here."""

    def __init__(self) -> None:
        self.living: dict[str, frozenset[str]] = {}
        self.away = False

    async def renew(self, replica: str, accounts: Sequence[str], seconds: int) -> dict[str, frozenset[str]]:
        assert seconds > 0
        if self.away:
            raise BusAway
        self.living[replica] = frozenset(accounts)
        return dict(self.living)

    async def release(self, replica: str) -> None:
        if self.away:
            raise BusAway
        self.living.pop(replica, None)


class NoMarket:
    """Describes nothing; `fault` is raised instead of an answer."""

    def __init__(self, fault: Callable[[], Exception] | None = None) -> None:
        self._fault = fault

    async def describe(
        self, server: LedgerServer, header: Header, events: Sequence[OrderDisappeared]
    ) -> list[OrderDisappeared]:
        assert server.name
        assert header.ledger_index
        if self._fault is not None:
            raise self._fault()
        return list(events)
