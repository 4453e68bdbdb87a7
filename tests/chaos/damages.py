"""Damages by a disk, a restored backup or a hand, and the commands with which an operator mends each.

Each damage falls amid a session of its own, in which the engine announces while ledgers close. What a damage
breaks is found by a comparison with the undisturbed run; nothing here says what the services must report.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from chaos import acts
from chaos.bus import STATE_STREAM

from order_events.subjects import ENGINE_STREAM, ORDERS_STREAM

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chaos.acts import Act

EARLIER, AWAY, STRUCK, BACK = 0.3, 0.45, 0.6, 0.65
"""Shares of the session: a copy is made; the database goes away; the damage falls; the database is back."""
RESUME, REBUILD, REFILL = "fillproof resume", "fillproof rebuild", "fillproof refill --xrpl"
STREAMS, RESTART_NATS, REINDEX = "the step `streams`", "a restart of NATS", "REINDEX"
RESTORE, PURGE_STATE = "a restore of the last backup", "a purge of the state bucket"
INDEX = "fill_pkey"
"""Of PostgreSQL: the one whose page is damaged."""


class Damage(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is taken away."""

    about: str
    acts: Mapping[float, Act]
    """What is done when so much of the session is over."""
    mending: tuple[str, ...] = ()
    """The commands, in their order; `resume` runs for each account that is halted."""
    clustered: bool = False
    """Whether the bus is a cluster of three."""
    synchronous: bool | None = None
    """How a standby follows PostgreSQL; None: there is none."""
    waits: bool = True
    """Whether all is followed before something is done (in a real minute few ledgers close), and the engine
    announces while ledgers close: where the bus takes nothing for a while, it announces at the beginning."""


STATE_SUBJECT, ENGINE_SUBJECT, ORDERS_SUBJECT = "$KV.reconciler.*.?.order.>", "engine.>", "order.>"


def _of_orders(about: str, act: Act, earlier: Mapping[float, Act] = {}) -> Damage:
    """Return a damage of stream ORDERS that falls while PostgreSQL is away: nothing of it is stored yet."""
    fallen = {**earlier, AWAY: acts.stop_postgres, STRUCK: acts.once_seen(act), BACK: acts.start_postgres}
    return Damage(about=f"{about}, PostgreSQL away", acts=fallen, mending=(REFILL, REBUILD))


