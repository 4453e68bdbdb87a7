"""The faults: how each begins, how it ends, and for how many ledgers it may last."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

import msgspec
from chaos.bus import STATE_STREAM

from order_events.subjects import ORDERS_STREAM

if TYPE_CHECKING:
    from chaos.leg import Leg

Begin = Callable[["Leg", Random], None]
End = Callable[["Leg"], None]
CATCHING_UP_SECONDS = {"reconciler": 0.3, "audit writer": 1.0}
"""After a start; the writer collects a batch for 0.2 s before it stores anything."""
DAY_SECONDS = 24 * 60 * 60
LEASE_SECONDS = 2
"""After which another replica takes the accounts of one that is silent."""


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Something that goes wrong."""

    about: str
    begin: Begin
    end: End
    lasts: int = 0
    """At most so many ledgers."""
    is_lie: bool = False
    """Whether a server tells what is not so: what is told of it is withdrawn, and stays on record."""


def _nothing(_: Leg) -> None:
    """End what is over by itself."""


def _kill_reconciler(leg: Leg, chance: Random) -> None:
    one = chance.choice(leg.reconcilers)
    leg.world.until_up(one)
    _into_its_work("reconciler", chance)
    one.child.kill()


def _kill_writer(leg: Leg, chance: Random) -> None:
    if leg.world.writer is not None:
        leg.world.until_up(leg.world.writer)
        _into_its_work("audit writer", chance)
        leg.world.writer.child.kill()


def _into_its_work(service: str, chance: Random) -> None:
    """Wait a moment: who was started again shortly before is now catching up."""
    time.sleep(chance.uniform(0, CATCHING_UP_SECONDS[service]))


def _pause_reconciler(leg: Leg, chance: Random) -> None:
    one = chance.choice(leg.reconcilers)
    leg.world.until_up(one)
    one.child.send(signal.SIGSTOP)


def _pause_past_the_lease(leg: Leg, chance: Random) -> None:
    _pause_reconciler(leg, chance)
    time.sleep(LEASE_SECONDS + 1)


def _continue_reconciler(leg: Leg) -> None:
    for one in leg.reconcilers:
        one.child.send(signal.SIGCONT)


def _slow_bus(leg: Leg, chance: Random) -> None:
    leg.world.proxy.delay = chance.uniform(0.02, 0.3)


def _fast_bus(leg: Leg) -> None:
    leg.world.proxy.delay = 0.0


def _other_clock(leg: Leg, chance: Random) -> None:
    leg.world.clock.write_text(str(chance.uniform(-DAY_SECONDS, DAY_SECONDS)))


def _true_clock(leg: Leg) -> None:
    leg.world.clock.write_text("0")


def _full(stream: str) -> tuple[Begin, End]:
    def begin(leg: Leg, _: Random) -> None:
        leg.world.mend_nats()
        leg.world.bus.limit(stream, full=True)

    def end(leg: Leg) -> None:
        leg.world.mend_nats()
        leg.world.bus.limit(stream, full=False)

    return begin, end


def _on_every_node(draw: Callable[[Random], dict[str, object]], off: dict[str, object]) -> tuple[Begin, End]:
    def begin(leg: Leg, chance: Random) -> None:
        wanted = draw(chance)
        for node in leg.nodes:
            node.fault(**wanted)

    def end(leg: Leg) -> None:
        for node in leg.nodes:
            node.fault(**off)

    return begin, end


def _on_one_node(
    draw: Callable[[Leg, Random], dict[str, object]], off: dict[str, object]
) -> tuple[Begin, End]:
    """Do it to one of the servers in turns: the other one has what is needed."""

    def begin(leg: Leg, chance: Random) -> None:
        leg.next_node().fault(**draw(leg, chance))

    def end(leg: Leg) -> None:
        for node in leg.nodes:
            node.fault(**off)

    return begin, end


def _hole(leg: Leg, chance: Random) -> dict[str, object]:
    first = max(leg.first, leg.closed - chance.randint(0, 20))
    return {"hole": [first, first + chance.randint(0, 30)]}


def _stream(name: str) -> tuple[Begin, End]:
    return _on_every_node(
        lambda chance: {name: chance.uniform(0.3, 1), "seed": chance.randint(0, 10**6)}, {name: 0}
    )


def _fault(about: str, both: tuple[Begin, End], lasts: int = 0) -> Fault:
    return Fault(about=about, begin=both[0], end=both[1], lasts=lasts)


def _lie(about: str, lies_for: int = 10, **faults: object) -> Fault:
    """Return a lie of one of two servers about the ledgers that close from now on."""

    def draw(leg: Leg, _: Random) -> dict[str, object]:
        return {**faults, "forge_from": leg.closed + 1}

    off = {"forge": "", "rehash": False, "invent": 0, "stale": 0, "forge_from": 0}
    begin, end = _on_one_node(draw, off)
    return Fault(about=f"one of two servers: {about}", begin=begin, end=end, lasts=lies_for, is_lie=True)


