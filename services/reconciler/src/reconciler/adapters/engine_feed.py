"""The engine feed: stream ENGINE, read once for all accounts of the process.

Plain nats-py: the feed answers "all that was announced up to this moment" at each ledger, so it reads from a
sequence up to the stream's end and needs no handler, durable consumer or acknowledgement.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable

import nats.js.errors
import structlog
from nats.aio.client import Client

from order_events import CancelRequested, Malformed, OrderSubmitted, SessionStarted, decode
from order_events.subjects import ENGINE_STREAM, ENGINE_SUBJECTS
from reconciler.adapters.retry import until_done
from reconciler.metrics import Metrics
from reconciler.ports.bus import Announced, Announcement

_log = structlog.get_logger()


class JetStreamEngineFeed:
    """Reads by sequence with nats-py: neither a lost connection nor a lost consumer can skip a message."""

    def __init__(self, client: Callable[[], Client], metrics: Metrics) -> None:
        """`client`: the bus connection; it raises while there is none."""
        self._client = client
        self._metrics = metrics
        self._applied: dict[str, int] = {}
        self._read_up_to: int | None = None
        self._again_from: int | None = None
        """Where the next reading begins, after an account was taken up that is behind the others."""
        self._waiting: defaultdict[str, dict[int, Announcement]] = defaultdict(dict)
        """By account and sequence: an announcement that is read twice waits once."""
        self._reading = asyncio.Lock()
        self._begun = 0
        self._done = 0
        """Numbers of the last reading of the stream that began, and of the last one that succeeded."""

    def follow(self, account: str, after: int) -> None:
        """Keep what the account's engine announces after that sequence (see `EngineFeed`)."""
        self._applied[account] = after
        self._waiting.pop(account, None)
        self._again_from = after if self._again_from is None else min(self._again_from, after)

    def forget(self, account: str) -> None:
        """Keep nothing more of the account (see `EngineFeed`)."""
        self._applied.pop(account, None)
        self._waiting.pop(account, None)

    async def announced(self, account: str) -> Announced:
        """Return what is new up to this moment, each announcement once (see `EngineFeed`)."""
        begun_before = self._begun
        async with self._reading:
            if (
                self._done <= begun_before
            ):  # else a reading for another account began since, and has read it all
                self._begun = reading = self._begun + 1
                await until_done("reading stream ENGINE", self._read, self._metrics)
                self._done = reading
            upto = self._read_up_to or 0
        # When another account is taken up, the stream is read again from that account's sequence on
        self._applied[account] = upto
        return Announced(announcements=tuple(self._waiting.pop(account, {}).values()), sequence=upto)

    async def _read(self) -> None:
        if self._again_from is not None:
            known = self._again_from if self._read_up_to is None else self._read_up_to
            self._read_up_to, self._again_from = min(known, self._again_from), None
        context = self._client().jetstream()
        last = (await context.stream_info(ENGINE_STREAM)).state.last_seq
        read_up_to = self._read_up_to or 0
        if last < read_up_to:
            _log.warning("stream ENGINE begins anew, reading all of it", expected=read_up_to, found=last)
            self._applied = dict.fromkeys(self._applied, 0)
            read_up_to = 0
        while read_up_to < last:
            try:
                message = await context.get_msg(
                    ENGINE_STREAM, seq=read_up_to + 1, subject=ENGINE_SUBJECTS[0], next=True
                )
            except nats.js.errors.NotFoundError:
                break  # the rest of the stream has aged out meanwhile
            read_up_to = message.seq or last
            self._sort_in(read_up_to, message.data or b"")
            self._read_up_to = read_up_to
        self._read_up_to = last

    def _sort_in(self, sequence: int, payload: bytes) -> None:
        try:
            event = decode(payload)
        except Malformed as error:
            self._metrics.malformed_announcements.inc()
            _log.warning(
                "engine message ignored: it can't be read as an event", sequence=sequence, problem=str(error)
            )
            return
        if not isinstance(event, OrderSubmitted | CancelRequested | SessionStarted):
            self._metrics.malformed_announcements.inc()
            _log.warning(
                "engine message ignored: not an announcement", sequence=sequence, found=type(event).__name__
            )
        elif sequence > self._applied.get(event.account, sequence):
            self._waiting[event.account][sequence] = event