DAMAGES = {
    "state bucket purged": Damage(
        about="while no reconciler runs",
        acts={STRUCK: acts.while_no_reconciler_runs(acts.purge(STATE_STREAM))},
        mending=(RESUME, REBUILD),
    ),
    "state bucket emptied": Damage(
        about="under a running reconciler",
        acts={STRUCK: acts.purge(STATE_STREAM)},
        mending=(RESUME, REBUILD),
    ),
    "state bucket truncated": Damage(
        about="the last two fifths of its file are gone",
        acts={STRUCK: acts.cut_off(STATE_STREAM)},
        mending=(RESUME, REBUILD),
    ),
    "state bucket rolled back": Damage(
        about="a copy of an earlier moment put back",
        acts={EARLIER: acts.copy(STATE_STREAM), STRUCK: acts.put_back(STATE_STREAM)},
        mending=(RESUME, REBUILD),
    ),
    "state bucket, one message flipped": Damage(
        about="a bit of an order's: NATS writes its key no more",
        acts={
            STRUCK: acts.while_no_reconciler_runs(acts.flip_newest(STATE_STREAM, STATE_SUBJECT)),
            0.9: acts.run_by_operator(PURGE_STATE),
        },
        mending=(RESUME, REBUILD),
        waits=False,
    ),
    "stream ENGINE purged": Damage(
        about="by hand", acts={STRUCK: acts.purge(ENGINE_STREAM)}, mending=(RESUME, REBUILD)
    ),
    "stream ENGINE truncated": Damage(
        about="the last two fifths of its file are gone",
        acts={STRUCK: acts.cut_off(ENGINE_STREAM)},
        mending=(RESUME, REBUILD),
    ),
    "stream ENGINE rolled back": Damage(
        about="a copy of an earlier moment put back",
        acts={EARLIER: acts.copy(ENGINE_STREAM), STRUCK: acts.put_back(ENGINE_STREAM)},
        mending=(RESUME, REBUILD),
    ),
    "stream ENGINE, one message flipped": Damage(
        about="a bit of the newest",
        acts={STRUCK: acts.flip_newest(ENGINE_STREAM, ENGINE_SUBJECT)},
        mending=(RESUME, REBUILD),
    ),
    "stream ORDERS purged": _of_orders("by hand", acts.purge(ORDERS_STREAM)),
    "stream ORDERS truncated": _of_orders(
        "the last two fifths of its file are gone", acts.cut_off(ORDERS_STREAM)
    ),
    "stream ORDERS rolled back": _of_orders(
        "a copy of an earlier moment put back",
        acts.put_back(ORDERS_STREAM),
        {EARLIER: acts.copy(ORDERS_STREAM)},
    ),
    "stream ORDERS, one message flipped": _of_orders(
        "a bit of the newest", acts.flip_newest(ORDERS_STREAM, ORDERS_SUBJECT)
    ),
    "bus older than store": Damage(
        about="all that the bus keeps is of an earlier moment",
        acts={
            EARLIER: lambda leg: leg.world.stores.copy_bus(),
            STRUCK: lambda leg: leg.world.stores.put_back_bus(),
        },
        mending=(RESUME, REBUILD, REFILL),
    ),
    "bus older than store, all started again": Damage(
        about="the same while neither reconciler nor audit writer runs",
        acts={
            EARLIER: lambda leg: leg.world.stores.copy_bus(),
            STRUCK: acts.while_no_reconciler_runs(
                lambda leg: leg.world.without_writer(leg.world.stores.put_back_bus)
            ),
        },
        mending=(RESUME, REBUILD, REFILL),
    ),
    "store older than bus": Damage(
        about="PostgreSQL is of an earlier moment",
        acts={
            EARLIER: lambda leg: leg.world.stores.copy_database(),
            STRUCK: lambda leg: leg.world.stores.put_back_database(),
        },
        mending=(REFILL,),
    ),
    "stream ORDERS full and emptied": Damage(
        about="full for a third of the session, then purged; full again, then given more bytes",
        waits=False,
        acts={
            0.2: acts.fill_orders,
            0.55: acts.empty_orders,
            0.6: acts.fill_orders,
            0.95: acts.run_by_operator(STREAMS),
        },
    ),
    "disk of NATS full": Damage(
        about="not one byte is left, later there is room again (tmpfs)",
        waits=False,
        acts={
            0.1: lambda leg: leg.world.stores.bound_the_bus(),
            0.3: lambda leg: leg.world.stores.fill_the_disk(),
            0.7: lambda leg: leg.world.stores.empty_the_disk(),
            0.75: acts.run_by_operator(RESTART_NATS),
        },
    ),
    "a damaged page of an index": Damage(
        about="of PostgreSQL: its bytes are others",
        acts={STRUCK: acts.damage_page_of(INDEX)},
        mending=(REINDEX,),
    ),
    "a damaged page of a table": Damage(
        about="of PostgreSQL: its bytes are others",
        acts={EARLIER: lambda leg: leg.world.stores.copy_database(), STRUCK: acts.damage_page_of("fill")},
        mending=(RESTORE, REFILL),
    ),
    "PostgreSQL fails over to a synchronous standby": Damage(
        about="the primary killed, the standby promoted",
        acts={STRUCK: lambda leg: leg.world.standby().fail_over()},
        synchronous=True,
    ),
    "PostgreSQL fails over to an asynchronous standby": Damage(
        about="the same, the standby cut off before",
        acts={
            AWAY: lambda leg: leg.world.standby().fall_behind(),
            STRUCK: lambda leg: leg.world.standby().fail_over(),
        },
        mending=(REFILL,),
        synchronous=False,
    ),
    "leaders killed, in a cluster of three": Damage(
        about="of ORDERS, then of the state bucket; each back later",
        acts={
            0.2: acts.kill_leader(ORDERS_STREAM),
            0.4: acts.start_all,
            0.6: acts.kill_leader(STATE_STREAM),
            0.8: acts.start_all,
        },
        clustered=True,
        waits=False,
    ),
    "the quorum lost, in a cluster of three": Damage(
        about="two servers killed, later back",
        acts={0.3: acts.kill_two, 0.6: acts.start_all},
        clustered=True,
        waits=False,
    ),
    "rolling restart, in a cluster of three": Damage(
        about="one server after the other",
        acts={0.2: acts.restart(0), 0.4: acts.restart(1), 0.6: acts.restart(2)},
        clustered=True,
        waits=False,
    ),
}
"""By name."""
