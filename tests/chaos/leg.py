"""One recorded session on the running world, with the blows that fall on the way."""

from __future__ import annotations

import itertools
import time
from collections import defaultdict
from random import Random
from typing import TYPE_CHECKING
from zlib import crc32

import msgspec
import nats.errors
from chaos.faults import FAULTS, LEASE_SECONDS
from chaos.hostile import HostileServer
from chaos.node import Node

from console.engine import engine_accounts
from console.sessions import find_session

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chaos.world import Service, World

LEDGER_SECONDS = 0.04
"""Between two ledgers while a session runs."""
LATEST_SECONDS = 0.03
"""A blow falls up to so much after its ledger has closed: while the ledger is being worked on."""

FLOODS_APART = 25
"""Ledgers between two floods of announcements."""
SPOILT, FOREIGN = 100, 2_000
"""Announcements of a flood: garbage, and orders of an account that nobody follows."""


class Blow(msgspec.Struct, frozen=True, kw_only=True):
    """One fault, once: from shortly after one ledger until another has closed."""

    fault: str
    ledger: int
    until: int
    seconds: float
    """After the ledger."""
    seed: int
    """For what the fault draws."""


def network_of(session: str) -> int:
    """Return a network id of the session's own, so that several do not mix on one stack."""
    return crc32(session.encode())


def blows(session: str, times: Mapping[str, int], chance: Random) -> list[Blow]:
    """Draw when the faults strike, each so many times; a fault does not strike while it still lasts."""
    ledgers = [ledger.ledger_index for ledger in find_session(session).session.ledgers][:-1]
    drawn = []
    for fault, count in times.items():
        places = sorted(chance.sample(ledgers, min(count, len(ledgers))))
        for place, following in itertools.pairwise([*places, ledgers[-1] + 1]):
            until = min(place + chance.randint(0, FAULTS[fault].lasts), following - 1)
            drawn.append(
                Blow(
                    fault=fault,
                    ledger=place,
                    until=until,
                    seconds=chance.uniform(0, LATEST_SECONDS),
                    seed=chance.getrandbits(32),
                )
            )
    return drawn


class Leg:
    """A session: its nodes, its reconciler, and how far it is."""

    def __init__(self, world: World, session: str, *, replicas: int = 1, hostile: str = "") -> None:
        """`hostile`: what the server does that the reconciler is to ask before an honest one."""
        recording = find_session(session)
        self.world: World = world
        self.network_id = network_of(session)
        self._session = recording.session
        self.first = self.closed = self._session.ledgers[0].ledger_index
        self.nodes = [
            Node(world.stack, recording.path, network_id=self.network_id, name=f"node-{session}-{which}")
            for which in ("a", "b")
        ]
        self.garbage = 0
        """Announcements so far that no engine means."""
        self._turns = itertools.cycle(self.nodes)
        world.bus.announce(self._session)
        urls = [node.url.replace("http", "ws", 1) for node in self.nodes]
        self.hostile = HostileServer(hostile, self.nodes[0].url, crc32(hostile.encode())) if hostile else None
        if self.hostile is not None:
            urls = [f"http://{self.hostile.address}", f"ws://{self.hostile.address}", urls[0]]
        environment = {
            "FILLPROOF_XRPL_URLS": ",".join(urls),
            "FILLPROOF_NETWORK_ID": str(self.network_id),
            "FILLPROOF_ACCOUNTS": ",".join(engine_accounts(self._session)),
            "FILLPROOF_START_LEDGER": str(self.first),
            "FILLPROOF_POLL_SECONDS": "0.2",
            "FILLPROOF_LEASE_SECONDS": str(LEASE_SECONDS),
        }
        self.reconcilers: list[Service] = world.start_reconcilers(session, replicas, environment)

    def next_node(self) -> Node:
        """Return the servers in turns."""
        return next(self._turns)

    def sail(self, planned: Sequence[Blow], *, flood: bool = False) -> None:
        """Close every ledger while the blows fall, and wait until all is followed; raises Stuck.

        `flood`: an engine announces garbage and floods on the way.
        """
        begins, ends = defaultdict[int, list[Blow]](list), defaultdict[int, list[Blow]](list)
        for blow in planned:
            begins[blow.ledger].append(blow)
            ends[blow.until].append(blow)
        self._until_up()
        for ledger in self._session.ledgers:
            if ledger.ledger_index != self.first:
                self._close(ledger.ledger_index)
            for blow in sorted(begins.pop(self.closed, ()), key=lambda blow: blow.seconds):
                self._strike(blow)
            for blow in ends.pop(self.closed, ()):
                FAULTS[blow.fault].end(self)
            if flood and self.closed % FLOODS_APART == 0:
                self.garbage += self.world.bus.flood(
                    self._session, self.closed, spoilt=SPOILT, foreign=FOREIGN
                )
            self.world.keep()
            time.sleep(LEDGER_SECONDS)
        for blow in itertools.chain.from_iterable(ends.values()):
            FAULTS[blow.fault].end(self)
        self.world.until(f"session {self._session.name} is followed to its end", self._followed)
        self.end()

    def end(self) -> None:
        """End the session's processes."""
        self._until_up()
        statuses = [one.end() for one in self.reconcilers]
        assert not any(statuses), f"reconcilers: expected status 0 when told to stop, found {statuses}"
        for node in self.nodes:
            node.stop()
        if self.hostile is not None:
            self.hostile.end()

    def _until_up(self) -> None:
        for one in self.reconcilers:
            self.world.until_up(one)

    def _close(self, ledger_index: int) -> None:
        for node in self.nodes:
            node.close_ledger()
        self.closed = ledger_index

    def _strike(self, blow: Blow) -> None:
        time.sleep(blow.seconds)
        FAULTS[blow.fault].begin(self, Random(blow.seed))  # noqa: S311 - a fault, no secret

    def _followed(self) -> bool:
        """Whether every account's cursor is the last ledger and nothing is owed to the audit."""
        try:
            state = self.world.bus.state(self.network_id)
        except (nats.errors.Error, OSError):
            return False
        wanted = {f"{self.network_id}.{account}.account" for account in engine_accounts(self._session)}
        last = self._session.ledgers[-1].ledger_index
        return all(
            key in state and state[key]["record"]["ledger_index"] >= last and not state[key].get("owed")
            for key in wanted
        )
