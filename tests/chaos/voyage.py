"""A voyage: sessions strung together on one stack, with faults, compared with the undisturbed run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from chaos.damages import DAMAGES, Damage
from chaos.faults import FAULTS
from chaos.leg import Blow, Leg, blows, network_of
from chaos.mending import Mended, mend
from chaos.operator_on_watch import Operator
from chaos.outcome import Outcome, differences, differences_in_tables, outcome, without_lies, wrongly_certain
from chaos.world import Stuck, World, world

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

WRITER_GONE = "audit writer gone the whole session"
FLOOD = "an engine that announces garbage and floods"
POSTGRES_GONE = "PostgreSQL gone the whole session"
MORE_MEGABYTES = 100
"""What a process may take beyond the most that it takes where nothing goes wrong."""


class Voyage(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be tried."""

    name: str
    sessions: tuple[str, ...]
    """One after the other, on the same stack."""
    times: Mapping[str, int] = {}
    """How often each fault strikes in each session."""
    gone: str = ""
    """What is away until the last session has ended."""
    replicas: int = 1
    """Of the reconciler."""
    hostile: str = ""
    """What the server does that is asked before the honest one (`chaos.hostile`)."""
    damage: str = ""
    """What is taken away amid the session (`chaos.damages`)."""
    flood: bool = False
    """Whether an engine announces garbage and floods."""

    @property
    def is_lied_to(self) -> bool:
        """Whether a server tells what is not so, which stays on record beside what corrects it."""
        return any(FAULTS[fault].is_lie for fault in self.times)


class Peaks(msgspec.Struct, frozen=True, kw_only=True):
    """The most memory that a process of each service has taken, in megabytes."""

    reconciler: float
    audit_writer: float


class Calm(msgspec.Struct, frozen=True, kw_only=True):
    """What the undisturbed run left behind."""

    outcome: Outcome
    peaks: Peaks


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a voyage."""

    voyage: Voyage
    struck: list[Blow]
    found: list[str]
    """In what it differs from the undisturbed run; nothing where it does not."""
    said: Mapping[str, int]
    """What the services warned of, and how often."""
    peaks: Peaks
    mended: Mended | None = None
    """Of a damage."""


def undisturbed(sessions: Sequence[str]) -> Calm:
    """Run sessions with nothing going wrong; their outcome is what the others must have."""
    with world() as calm:
        calm.start_writer()
        for session in sessions:
            leg = Leg(calm, session)
            leg.sail(())
            leg.end()
        calm.until_written()
        found = outcome(calm.bus)
        wrong = differences_in_tables(calm.stack, found, found) + calm.tracebacks()
        peaks = _peaks(calm)
    assert not wrong, wrong
    return Calm(outcome=found, peaks=peaks)


def sail(voyage: Voyage, chance: Random, calm: Calm) -> Log:
    """Make a voyage and say what is different; being stuck is a difference too."""
    planned = {session: blows(session, voyage.times, chance) for session in voyage.sessions}
    expected = calm.outcome.of([network_of(session) for session in voyage.sessions])
    mended = None
    damage = DAMAGES.get(voyage.damage)
    needed = world(clustered=damage.clustered, synchronous=damage.synchronous) if damage else world()
    with needed as stormy:
        try:
            if damage is not None:
                mended = _damaged(stormy, voyage.sessions[0], damage, expected)
                found = list(mended.found)
            else:
                found = _sailed(stormy, voyage, planned, expected)
        except Stuck as stuck:
            found = [str(stuck)]
        said, peaks = stormy.warnings(), _peaks(stormy)
        found += stormy.tracebacks() + _swollen(peaks, calm.peaks)
    struck = [blow for some in planned.values() for blow in some]
    return Log(voyage=voyage, struck=struck, found=found, said=said, peaks=peaks, mended=mended)


def _damaged(stormy: World, session: str, damage: Damage, expected: Outcome) -> Mended:
    """Follow a session amid which something is taken away, and mend it."""
    stormy.start_writer()
    leg = Leg(stormy, session, announced_in_time=damage.waits)
    operator = Operator(leg, waits=damage.waits)
    acts = {leg.ledger_at(share): operator.attending(act) for share, act in damage.acts.items()}
    leg.sail((), acts=acts)
    mended = mend(operator, damage.mending, expected)
    leg.end()
    return mended


def _sailed(
    stormy: World, voyage: Voyage, planned: Mapping[str, Sequence[Blow]], expected: Outcome
) -> list[str]:
    if voyage.gone == POSTGRES_GONE:
        stormy.stack.stop_postgres()
    if voyage.gone != WRITER_GONE:
        stormy.start_writer()
    unheard: list[str] = []
    for session in voyage.sessions:
        unheard += _follow(stormy, voyage, session, planned[session])
    # before what was gone is back: nothing of the audit side may have touched a fill or an order
    found = outcome(stormy.bus)
    told = differences(without_lies(found, expected) if voyage.is_lied_to else found, expected)
    told += wrongly_certain(found) if voyage.is_lied_to else ()
    if voyage.gone == POSTGRES_GONE:
        stormy.stack.start_postgres()
    if voyage.gone == WRITER_GONE:
        stormy.start_writer()
    stormy.until_written()
    stored = found if voyage.is_lied_to else expected
    return unheard + told + differences_in_tables(stormy.stack, stored, found)


def _follow(stormy: World, voyage: Voyage, session: str, planned: Sequence[Blow]) -> list[str]:
    """Follow a session, and say what of the hostile parties was not met or not counted."""
    leg = Leg(stormy, session, replicas=voyage.replicas, hostile=voyage.hostile)
    leg.sail(planned, flood=voyage.flood)
    leg.end()
    unmet = leg.hostile is not None and not leg.hostile.asked
    letters = stormy.bus.dead_letters()
    return [
        *[f"{voyage.hostile}: expected it to be asked, it was not"] * unmet,
        *[f"dead letters: expected {leg.garbage}, found {letters}"] * (letters != leg.garbage),
    ]


def _peaks(some: World) -> Peaks:
    return Peaks(
        reconciler=some.peak_megabytes("reconciler"), audit_writer=some.peak_megabytes("audit_writer")
    )


def _swollen(peaks: Peaks, usual: Peaks) -> list[str]:
    both = {
        "reconciler": (peaks.reconciler, usual.reconciler),
        "audit writer": (peaks.audit_writer, usual.audit_writer),
    }
    return [
        f"memory of the {name}: expected at most {most + MORE_MEGABYTES:.0f} MB, found {peak:.0f} MB"
        for name, (peak, most) in both.items()
        if peak > most + MORE_MEGABYTES
    ]