FAULTS = {
    "reconciler killed": _fault("kill -9, started again", (_kill_reconciler, _nothing)),
    "reconciler paused": _fault("SIGSTOP, later SIGCONT", (_pause_reconciler, _continue_reconciler), 15),
    "reconciler paused past its lease": _fault(
        f"SIGSTOP for more than {LEASE_SECONDS} s, later SIGCONT",
        (_pause_past_the_lease, _continue_reconciler),
        15,
    ),
    "audit writer killed": _fault("kill -9, started again", (_kill_writer, _nothing)),
    "NATS killed": _fault(
        "kill -9, later started again",
        (lambda leg, _: leg.world.kill_nats(), lambda leg: leg.world.mend_nats()),
        15,
    ),
    "PostgreSQL killed": _fault(
        "kill -9, later started again",
        (lambda leg, _: leg.world.stack.kill_postgres(), lambda leg: leg.world.stack.start_postgres()),
        15,
    ),
    "connections to the bus cut": _fault(
        "every TCP connection aborted", (lambda leg, _: leg.world.proxy.cut(), _nothing)
    ),
    "connections to the node closed": _fault(
        "every WebSocket closed (1008)", _on_every_node(lambda _: {"close_now": True}, {})
    ),
    "stream messages skipped": _fault("30 to 100 % of them", _stream("skip"), 30),
    "stream messages doubled": _fault("30 to 100 % of them", _stream("double"), 30),
    "stream messages reordered": _fault("30 to 100 % of them", _stream("reorder"), 30),
    "stream messages delayed": _fault(
        "by up to half a second",
        _on_every_node(lambda chance: {"delay": chance.uniform(0, 0.5)}, {"delay": 0}),
        30,
    ),
    "pages cut": _fault(
        "up to 20 empty pages that go on",
        _on_every_node(lambda chance: {"empty_pages": chance.randint(1, 20)}, {"empty_pages": 0}),
        10,
    ),
    "another chain": _fault(
        "one of two servers, all its hashes",
        _on_one_node(lambda _leg, _chance: {"other_chain": True}, {"other_chain": False}),
        10,
    ),
    "holes in history": _fault(
        "up to 31 ledgers, on one of two servers", _on_one_node(_hole, {"hole": None}), 15
    ),
    "slowDown storms": _fault(
        "up to 20 answers",
        _on_every_node(lambda chance: {"slow_down": chance.randint(1, 20)}, {"slow_down": 0}),
        10,
    ),
    "overload": _fault(
        "up to 5 requests turned away, connections closed",
        _on_every_node(lambda chance: {"overload": chance.randint(1, 5)}, {"overload": 0}),
        10,
    ),
    "a node lags": _fault(
        "by 50 ledgers, one of two servers", _on_one_node(lambda _leg, _chance: {"lag": 50}, {"lag": 0}), 30
    ),
    "clock jumps": _fault("up to a day either way, in both services", (_other_clock, _true_clock), 15),
    "stream ORDERS full": _fault("max_bytes reached, later raised", _full(ORDERS_STREAM), 15),
    "state bucket full": _fault("max_bytes reached, later raised", _full(STATE_STREAM), 15),
    "NATS can't write": _fault(
        "its file size limit is 0 (every write fails), later restarted with none",
        (lambda leg, _: leg.world.keep_nats_from_writing(), lambda leg: leg.world.mend_nats()),
        15,
    ),
    "NATS slow": _fault("20 to 300 ms for each 4 kB, both ways", (_slow_bus, _fast_bus), 15),
    "amounts forged": _lie("twice as much was traded, in streams and JSON", forge="amounts"),
    "transactions hidden": _lie("those that touch an offer, in streams and JSON", forge="hidden"),
    "transactions added": _lie("those that touch an offer once more by other hashes", forge="added"),
    "transactions doubled": _lie("those that touch an offer twice", forge="doubled"),
    "a chain of its own, amounts forged": _lie(
        "twice as much was traded, and all hashes are made anew", forge="amounts", rehash=True
    ),
    "a chain of its own, transactions hidden": _lie(
        "those that touch an offer are left out, and all hashes are made anew", forge="hidden", rehash=True
    ),
    "a chain of its own, transactions added": _lie(
        "those that touch an offer once more, and all hashes are made anew", forge="added", rehash=True
    ),
    "ledgers invented": _lie("three more than have closed, linked to the last real one", invent=3),
    "stale answers": _lie("the last three ledgers as if nothing had happened in them", stale=3),
}
"""By name. Two servers serve every session."""
