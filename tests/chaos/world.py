"""The real parts, running: the stack, a way to the bus that can be slowed, and who restarts what dies."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from chaos.bus import Bus
from chaos.proxy import Proxy
from local_stack import LocalStack

if TYPE_CHECKING:
    from local_stack import Child

JUMPING_CLOCK = Path(__file__).with_name("jumping_clock")
PATIENCE_SECONDS = 15.0
"""How long anything may take on a machine that is busy with something else."""
POLL_SECONDS = 0.02
LOG_TAIL = 3_000


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
        self.nats_is_up = True
        self.writer: Service | None = None
        self.reconciler: Service | None = None
        self.services: list[Service] = []
        """All that ever ran, for their logs."""

    def start_writer(self) -> None:
        """Start the audit writer."""
        self.writer = self._service("audit_writer", FILLPROOF_DATABASE_URL=self.stack.postgres_dsn("audit_writer"))

    def start_reconciler(self, name: str, **environment: str) -> Service:
        """Start the reconciler of a session."""
        self.reconciler = self._service("reconciler", name=f"reconciler-{name}", **environment)
        return self.reconciler

    def keep(self) -> None:
        """Start again what has died."""
        for service in (self.writer, self.reconciler):
            if service is not None:
                service.keep()

    def until(self, what: str, condition: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
        """Wait for a condition, keeping the services alive; raises Stuck with what was waited for."""
        deadline = time.monotonic() + seconds
        while not condition():
            self.keep()
            if time.monotonic() > deadline:
                raise Stuck(f"expected within {seconds:g} s: {what}\n{self._tails()}")
            time.sleep(POLL_SECONDS)

    def until_up(self, service: Service) -> None:
        """Wait until a service is at work, unless NATS is away: without it none starts."""
        self.until("a service is up", lambda: service.is_up or not self.nats_is_up)

    def kill_nats(self) -> None:
        """Kill NATS."""
        self.stack.kill_nats()
        self.nats_is_up = False

    def restart_nats(self) -> None:
        """Have NATS back."""
        self.stack.restart_nats()
        self.nats_is_up = True

    def peak_megabytes(self, module: str) -> float:
        """Return the most memory that a process of that service has taken."""
        peaks = [one.peak_rss for one in self.services if one.child.name.startswith(module)]
        return max(peaks, default=0) / 2**20

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
        running = [one for one in (self.writer, self.reconciler) if one is not None]
        return "\n".join(f"{one.child.name}: {one.said()[-LOG_TAIL:].decode()}" for one in running)


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
