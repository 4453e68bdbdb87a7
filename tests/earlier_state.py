"""State as an earlier version stored it, in the middle of a session (see tests/data/state/README.md)."""

import gzip
from pathlib import Path

import msgspec
from in_memory_bus import Memory

from console.engine import announcements
from order_events import OrdersEvent, decode
from replay_node.session import Session

STATES = Path(__file__).parent / "data" / "state"


class EarlierState(msgspec.Struct, frozen=True, kw_only=True):
    """A state bucket, and the events that were published by then."""

    session: str
    validated: int
    """The newest ledger that the server had."""
    values: dict[str, str]
    """By key of the bucket."""
    events: list[str]

    def published(self) -> list[OrdersEvent]:
        """Return the events as they are read today."""
        events = [decode(text.encode()) for text in self.events]
        return [event for event in events if isinstance(event, OrdersEvent)]

    def memory(self, account: str, session: Session | None = None) -> Memory:
        """Return one account on the in-memory bus; `session`: whose engine has announced its orders."""
        memory = Memory()
        memory.announcements += list(announcements(session)) if session else []
        memory.stream += [event for event in self.published() if event.account == account]
        memory.values.update(
            {key: value.encode() for key, value in self.values.items() if key.split(".")[1] == account}
        )
        memory.revision = 1
        return memory


def earlier_state(name: str, version: str = "0.1.0") -> EarlierState:
    """Read a state by the name of its file."""
    text = gzip.decompress((STATES / version / f"{name}.json.gz").read_bytes())
    return msgspec.json.decode(text, type=EarlierState)


def names() -> list[tuple[str, str]]:
    """Return every state that is kept, as (version, name)."""
    return sorted(
        (path.parent.name, path.name.removesuffix(".json.gz")) for path in STATES.glob("*/*.json.gz")
    )
