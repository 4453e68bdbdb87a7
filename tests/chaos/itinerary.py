"""Which voyages are made: each fault alone, faults together, and what takes more than one process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaos.damages import DAMAGES
from chaos.faults import FAULTS
from chaos.hostile import HOSTILE
from chaos.voyage import FLOOD, POSTGRES_GONE, WRITER_GONE, Voyage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

LONG = ("random_1", "random_2", "random_amm_3")
"""A hundred ledgers each."""
STRING = (
    *LONG,
    "random_crowd_4",
    "random_crowd_5",
    "grid_swept",
    "cancel_race_lost",
    "expired_lingering",
    "unfunded_removed",
    "self_crossed",
    "never_placed",
    "partial_then_canceled",
    "replaced_too_late",
    "account_deleted",
)
"""One after the other on one stack: a longer history than any recording."""
TIMES = 5
"""That a fault strikes in the session that it has for itself."""
KILLS = 20
"""The same for what kills: what it hits is decided within milliseconds."""
TOGETHER = 8
"""Faults in one voyage over all of the string."""
NEEDS_REPLICAS = "reconciler paused past its lease"
SHORT = "half of the faults, once each"


def voyages(chance: Random) -> Iterator[Voyage]:
    """Yield every voyage of the long form."""
    for fault in FAULTS:
        if fault != NEEDS_REPLICAS:
            times = {fault: KILLS if fault.endswith("killed") else TIMES}
            yield Voyage(name=fault, sessions=(chance.choice(LONG),), times=times)
    yield Voyage(name=WRITER_GONE, sessions=(chance.choice(LONG),), gone=WRITER_GONE)
    yield Voyage(name=POSTGRES_GONE, sessions=(chance.choice(LONG),), gone=POSTGRES_GONE)
    # what the writer holds and can't store must come again when it dies
    yield Voyage(
        name="audit writer killed while PostgreSQL is gone",
        sessions=(chance.choice(LONG),),
        times={"audit writer killed": TIMES},
        gone=POSTGRES_GONE,
    )
    for hostile in HOSTILE:
        yield Voyage(name=hostile, sessions=(chance.choice(LONG),), hostile=hostile)
    # a process dies between a told lie and its correction
    yield Voyage(
        name="amounts forged, reconciler killed",
        sessions=(chance.choice(LONG),),
        times={"amounts forged": TIMES, "reconciler killed": TIMES},
    )
    for damage in DAMAGES:
        yield Voyage(name=damage, sessions=(chance.choice(LONG),), damage=damage)
    yield Voyage(name=FLOOD, sessions=(chance.choice(LONG),), flood=True)
    for replicas in (2, 3):
        times = {"reconciler killed": 2, NEEDS_REPLICAS: 2}
        name = f"{replicas} replicas, some killed, some paused"
        yield Voyage(name=name, sessions=(chance.choice(LONG),), times=times, replicas=replicas)
    # of two servers one is honest: another fault on the other one is no voyage
    honest = sorted(name for name, fault in FAULTS.items() if not fault.is_lie)
    shuffled = chance.sample(honest, len(honest))
    for number in range(2):
        some = shuffled[number * TOGETHER : (number + 1) * TOGETHER]
        yield Voyage(
            name=f"{TOGETHER} faults together, the string of sessions, {number + 1}",
            sessions=tuple(chance.sample(STRING, len(STRING))),
            times=dict.fromkeys(some, 1),
            replicas=number + 1,
        )


def short(chance: Random) -> Voyage:
    """Return the one voyage of the short form: what kills, and what the node and the bus do most often."""
    killed = [name for name in FAULTS if name.endswith("killed")]
    others = ["connections to the node closed", "stream messages skipped", "slowDown storms", "NATS slow"]
    return Voyage(name=SHORT, sessions=(chance.choice(LONG),), times=dict.fromkeys([*killed, *others], 1))
