"""The engine feed: stream ENGINE, read once for all accounts of the process.

Plain nats-py: the feed answers "all that was announced up to this moment" at each ledger, so it reads from a
sequence up to the stream's end and needs no handler, durable consumer or acknowledgement.

A flood of announcements delays no fill: one look waits for the stream a bounded time, and takes a bounded
number of announcements for its account. The rest is read beside the accounts, and taken at later looks.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable

import nats.js.errors
import structlog
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg

from order_events import Malformed, decode_announcement
from order_events.subjects import ENGINE_STREAM
from reconciler.adapters.dead_letters import DeadLetters
from reconciler.adapters.retry import until_done
from reconciler.metrics import Metrics
from reconciler.ports.bus import Announced, Announcement

_log = structlog.get_logger()

SECONDS_A_LOOK = 0.5
"""For which one look reads on while the stream has more; a small stream is read in milliseconds."""
MOST_A_LOOK = 1000
"""Announcements that one look takes for its account: each may be an order to commit."""
_AT_ONCE = 64
"""Messages asked for together: one after the other, 40,000 would take half a minute."""
_MOST_REMEMBERED = 100_000
"""Malformed messages that are not counted again when an account is taken up that is behind."""
_LONGEST_PROBLEM = 500
"""Characters of a problem in the log: it may quote the message."""


class JetStreamEngineFeed:
    """Reads by sequence with nats-py: neither a lost connection nor a lost consumer can skip a message."""

    def __init__(
        self,
        client: Callable[[], Client],
        metrics: Metrics,
        dead_letters: DeadLetters | None = None,
        *,
        seconds_a_look: float | None = SECONDS_A_LOOK,
    ) -> None:
        """Read from the bus as long as an account is followed.

        Args:
            client: the bus connection; it raises while there is none.
            metrics: malformed announcements are counted there.
            dead_letters: where malformed announcements go; None: another feed has sent them there.
            seconds_a_look: after which a look goes on with what is read so far; None: with all there is.

        """
        self._client = client
        self._metrics = metrics
        self._dead_letters = dead_letters
        self._seconds = seconds_a_look
        self._applied: dict[str, int] = {}
        self._read_up_to: int | None = None
        self._again_from: int | None = None
        """Where the next reading begins, after an account was taken up that is behind the others."""
        self._refused: set[int] = set()
        """Sequences of malformed messages: reading them again counts none twice."""
        self._waiting: defaultdict[str, dict[int, Announcement]] = defaultdict(dict)
        """By account and sequence: an announcement that is read twice waits once."""
        self._reading = asyncio.Lock()
        self._begun = 0
        self._done = 0
        """Numbers of the last reading of the stream that began, and of the last one that succeeded."""
        self._reading_on: asyncio.Task[None] | None = None
        """Reads what one look has left of the stream."""

    def follow(self, account: str, after: int) -> None:
        """Keep what the account's engine announces after that sequence (see `EngineFeed`)."""
        self._applied[account] = after
        self._waiting.pop(account, None)
        self._again_from = after if self._again_from is None else min(self._again_from, after)

    def forget(self, account: str) -> None:
        """Keep nothing more of the account (see `EngineFeed`)."""
        self._applied.pop(account, None)
        self._waiting.pop(account, None)
        if not self._applied and self._reading_on is not None:
            self._reading_on.cancel()
            self._reading_on = None

    async def announced(self, account: str) -> Announced:
        """Return what is new up to this moment, each announcement once (see `EngineFeed`)."""
        begun_before = self._begun
        async with self._reading:
            if (
                self._done <= begun_before
            ):  # else a reading for another account began since, and has read it all
                await self._read_some()
            upto = self._read_up_to or 0
        waiting = self._waiting.pop(account, {})
        sequences = sorted(waiting)
        if self._seconds is not None and len(sequences) > MOST_A_LOOK:
            later = sequences[MOST_A_LOOK:]
            sequences, upto = sequences[:MOST_A_LOOK], sequences[MOST_A_LOOK - 1]
            self._waiting[account] = {sequence: waiting[sequence] for sequence in later}
        # When another account is taken up, the stream is read again from that account's sequence on
        self._applied[account] = upto
        return Announced(announcements=tuple(waiting[one] for one in sequences), sequence=upto)

    async def _read_some(self) -> None:
        self._begun = reading = self._begun + 1
        at_the_end = await until_done("reading stream ENGINE", self._read, self._metrics)
        self._done = reading
        if not at_the_end and (self._reading_on is None or self._reading_on.done()):
            self._reading_on = asyncio.create_task(self._read_on())

    async def _read_on(self) -> None:
        """Read up to the stream's end, a look at a time: the accounts' looks come in between."""
        at_the_end = False
        while not at_the_end:
            async with self._reading:
                at_the_end = await until_done("reading stream ENGINE", self._read, self._metrics)

    async def _read(self) -> bool:
        """Read on for as long as one look may; True: up to the stream's end."""
        if self._again_from is not None:
            known = self._again_from if self._read_up_to is None else self._read_up_to
            self._read_up_to, self._again_from = min(known, self._again_from), None
        context = self._client().jetstream()
        stream = (await context.stream_info(ENGINE_STREAM)).state
        read_up_to = self._read_up_to or 0
        if stream.last_seq < read_up_to:
            _log.warning(
                "stream ENGINE begins anew, reading all of it", expected=read_up_to, found=stream.last_seq
            )
            self._applied = dict.fromkeys(self._applied, 0)
            self._refused.clear()
            read_up_to = 0
        read_up_to = max(read_up_to, stream.first_seq - 1)  # what is older has aged out
        clock = asyncio.get_running_loop().time
        began = clock()
        while read_up_to < stream.last_seq:
            upto = min(read_up_to + _AT_ONCE, stream.last_seq)
            wanted = range(read_up_to + 1, upto + 1)
            messages = await asyncio.gather(*(_message(context, sequence) for sequence in wanted))
            for message in messages:
                if message is not None:
                    self._sort_in(message)
            self._read_up_to = read_up_to = upto
            if self._seconds is not None and clock() - began > self._seconds:
                return read_up_to == stream.last_seq
        self._read_up_to = stream.last_seq
        return True

    def _sort_in(self, message: RawStreamMsg) -> None:
        sequence = message.seq or 0
        try:
            event = decode_announcement(message.data or b"", message.subject or "")
        except Malformed as error:
            self._refuse(message, str(error))
            return
        if sequence > self._applied.get(event.account, sequence):
            self._waiting[event.account][sequence] = event

    def _refuse(self, message: RawStreamMsg, problem: str) -> None:
        """Count a malformed message and set it aside, unless it was when it was read before."""
        sequence = message.seq or 0
        if sequence in self._refused:
            return
        if len(self._refused) >= _MOST_REMEMBERED:
            self._refused.clear()
        self._refused.add(sequence)
        self._metrics.malformed_announcements.inc()
        _log.warning(
            "engine message set aside: it is no announcement",
            sequence=sequence,
            problem=problem[:_LONGEST_PROBLEM],
        )
        if self._dead_letters is not None:
            self._dead_letters.send(message, problem)


async def _message(context: JetStreamContext, sequence: int) -> RawStreamMsg | None:
    """Return a message of the stream; None: it has aged out, or was deleted."""
    try:
        return await context.get_msg(ENGINE_STREAM, seq=sequence)
    except nats.js.errors.NotFoundError:
        return None
