"""What told of a damage, the commands that an operator runs, and what is different afterwards."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections import Counter, defaultdict
from functools import partial
from typing import TYPE_CHECKING, Any

import asyncpg
import msgspec
from chaos.alerts import firing
from chaos.damages import INDEX, REBUILD, REFILL, REINDEX, RESTART_NATS, RESTORE, RESUME, STREAMS
from chaos.outcome import Outcome, stored_events
from fillproof_command import fillproof

from order_events import OrderEvent, ReconcilerConfirmed, decode
from order_events.subjects import HALT_KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from chaos.damages import Act
    from chaos.leg import Leg
    from chaos.world import World

Json = dict[str, Any]
BEARABLE = {
    "action_taken": "told while the account is halted",
    "client_order_id": "announcement lost",
    "session_id": "announcement lost",
    "external": "announcement lost",
    "quantity": "counted from the loss on",
    "filled_qty": "counted from the loss on",
    "avg_px": "counted from the loss on",
    "price": "counted from the loss on",
    "anomaly": "no cancel is called a stranger's while announcements may be lost",
}
"""Fields that may stay different, and why: no fill, no end and no amount that changed hands hangs on them."""


TELLING_SECONDS = 30.0
"""After which something that is lost must be told of."""

CANT_BE_WRITTEN = {"MessagesHeld", "DatabaseDamaged"}
QUIET_SECONDS = 60.0
"""After which no alert may fire any more."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What told of a damage while it lasted."""

    events: tuple[str, ...]
    alerts: tuple[str, ...]


