"""The real parts, running: the stack, a way to the bus that can be slowed, and who restarts what dies."""

from __future__ import annotations

import contextlib
import os
import resource
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import psutil
from chaos.bus import Bus
from chaos.proxy import Proxy
from waiting import limit

from local_stack import LocalStack, check_interrupts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from local_stack import Child

JUMPING_CLOCK = Path(__file__).with_name("jumping_clock")
"""How long anything may take on a machine that is busy with something else."""
POLL_SECONDS = 0.02
LOG_TAIL = 3_000
LOUD = {"warning", "error", "critical"}


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
    def is_up(self) -> bool:
        """Whether it serves."""
        return self.child.returncode is None and b"listening on" in self.child.output()

    def said(self) -> bytes:
        """Return the log of all its lives."""
        return self._before + self.child.output()

    def end(self) -> int:
        """Ask it to end and return the exit status."""
        self.wanted = False
        return self.child.stop()


class World:
    """Everything that runs. Synchronous: children are started from the main thread."""

    def __init__(self, stack: LocalStack, proxy: Proxy) -> None:
        self.stack = stack
        self.proxy = proxy
        self.bus = Bus(stack.nats_url)
        self.clock = stack.log_dir.parent / "clock"
        self.clock.write_text("0")
        self._nats_is_well = True
        self.writer: Service | None = None
        self.reconcilers: list[Service] = []
        """Of the session that runs: one for each replica."""
        self.services: list[Service] = []
        """All that ever ran, for their logs."""

    def start_writer(self) -> None:
        """Start the audit writer."""
        dsn = self.stack.postgres_dsn("audit_writer")
        self.writer = self._service("audit_writer", FILLPROOF_DATABASE_URL=dsn)

    def start_reconcilers(self, session: str, replicas: int, environment: Mapping[str, str]) -> list[Service]:
        """Start the replicas of a session's reconciler; each keeps its name when it is started again."""
        names = [f"reconciler-{session}-{number}" for number in range(replicas)]
        self.reconcilers = [
            self._service("reconciler", name=name, FILLPROOF_REPLICA_ID=name, **environment) for name in names
        ]
        return self.reconcilers

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
            "FILLPROOF_NATS_URL": self.proxy.url,
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
def world() -> Iterator[World]:
    """Run a stack of its own, without writer and reconciler yet."""
    with LocalStack.start() as stack, Proxy(stack.nats_url) as proxy:
        stack.migrate()
        made = World(stack, proxy)
        made.bus.prepare()
        yield made


def _around(log: bytes, sign: bytes) -> str:
    place = log.index(sign)
    return log[place : place + LOG_TAIL].decode()
