"""The operator of the running world: the alerts and events that are seen, and the commands that are run."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING

import asyncpg
import msgspec
from chaos.alerts import firing
from chaos.bus import STATE_STREAM
from chaos.damages import INDEX, PURGE_STATE, REBUILD, REFILL, REINDEX, RESTART_NATS, RESTORE, RESUME, STREAMS
from fillproof_command import fillproof

from order_events import OrderEvent, ReconcilerConfirmed, decode
from order_events.subjects import HALT_KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from chaos.acts import Act
    from chaos.leg import Leg
    from chaos.world import World


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """The events and alerts by which a damage became known."""

    events: tuple[str, ...]
    alerts: tuple[str, ...]


class Operator:
    """An operator who notes events and alerts while a session runs, and runs commands."""

    def __init__(self, leg: Leg, *, waits: bool) -> None:
        """`waits`: before each act, until the reconciler has followed every closed ledger."""
        self.leg = leg
        self._waits = waits
        self.ran: list[str] = []
        self.failed: list[str] = []
        self._events: set[str] = set()
        self._alerts: set[str] = set()

    @property
    def told(self) -> Told:
        """The events and alerts so far."""
        return Told(events=tuple(sorted(self._events)), alerts=tuple(sorted(self._alerts)))

    def attending(self, act: Act) -> Act:
        """Return the act with a look at the alerts before it, and the commands that it orders after it."""

        def attended(leg: Leg) -> None:
            if self._waits:
                leg.until_followed(leg.closed)
            self.look()
            act(leg)
            while leg.ordered:
                self.run(leg.ordered.pop(0))

        return attended

    def look(self) -> None:
        """Note the alerts that fire."""
        self._alerts |= firing(self.leg.world.urls())

    def look_at_events(self) -> None:
        """Note the events on the bus that are about no order."""
        events = (decode(payload) for payload in self.leg.world.bus.events())
        self._events |= {
            _cause(event) for event in events if not isinstance(event, OrderEvent | ReconcilerConfirmed)
        }

    def run(self, command: str) -> None:
        """Run a command, as a runbook gives it."""
        for run in _runs(self.leg, command):
            self.ran.append(command)
            if problem := run():
                self.failed.append(f"{command}: {problem}")


def _cause(event: object) -> str:
    kind = str(type(event).__struct_config__.tag)  # type: ignore[attr-defined]
    cause = getattr(event, "cause", None)
    return f"{kind}: {cause}" if cause else kind


def _runs(leg: Leg, command: str) -> Iterator[Callable[[], str]]:
    """Yield what runs a command; each returns what is wrong, or nothing."""
    world = leg.world
    bus, node = ["--nats", world.nats_url], ["--xrpl", leg.nodes[0].url]
    accounts = [option for one in leg.accounts for option in ("--account", one)]
    if command == RESUME:
        halted = world.bus.state(f"{leg.network_id}.*.{HALT_KEY}")
        for account in leg.accounts:
            if f"{leg.network_id}.{account}.{HALT_KEY}" in halted:
                yield partial(_ran, "resume", account, "--note", "mended", "--by", "mia", *bus)
    elif command == REBUILD:
        yield partial(_ran, "rebuild", *accounts, "--from", leg.first, "--to", leg.last, *node, *bus)
    elif command == REFILL:
        yield partial(_ran, "refill", "--database", world.database(), *node, *bus)
    else:
        yield partial(_BY_HAND[command], world)


def _ran(*arguments: object) -> str:
    done = fillproof(*arguments)
    return f"{done.stdout}{done.stderr}" if done.returncode else ""


def _make_streams(world: World) -> str:
    step = [sys.executable, "-m", "service_kit.provision", "--nats", world.nats_url]
    done = subprocess.run(step, capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""


def _restart_nats(world: World) -> str:
    world.stop_nats()
    world.mend_nats()
    return ""


def _reindex(world: World) -> str:
    asyncio.run(_execute(world.database(), f"REINDEX INDEX {INDEX}"))
    return ""


def _restore(world: World) -> str:
    world.stores.put_back_database()
    return ""


def _purge_state(world: World) -> str:
    world.bus.purge(STATE_STREAM)
    return ""


_BY_HAND = {
    STREAMS: _make_streams,
    RESTART_NATS: _restart_nats,
    REINDEX: _reindex,
    RESTORE: _restore,
    PURGE_STATE: _purge_state,
}


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