class Mended(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a damage."""

    told: Told
    broken: str
    """What was different in the store before the commands were run."""
    commands: tuple[str, ...]
    """As they were run, without addresses."""
    lasting: str
    """What is different afterwards."""
    found: list[str]
    """What is wrong: nothing, where the damage was told and mended."""


class Operator:
    """Sees what is told while a session runs, and runs commands."""

    def __init__(self, leg: Leg, *, waits: bool) -> None:
        """`waits`: for all that has closed to be followed, before something is done."""
        self.leg = leg
        self._waits = waits
        self.ran: list[str] = []
        self.failed: list[str] = []
        self._events: set[str] = set()
        self._alerts: set[str] = set()

    @property
    def told(self) -> Told:
        """All that was told so far."""
        return Told(events=tuple(sorted(self._events)), alerts=tuple(sorted(self._alerts)))

    def attending(self, act: Act) -> Act:
        """Return the act, before which the operator looks, and after which what it orders is run."""

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
        """Note what the bus tells beside orders."""
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


def mend(operator: Operator, mending: Sequence[str], expected: Outcome) -> Mended:
    """Note what is told of a damage, run the commands and hold what is stored against the undisturbed run."""
    leg, world = operator.leg, operator.leg.world
    what = "everything is written to PostgreSQL, or can't be"
    world.until(what, lambda: not world.bus.unwritten() or firing(world.urls()) & CANT_BE_WRITTEN)
    broken = _differences(leg, expected)
    operator.look()
    operator.look_at_events()
    deadline = time.monotonic() + TELLING_SECONDS
    while broken and not operator.told.alerts and time.monotonic() < deadline:
        world.keep()
        operator.look()
    if broken or operator.told.events or operator.told.alerts:
        for command in mending:
            operator.run(command)
    world.until_written()
    deadline = time.monotonic() + QUIET_SECONDS
    while (fires := firing(world.urls())) and time.monotonic() < deadline:
        time.sleep(1)
    left = _differences(leg, expected)
    untold = broken and not (operator.told.events or operator.told.alerts)
    return Mended(
        told=operator.told,
        broken=_said(broken),
        commands=tuple(dict.fromkeys(operator.ran)),
        lasting=_said([one for one in left if one.is_bearable]),
        found=[
            *operator.failed,
            *[one.text for one in left if not one.is_bearable],
            *[f"nothing told of: {_said(broken)}"] * bool(untold),
            *[f"{name} fires when all is mended" for name in sorted(fires)],
            *_found_by_verify(world),
        ],
    )


def _found_by_verify(world: World) -> list[str]:
    done = fillproof("verify", "--database", world.database(), "--nats", world.nats_url)
    return [f"fillproof verify: {done.stdout}{done.stderr}"] * bool(done.returncode)


def mended_by(mended: Mended) -> str:
    """Return a damage's course in one line."""
    told = ", ".join((*mended.told.events, *(f"alert {name}" for name in mended.told.alerts))) or "nothing"
    ran = ", ".join(mended.commands) or "nothing"
    broke, lasting = mended.broken or "nothing", mended.lasting or "nothing"
    return f"broke: {broke}; told: {told}; ran: {ran}; lasting: {lasting}"


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


_BY_HAND = {STREAMS: _make_streams, RESTART_NATS: _restart_nats, REINDEX: _reindex, RESTORE: _restore}


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is stored otherwise than in the undisturbed run."""

    what: str
    """In words, without an example."""
    text: str
    is_bearable: bool
    """Whether it may last: it touches no fill, no end and no amount of an order."""


def _differences(leg: Leg, expected: Outcome) -> list[Difference]:
    try:
        stored = order_events(stored_events(leg.world.database()))
    except asyncpg.DataCorruptedError as error:
        return [Difference(what="a page can't be read", text=str(error), is_bearable=False)]
    wanted = order_events(expected.events)
    missing, added = wanted.keys() - stored.keys(), stored.keys() - wanted.keys()
    unowned = {name for name in added if _is_a_cancel_of_nobody(stored[name])}
    unasked = {name for name in missing if _is_a_cancel_of_nobody(wanted[name])}
    found = [
        *_counted("missing", {name: wanted[name] for name in missing - unasked}),
        *_counted(
            "less, no anomaly (whose cancel it was is lost)",
            {name: wanted[name] for name in unasked},
            is_bearable=True,
        ),
        *_counted("not expected", {name: stored[name] for name in added - unowned}),
        *_counted(
            "more, no anomaly (whose cancel it was is lost)",
            {name: stored[name] for name in unowned},
            is_bearable=True,
        ),
    ]
    examples: defaultdict[str, list[str]] = defaultdict(list)
    for name in wanted.keys() & stored.keys():
        for field in wanted[name].keys() | stored[name].keys():
            one, other = wanted[name].get(field), stored[name].get(field)
            if one != other and field != "market_context":
                what = "anomaly that is none" if field == "anomaly" and other else field
                examples[what].append(f"{name}: expected {one}, found {other}")
    for field, some in sorted(examples.items()):
        found.append(
            Difference(
                what=f"{field} of {len(some)} events ({BEARABLE.get(field, 'unexplained')})",
                text=f"{field} of {len(some)} events: {some[0]}",
                is_bearable=field in BEARABLE,
            )
        )
    return found


def _counted(how: str, events: Mapping[str, Json], *, is_bearable: bool = False) -> Iterator[Difference]:
    if events:
        kinds = Counter(str(event["event_type"]) for event in events.values())
        counts = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        text = f"events {how}: {counts}, as {events[min(events)]}"
        yield Difference(what=f"{how}: {counts}", text=text, is_bearable=is_bearable)


def _is_a_cancel_of_nobody(event: Json) -> bool:
    """Whether the event tells a cancel of the account's own, and nobody knows whether the engine sent it."""
    by_the_account = event.get("removal_reason") in {"CANCELED", "REPLACED"}
    return event["event_type"] == "order.disappeared" and by_the_account and not event["anomaly"]


def _said(differences: Sequence[Difference]) -> str:
    return "; ".join(one.what for one in differences)


def order_events(payloads: Mapping[str, bytes]) -> dict[str, Json]:
    """Return the events that are about orders, by id."""
    decoded = {name: msgspec.json.decode(payload) for name, payload in payloads.items()}
    return {name: event for name, event in decoded.items() if event["event_type"].startswith("order.")}
