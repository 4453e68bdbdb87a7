"""The real parts, running: the stack, a way to the bus that can be slowed, and who restarts what dies."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import psutil
from chaos.bus import Bus
from chaos.proxy import Proxy
from chaos.stores import Stores
from nats_cluster import nats_cluster
from postgres_pair import postgres_pair
from waiting import limit

from local_stack import LocalStack, check_interrupts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from nats_cluster import Cluster
    from postgres_pair import PostgresPair

    from local_stack import Child, Role

JUMPING_CLOCK = Path(__file__).with_name("jumping_clock")
"""How long anything may take on a machine that is busy with something else."""
POLL_SECONDS = 0.02
LOG_TAIL = 3_000
LOUD = {"warning", "error", "critical"}
_LISTENING = re.compile(rb"^listening on (\S+)", re.MULTILINE)


class _Line(msgspec.Struct):
    event: str = ""
    level: str = ""


class Stuck(AssertionError):
    """What should have come did not come; the text names it and shows the ends of the logs."""


class Service:
    """One of our processes. It is started again when it has died, as any supervisor would do."""

    def __init__(self, start: Callable[[], Child]) -> None:
        self._start = start
        self.child = start()
        self.wanted = True
        self.starts = 1
        self.peak_rss = 0
        """Bytes."""
        self._before = b""

    def keep(self) -> None:
        """Start it again where it has ended, and look at its memory."""
        if self.child.returncode is None:
            with contextlib.suppress(psutil.Error):
                self.peak_rss = max(self.peak_rss, psutil.Process(self.child.pid).memory_info().rss)
        elif self.wanted:
            self._before += self.child.output()
            self.child = self._start()
            self.starts += 1

    @property
    def url(self) -> str | None:
        """Where its newest life serves; None: it does not yet, or no more."""
        found = _LISTENING.search(self.child.output())
        return found[1].decode() if found and self.child.returncode is None else None

    @property
    def is_up(self) -> bool:
        """Whether it serves."""
        return self.url is not None

    def said(self) -> bytes:
        """Return the log of all its lives."""
        return self._before + self.child.output()

    def end(self) -> int:
        """Ask it to end and return the exit status."""
        self.wanted = False
        return self.child.stop()


class World:
    """Everything that runs. Synchronous: children are started from the main thread."""

    def __init__(
        self,
        stack: LocalStack,
        proxy: Proxy,
        cluster: Cluster | None = None,
        pair: PostgresPair | None = None,
    ) -> None:
        """`cluster`: the bus; None: it is the stack's one server, behind the proxy.

        `pair`: PostgreSQL with a standby; None: it is the stack's one server.
        """
        self.stack = stack
        self.proxy = proxy
        self.cluster = cluster
        self.pair = pair
        self.nats_url = stack.nats_url if cluster is None else cluster.urls
        self.bus = Bus(self.nats_url)
        self.stores = Stores(self)
        self.clock = stack.log_dir.parent / "clock"
        self.clock.write_text("0")
        self._nats_is_well = True
        self.writer: Service | None = None
        self.reconcilers: list[Service] = []
        """Of the session that runs: one for each replica."""
        self.services: list[Service] = []
        """All that ever ran, for their logs."""

    def cluster_of_servers(self) -> Cluster:
        """Return the servers of a clustered bus."""
        if self.cluster is None:
            raise AssertionError("expected a bus of three servers, found one")
        return self.cluster

    def witness_directory(self) -> Path:
        """Return where reconcilers remember what they have committed."""
        made = self.stack.log_dir.parent / "witness"
        made.mkdir(exist_ok=True)
        return made

    def start_writer(self) -> None:
        """Start the audit writer."""
        self.writer = self._service("audit_writer", FILLPROOF_DATABASE_URL=self.database("audit_writer"))

    def database(self, role: Role = "owner") -> str:
        """Return PostgreSQL's address, which leads to the standby once that is promoted."""
        return self.stack.postgres_dsn(role)

    def standby(self) -> PostgresPair:
        """Return PostgreSQL with its standby."""
        if self.pair is None:
            raise AssertionError("expected a PostgreSQL with a standby, found one alone")
        return self.pair

    def start_reconcilers(self, session: str, replicas: int, environment: Mapping[str, str]) -> list[Service]:
        """Start the replicas of a session's reconciler; each keeps its name when it is started again."""
        names = [f"reconciler-{session}-{number}" for number in range(replicas)]
        self.reconcilers = [
            self._service("reconciler", name=name, FILLPROOF_REPLICA_ID=name, **environment) for name in names
        ]
        return self.reconcilers

    def until_written(self) -> None:
        """Wait until everything on the bus is written to PostgreSQL."""
        self.until("everything on the bus is written to PostgreSQL", lambda: self.bus.unwritten() == 0)

    def without_writer(self, act: Callable[[], None]) -> None:
        """Do something while no audit writer runs."""
        if self.writer is None:
            raise AssertionError("expected an audit writer to end, found none")
        self.writer.end()
        act()
        self.writer.wanted = True

    def urls(self) -> list[str]:
        """Return where the running services serve their metrics."""
        self.keep()
        for one in self._running():
            self.until_up(one)
        return [one.url for one in self._running() if one.url]

    def keep(self) -> None:
        """Start again what has died."""
        check_interrupts()
        for service in self._running():
            service.keep()

    def until(self, what: str, condition: Callable[[], object]) -> None:
        """Wait for a condition, keeping the services alive; raises Stuck with what was waited for."""
        seconds = limit()
        deadline = time.monotonic() + seconds
        while not condition():
            self.keep()
            if time.monotonic() > deadline:
                raise Stuck(f"expected within {seconds:g} s: {what}\n{self._tails()}")
            time.sleep(POLL_SECONDS)

    def until_up(self, service: Service) -> None:
        """Wait until a service is at work, unless NATS is not well: without it none starts."""
        self.until(f"{service.child.name} is up", lambda: service.is_up or not self._nats_is_well)

    def kill_nats(self) -> None:
        """Kill NATS."""
        self._nats_is_well = False
        self.stack.kill_nats()

    def stop_nats(self) -> None:
        """End NATS, which writes down what it knows."""
        self._nats_is_well = False
        self.stack.stop_nats()

    def keep_nats_from_writing(self) -> None:
        """Have every write of NATS to its disk fail; it stays so, whatever the disk does, until a restart."""
        self.mend_nats()
        self._nats_is_well = False
        resource.prlimit(self.stack.nats_pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))

    def mend_nats(self) -> None:
        """Have a NATS that works, by a restart where it does not."""
        if not self._nats_is_well:
            self.stack.restart_nats()
            self._nats_is_well = True

    def peak_megabytes(self, module: str) -> float:
        """Return the most memory that a process of that service has taken."""
        peaks = [one.peak_rss for one in self.services if one.child.name.startswith(module)]
        return max(peaks, default=0) / 2**20

    def warnings(self) -> Counter[str]:
        """Count what the services have warned of, by the log line's own words."""
        lines = (line for one in self.services for line in one.said().splitlines() if line.startswith(b"{"))
        parsed = map(msgspec.json.Decoder(_Line).decode, lines)
        return Counter(line.event for line in parsed if line.level in LOUD)

    def tracebacks(self) -> list[str]:
        """Return which services have logged an exception that nobody expected."""
        return [
            f"{one.child.name}: a traceback in its log:\n{_around(one.said(), b'Traceback')}"
            for one in self.services
            if b"Traceback" in one.said()
        ]

    def _service(self, module: str, *, name: str | None = None, **environment: str) -> Service:
        variables = {
            "FILLPROOF_NATS_URL": self.proxy.url if self.cluster is None else self.nats_url,
            "CHAOS_CLOCK": str(self.clock),
            "PYTHONPATH": os.pathsep.join([str(JUMPING_CLOCK), os.environ.get("PYTHONPATH", "")]),
            **environment,
        }
        service = Service(lambda: self.stack.spawn(module, name=name, env=variables))
        self.services.append(service)
        return service

    def _tails(self) -> str:
        said = ((one.child.name, one.said()[-LOG_TAIL:].decode()) for one in self._running())
        return "\n".join(f"{name}: {tail}" for name, tail in said)

    def _running(self) -> list[Service]:
        return [*([self.writer] if self.writer else []), *self.reconcilers]


@contextlib.contextmanager
def world(*, clustered: bool = False, synchronous: bool | None = None) -> Iterator[World]:
    """Run a stack of its own, without writer and reconciler yet.

    `clustered`: on a bus of three servers.
    `synchronous`: how a standby follows PostgreSQL; None: there is none.
    """
    with contextlib.ExitStack() as running:
        stack = running.enter_context(LocalStack.start())
        proxy = running.enter_context(Proxy(stack.nats_url))
        cluster = running.enter_context(nats_cluster(stack.log_dir.parent)) if clustered else None
        stack.migrate()
        pair = (
            None
            if synchronous is None
            else running.enter_context(postgres_pair(stack, synchronous=synchronous))
        )
        made = World(stack, proxy, cluster, pair)
        running.callback(made.stores.give_back_room)
        made.bus.prepare(replicas=len(cluster.servers) if cluster else 1)
        yield made


def _around(log: bytes, sign: bytes) -> str:
    place = log.index(sign)
    return log[place : place + LOG_TAIL].decode()
