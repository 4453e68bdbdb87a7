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

from console.engine import announcements, engine_accounts
from console.sessions import find_session

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

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

    def __init__(
        self,
        world: World,
        session: str,
        *,
        replicas: int = 1,
        hostile: str = "",
        announced_in_time: bool = False,
    ) -> None:
        """`hostile`: what the server does that the reconciler is to ask before an honest one.

        `announced_in_time`: the engine announces while ledgers close; otherwise all of it at the beginning.
        """
        recording = find_session(session)
        self.world: World = world
        self.network_id = network_of(session)
        self._session = recording.session
        self.first = self.closed = self._session.ledgers[0].ledger_index
        self.nodes = [
            Node(world.stack, recording.path, network_id=self.network_id, name=f"node-{session}-{which}")
            for which in ("a", "b")
        ]
        self.ordered: list[str] = []
        """Commands that an operator is to run (`chaos.damages`)."""
        self.garbage = 0
        """Announcements so far that no engine means."""
        self._turns = itertools.cycle(self.nodes)
        self._unannounced = list(announcements(self._session))
        if not announced_in_time:
            self._announce(self._session.ledgers[-1].ledger_index)
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
            "FILLPROOF_WITNESS_DIRECTORY": str(world.witness_directory()),
        }
        self.environment = environment
        self.reconcilers: list[Service] = world.start_reconcilers(session, replicas, environment)

    @property
    def accounts(self) -> list[str]:
        """The engine's accounts."""
        return engine_accounts(self._session)

    @property
    def last(self) -> int:
        """The session's last ledger."""
        return self._session.ledgers[-1].ledger_index

    def ledger_at(self, share: float) -> int:
        """Return the ledger that closes when so much of the session is over."""
        return self._session.ledgers[int(share * len(self._session.ledgers))].ledger_index

    def next_node(self) -> Node:
        """Return the servers in turns."""
        return next(self._turns)

    def sail(
        self,
        planned: Sequence[Blow],
        *,
        flood: bool = False,
        acts: Mapping[int, Callable[[Leg], None]] = {},
    ) -> None:
        """Close every ledger while the blows fall, and wait until all is followed; raises Stuck.

        `flood`: an engine announces garbage and floods on the way.
        `acts`: what is done right after a ledger has closed.
        """
        begins, ends = defaultdict[int, list[Blow]](list), defaultdict[int, list[Blow]](list)
        for blow in planned:
            begins[blow.ledger].append(blow)
            ends[blow.until].append(blow)
        self._until_up()
        for ledger in self._session.ledgers:
            self._announce(ledger.ledger_index - 1)
            if ledger.ledger_index != self.first:
                self._close(ledger.ledger_index)
            if act := acts.get(self.closed):
                act(self)
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
        self.until_followed(self.last)

    def until_followed(self, ledger_index: int) -> None:
        """Wait until a ledger is followed for every account; raises Stuck."""
        what = f"session {self._session.name} is followed to ledger {ledger_index}"
        self.world.until(what, lambda: self._followed(ledger_index))

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

    def _announce(self, newest: int) -> None:
        """Announce what the engine said when it knew the ledger `newest`, or an earlier one."""
        said = [one for one in self._unannounced if (one.validated_ledger_index or 0) <= newest]
        if said:
            self._unannounced = [one for one in self._unannounced if one not in said]
            self.world.bus.announce(said)

    def _close(self, ledger_index: int) -> None:
        for node in self.nodes:
            node.close_ledger()
        self.closed = ledger_index

    def _strike(self, blow: Blow) -> None:
        time.sleep(blow.seconds)
        FAULTS[blow.fault].begin(self, Random(blow.seed))  # noqa: S311 - a fault, no secret

    def _followed(self, ledger_index: int) -> bool:
        """Whether every account's cursor is that ledger and nothing is owed to the audit."""
        try:
            state = self.world.bus.state(f"{self.network_id}.*.account")
        except (nats.errors.Error, OSError):
            return False
        wanted = {f"{self.network_id}.{account}.account" for account in engine_accounts(self._session)}
        return all(
            key in state
            and state[key]["record"]["ledger_index"] >= ledger_index
            and not state[key].get("owed")
            for key in wanted
        )
