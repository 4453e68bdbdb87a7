"""Acts on the bus and the database during a session: each takes the session on which it falls."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import asyncpg

from audit_writer.sequences import LOOK_SECONDS
from order_events.subjects import ORDERS_STREAM

if TYPE_CHECKING:
    from chaos.leg import Leg

Act = Callable[["Leg"], None]


def purge(stream: str) -> Act:
    """Take all messages from a stream."""
    return lambda leg: leg.world.bus.purge(stream)


def cut_off(stream: str) -> Act:
    """Leave the first part of a stream's file."""
    return lambda leg: leg.world.stores.cut_off_stream(stream)


def copy(stream: str) -> Act:
    """Copy a stream as it is now."""
    return lambda leg: leg.world.stores.copy_stream(stream)


def put_back(stream: str) -> Act:
    """Put the copy of a stream in its place."""
    return lambda leg: leg.world.stores.put_back_stream(stream)


def flip_newest(stream: str, subject: str) -> Act:
    """Change a bit in the newest message of a subject; `*` stands for the network and `?` for the account."""

    def flip(leg: Leg) -> None:
        name = subject.replace("*", str(leg.network_id)).replace("?", leg.accounts[0])
        leg.world.stores.flip_message(stream, leg.world.bus.last_message(stream, name))

    return flip


def while_no_reconciler_runs(act: Act) -> Act:
    """End the reconcilers before the act, and start them after it."""

    def done(leg: Leg) -> None:
        for one in leg.reconcilers:
            one.end()
        act(leg)
        for one in leg.reconcilers:
            one.wanted = True

    return done


def stop_postgres(leg: Leg) -> None:
    """Stop PostgreSQL when everything is written to it."""
    leg.world.until_written()
    leg.world.stack.stop_postgres()


def start_postgres(leg: Leg) -> None:
    """Start PostgreSQL again."""
    leg.world.stack.start_postgres()


def damage_page_of(relation: str) -> Act:
    """Damage a page of a table or an index."""

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


def fill_orders(leg: Leg) -> None:
    """Let stream ORDERS take nothing more."""
    leg.world.bus.limit(ORDERS_STREAM, full=True)


def empty_orders(leg: Leg) -> None:
    """Take all messages from stream ORDERS when they are written to PostgreSQL."""
    leg.world.until_written()
    leg.world.bus.purge(ORDERS_STREAM)


def run_by_operator(command: str) -> Act:
    """Have the operator run a command while the session goes on."""
    return lambda leg: leg.ordered.append(command)


def kill_leader(stream: str) -> Act:
    """Kill the server that leads a stream."""

    def kill(leg: Leg) -> None:
        leg.world.cluster_of_servers().named(leg.world.bus.leader(stream)).kill()

    return kill


def kill_two(leg: Leg) -> None:
    """Kill two servers of the cluster."""
    for server in leg.world.cluster_of_servers().servers[:2]:
        server.kill()


def start_all(leg: Leg) -> None:
    """Start every server of the cluster that does not run."""
    cluster = leg.world.cluster_of_servers()
    for server in cluster.servers:
        if not server.runs:
            server.start()
    cluster.wait_healthy()


def restart(number: int) -> Act:
    """Kill one server of the cluster and start it again."""

    def restart_it(leg: Leg) -> None:
        leg.world.cluster_of_servers().servers[number].kill()
        start_all(leg)

    return restart_it


def once_seen(act: Act) -> Act:
    """Wait until the audit writer has looked at the stream, then act.

    In a session ledgers close faster than the writer looks, which they do not on a live network. While
    PostgreSQL is away the writer shows nowhere that it has looked: a time is all that can be waited for.
    """

    def done(leg: Leg) -> None:
        time.sleep(2 * LOOK_SECONDS)
        act(leg)

    return done
