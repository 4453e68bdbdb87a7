"""A voyage: sessions strung together on one stack, with faults, compared with the undisturbed run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from chaos.leg import Blow, Leg, blows, network_of
from chaos.outcome import Outcome, differences, differences_in_tables, outcome
from chaos.world import Stuck, World, world

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

WRITER_GONE = "audit writer gone the whole session"
POSTGRES_GONE = "PostgreSQL gone the whole session"


class Voyage(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be tried."""

    name: str
    sessions: tuple[str, ...]
    """One after the other, on the same stack."""
    times: Mapping[str, int] = {}
    """How often each fault strikes in each session."""
    gone: str = ""
    """What is away until the last session has ended."""


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    struck: list[Blow]
    found: list[str]
    """In what it differs from the undisturbed run; nothing where it does not."""
    reconciler_starts: int
    reconciler_megabytes: float
    writer_megabytes: float


def undisturbed(sessions: Sequence[str]) -> Outcome:
    """Run sessions with nothing going wrong; their outcome is what the others must have."""
    with world() as calm:
        calm.start_writer()
        for session in sessions:
            Leg(calm, session).sail(())
        _until_written(calm)
        found = outcome(calm.bus)
        wrong = differences_in_tables(calm.stack, found, found) + calm.tracebacks()
    assert not wrong, wrong
    return found


def sail(voyage: Voyage, chance: Random, reference: Outcome) -> Log:
    """Make a voyage and say what is different; being stuck is a difference too."""
    planned = {session: blows(session, voyage.times, chance) for session in voyage.sessions}
    expected = reference.of([network_of(session) for session in voyage.sessions])
    with world() as stormy:
        try:
            found = _sailed(stormy, voyage, planned, expected)
        except Stuck as stuck:
            found = [str(stuck)]
        return Log(
            struck=[blow for some in planned.values() for blow in some],
            found=found + stormy.tracebacks(),
            reconciler_starts=sum(one.starts for one in stormy.services if one is not stormy.writer),
            reconciler_megabytes=stormy.peak_megabytes("reconciler"),
            writer_megabytes=stormy.peak_megabytes("audit_writer"),
        )


def _sailed(
    stormy: World, voyage: Voyage, planned: Mapping[str, Sequence[Blow]], expected: Outcome
) -> list[str]:
    if voyage.gone == POSTGRES_GONE:
        stormy.stack.stop_postgres()
    if voyage.gone != WRITER_GONE:
        stormy.start_writer()
    for session in voyage.sessions:
        Leg(stormy, session).sail(planned[session])
    # before what was gone is back: nothing of the audit side may have touched a fill or an order
    found = outcome(stormy.bus)
    told = differences(found, expected)
    if voyage.gone == POSTGRES_GONE:
        stormy.stack.start_postgres()
    if voyage.gone == WRITER_GONE:
        stormy.start_writer()
    _until_written(stormy)
    return told + differences_in_tables(stormy.stack, expected, found)


def _until_written(some: World) -> None:
    some.until("everything on the bus is written to PostgreSQL", lambda: some.bus.unwritten() == 0)
