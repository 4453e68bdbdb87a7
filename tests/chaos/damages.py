"""What a disk, a restored backup or a hand takes away, and the commands that an operator mends it with.

Each damage falls amid a session of its own, in which the engine announces while ledgers close. What it breaks
is found out by comparing; nothing here says what the services are to tell.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import asyncpg
import msgspec
from chaos.bus import STATE_STREAM

from audit_writer.sequences import LOOK_SECONDS
from order_events.subjects import ENGINE_STREAM, ORDERS_STREAM

if TYPE_CHECKING:
    from chaos.leg import Leg

Act = Callable[["Leg"], None]
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


def _purged(stream: str) -> Act:
    return lambda leg: leg.world.bus.purge(stream)


def _cut_off(stream: str) -> Act:
    return lambda leg: leg.world.stores.cut_off_stream(stream)


def _copied(stream: str) -> Act:
    return lambda leg: leg.world.stores.copy_stream(stream)


def _put_back(stream: str) -> Act:
    return lambda leg: leg.world.stores.put_back_stream(stream)


def _flipped(stream: str, subject: str) -> Act:
    """Change a bit in the newest message of a subject; `*` stands for the network and `?` for the account."""

    def flip(leg: Leg) -> None:
        name = subject.replace("*", str(leg.network_id)).replace("?", leg.accounts[0])
        leg.world.stores.flip_message(stream, leg.world.bus.last_message(stream, name))

    return flip


def _while_no_reconciler_runs(act: Act) -> Act:
    def done(leg: Leg) -> None:
        for one in leg.reconcilers:
            one.end()
        act(leg)
        for one in leg.reconcilers:
            one.wanted = True

    return done


def _postgres_away(leg: Leg) -> None:
    leg.world.until_written()
    leg.world.stack.stop_postgres()


def _postgres_back(leg: Leg) -> None:
    leg.world.stack.start_postgres()


def _page_of(relation: str) -> Act:
    def damage(leg: Leg) -> None:
        leg.world.until_written()
        path = asyncio.run(_path_of(leg.world.stack.postgres_dsn(), relation))
        leg.world.stores.damage_page(path)

    return damage


async def _path_of(dsn: str, relation: str) -> str:
    connection = await asyncpg.connect(dsn)
    try:
        path: str = await connection.fetchval("SELECT pg_relation_filepath($1::regclass)", relation)
    finally:
        await connection.close()
    return path


def _full(leg: Leg) -> None:
    leg.world.bus.limit(ORDERS_STREAM, full=True)


def _emptied(leg: Leg) -> None:
    leg.world.until_written()
    leg.world.bus.purge(ORDERS_STREAM)


def _ordered(command: str) -> Act:
    """Have the operator run a command while the session goes on."""
    return lambda leg: leg.ordered.append(command)


def _leader_killed(stream: str) -> Act:
    def kill(leg: Leg) -> None:
        leg.world.cluster_of_servers().named(leg.world.bus.leader(stream)).kill()

    return kill


def _two_killed(leg: Leg) -> None:
    for server in leg.world.cluster_of_servers().servers[:2]:
        server.kill()


def _all_back(leg: Leg) -> None:
    cluster = leg.world.cluster_of_servers()
    for server in cluster.servers:
        if not server.runs:
            server.start()
    cluster.wait_healthy()


def _restarted(number: int) -> Act:
    def restart(leg: Leg) -> None:
        leg.world.cluster_of_servers().servers[number].kill()
        _all_back(leg)

    return restart


STATE_SUBJECT, ENGINE_SUBJECT, ORDERS_SUBJECT = "$KV.reconciler.*.?.order.>", "engine.>", "order.>"


def _once_seen(act: Act) -> Act:
    """Wait until the audit writer has looked at the stream: in a real second no hundred ledgers close."""

    def done(leg: Leg) -> None:
        time.sleep(2 * LOOK_SECONDS)
        act(leg)

    return done


def _of_orders(about: str, act: Act, earlier: Mapping[float, Act] = {}) -> Damage:
    """Return a damage of stream ORDERS that falls while PostgreSQL is away: nothing of it is stored yet."""
    acts = {**earlier, AWAY: _postgres_away, STRUCK: _once_seen(act), BACK: _postgres_back}
    return Damage(about=f"{about}, PostgreSQL away", acts=acts, mending=(REFILL, REBUILD))


DAMAGES = {
    "state bucket purged": Damage(
        about="while no reconciler runs",
        acts={STRUCK: _while_no_reconciler_runs(_purged(STATE_STREAM))},
        mending=(RESUME, REBUILD),
    ),
    "state bucket emptied": Damage(
        about="under a running reconciler",
        acts={STRUCK: _purged(STATE_STREAM)},
        mending=(RESUME, REBUILD),
    ),
    "state bucket truncated": Damage(
        about="the last two fifths of its file are gone",
        acts={STRUCK: _cut_off(STATE_STREAM)},
        mending=(RESUME, REBUILD),
    ),
    "state bucket rolled back": Damage(
        about="a copy of an earlier moment put back",
        acts={EARLIER: _copied(STATE_STREAM), STRUCK: _put_back(STATE_STREAM)},
        mending=(RESUME, REBUILD),
    ),
    "state bucket, one message flipped": Damage(
        about="a bit of an order's: NATS writes its key no more",
        acts={
            STRUCK: _while_no_reconciler_runs(_flipped(STATE_STREAM, STATE_SUBJECT)),
            0.9: _ordered(PURGE_STATE),
        },
        mending=(RESUME, REBUILD),
        waits=False,
    ),
    "stream ENGINE purged": Damage(
        about="by hand", acts={STRUCK: _purged(ENGINE_STREAM)}, mending=(RESUME, REBUILD)
    ),
    "stream ENGINE truncated": Damage(
        about="the last two fifths of its file are gone",
        acts={STRUCK: _cut_off(ENGINE_STREAM)},
        mending=(RESUME, REBUILD),
    ),
    "stream ENGINE rolled back": Damage(
        about="a copy of an earlier moment put back",
        acts={EARLIER: _copied(ENGINE_STREAM), STRUCK: _put_back(ENGINE_STREAM)},
        mending=(RESUME, REBUILD),
    ),
    "stream ENGINE, one message flipped": Damage(
        about="a bit of the newest",
        acts={STRUCK: _flipped(ENGINE_STREAM, ENGINE_SUBJECT)},
        mending=(RESUME, REBUILD),
    ),
    "stream ORDERS purged": _of_orders("by hand", _purged(ORDERS_STREAM)),
    "stream ORDERS truncated": _of_orders(
        "the last two fifths of its file are gone", _cut_off(ORDERS_STREAM)
    ),
    "stream ORDERS rolled back": _of_orders(
        "a copy of an earlier moment put back", _put_back(ORDERS_STREAM), {EARLIER: _copied(ORDERS_STREAM)}
    ),
    "stream ORDERS, one message flipped": _of_orders(
        "a bit of the newest", _flipped(ORDERS_STREAM, ORDERS_SUBJECT)
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
            STRUCK: _while_no_reconciler_runs(
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
        acts={0.2: _full, 0.55: _emptied, 0.6: _full, 0.95: _ordered(STREAMS)},
    ),
    "disk of NATS full": Damage(
        about="not one byte is left, later there is room again (tmpfs)",
        waits=False,
        acts={
            0.1: lambda leg: leg.world.stores.bound_the_bus(),
            0.3: lambda leg: leg.world.stores.fill_the_disk(),
            0.7: lambda leg: leg.world.stores.empty_the_disk(),
            0.75: _ordered(RESTART_NATS),
        },
    ),
    "a damaged page of an index": Damage(
        about="of PostgreSQL: its bytes are others", acts={STRUCK: _page_of(INDEX)}, mending=(REINDEX,)
    ),
    "a damaged page of a table": Damage(
        about="of PostgreSQL: its bytes are others",
        acts={EARLIER: lambda leg: leg.world.stores.copy_database(), STRUCK: _page_of("fill")},
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
            0.2: _leader_killed(ORDERS_STREAM),
            0.4: _all_back,
            0.6: _leader_killed(STATE_STREAM),
            0.8: _all_back,
        },
        clustered=True,
        waits=False,
    ),
    "the quorum lost, in a cluster of three": Damage(
        about="two servers killed, later back",
        acts={0.3: _two_killed, 0.6: _all_back},
        clustered=True,
        waits=False,
    ),
    "rolling restart, in a cluster of three": Damage(
        about="one server after the other",
        acts={0.2: _restarted(0), 0.4: _restarted(1), 0.6: _restarted(2)},
        clustered=True,
        waits=False,
    ),
}
"""By name."""
