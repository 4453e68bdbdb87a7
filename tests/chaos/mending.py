"""The mending of a damage: what told of it, the commands that were run, and what is different afterwards."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec
from chaos.alerts import firing
from chaos.differences import differences, summary
from fillproof_command import fillproof

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaos.operator_on_watch import Operator, Told
    from chaos.outcome import Outcome
    from chaos.world import World

TELLING_SECONDS = 30.0
"""After which something that is lost must be told of."""
CANT_BE_WRITTEN = {"MessagesHeld", "DatabaseDamaged"}
"""Alerts of an audit writer that can't write what the bus holds."""
QUIET_SECONDS = 60.0
"""After which no alert may fire any more."""


class Mended(msgspec.Struct, frozen=True, kw_only=True):
    """The effects of a damage: how it became known, what was run, and what is different afterwards."""

    told: Told
    broken: str
    """What was different in the store before the commands were run."""
    commands: tuple[str, ...]
    """As they were run, without addresses."""
    lasting: str
    """What is different afterwards."""
    found: list[str]
    """What is wrong: nothing, where the damage was told and mended."""


def mend(operator: Operator, mending: Sequence[str], expected: Outcome) -> Mended:
    """Note what is told of a damage, run the commands and hold what is stored against the undisturbed run."""
    leg, world = operator.leg, operator.leg.world
    what = "everything is written to PostgreSQL, or can't be"
    world.until(what, lambda: not world.bus.unwritten() or firing(world.urls()) & CANT_BE_WRITTEN)
    broken = differences(leg, expected)
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
    left = differences(leg, expected)
    untold = broken and not (operator.told.events or operator.told.alerts)
    return Mended(
        told=operator.told,
        broken=summary(broken),
        commands=tuple(dict.fromkeys(operator.ran)),
        lasting=summary([one for one in left if one.is_bearable]),
        found=[
            *operator.failed,
            *[one.text for one in left if not one.is_bearable],
            *[f"nothing told of: {summary(broken)}"] * bool(untold),
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
