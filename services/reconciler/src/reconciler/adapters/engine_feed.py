"""The engine feed: stream ENGINE, read once for all accounts of the process.

Plain nats-py: the feed answers "all that was announced up to this moment" at each ledger, so it reads from a
sequence up to the stream's end and needs no handler, durable consumer or acknowledgement.

The stream is read forward, and never again from an earlier sequence. An account that is behind, because it
was taken up later or because its engine floods the stream, reads its own announcements for itself, up to
where the others are. So neither a flood nor a month of announcements delays a fill or a neighbour: one look
waits a bounded time and takes a bounded number of announcements, and the rest comes at later looks.
"""

import asyncio
from functools import partial

import msgspec
import nats.js.errors
import structlog
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg

from order_events.subjects import ENGINE_STREAM
from reconciler.adapters.announcements import Border, BusClient, OwnPart, read_own
from reconciler.adapters.dead_letters import DeadLetters
from reconciler.adapters.retry import until_done
from reconciler.metrics import Metrics
from reconciler.ports.bus import Announced, Announcement

_log = structlog.get_logger()

SECONDS_A_LOOK = 0.5
"""For which one look reads on while the stream has more; a small stream is read in milliseconds."""
MOST_A_LOOK = 1000
"""Announcements that one look takes for its account: each may be an order to commit."""
MOST_WAITING = 5000
"""Announcements of an account that wait in memory; with more, it reads them again for itself."""
_AT_ONCE = 64
"""Messages asked for together: one after the other, 40,000 would take half a minute."""


class _Account(msgspec.Struct, kw_only=True):
    """How far one account has heard its engine."""

    applied: int
    """The sequence up to which announcements were returned."""
    own_until: int
    """Up to this sequence the account reads for itself; what comes later waits for it."""
    waiting: dict[int, Announcement] = msgspec.field(default_factory=dict)

    def wait(self, sequence: int, event: Announcement, passed: int) -> None:
        """Keep an announcement for the next look; `passed`: the sequence up to which the stream is read."""
        if sequence <= max(self.applied, self.own_until):
            return
        self.waiting[sequence] = event
        if len(self.waiting) > MOST_WAITING:
            self.waiting.clear()
            self.own_until = passed

    def begin_anew(self, passed: int) -> None:
        """Hear the stream from its beginning: it is another one."""
        self.applied, self.own_until = 0, passed
        self.waiting.clear()


class JetStreamEngineFeed:
    """Reads by sequence with nats-py: neither a lost connection nor a lost consumer can skip a message."""

    def __init__(
        self,
        client: BusClient,
        metrics: Metrics,
        dead_letters: DeadLetters,
        *,
        seconds_a_look: float = SECONDS_A_LOOK,
        subject_without_account: bool = False,
    ) -> None:
        """Read from the bus as long as an account is followed.

        Args:
            client: the bus connection; it raises while there is none.
            metrics: malformed announcements are counted there.
            dead_letters: where malformed announcements go.
            seconds_a_look: after which a look goes on with what is read so far.
            subject_without_account: whether subjects that do not name the account are believed.

        """
        self._client = client
        self._metrics = metrics
        self._border = Border(metrics, dead_letters, subject_without_account=subject_without_account)
        self._own_border = Border(metrics, None, subject_without_account=subject_without_account)
        self._seconds = seconds_a_look
        self._accounts: dict[str, _Account] = {}
        self._read_up_to: int | None = None
        self._passed = 0
        """The sequence up to which messages are read, or are being read."""
        self._reading = asyncio.Lock()
        self._begun = 0
        self._done = 0
        """Numbers of the last reading of the stream that began, and of the last one that succeeded."""
        self._reading_on: asyncio.Task[None] | None = None
        """Reads what one look has left of the stream."""

    def follow(self, account: str, after: int) -> None:
        """Keep what the account's engine announces after that sequence (see `EngineFeed`)."""
        self._accounts[account] = _Account(applied=after, own_until=self._passed)

    def forget(self, account: str) -> None:
        """Keep nothing more of the account (see `EngineFeed`)."""
        self._accounts.pop(account, None)
        if not self._accounts and self._reading_on is not None:
            self._reading_on.cancel()
            self._reading_on = None

    async def announced(self, account: str) -> Announced:
        """Return what is new up to this moment, each announcement once (see `EngineFeed`)."""
        begun_before = self._begun
        async with self._reading:
            if self._done <= begun_before:  # else another account's reading began since, and has read it all
                await self._read_some()
            upto = self._read_up_to or 0
        heard = self._accounts[account]
        if heard.applied < heard.own_until:
            return await self._read_own(account, heard)
        sequences = sorted(heard.waiting)
        if len(sequences) > MOST_A_LOOK:
            sequences = sequences[:MOST_A_LOOK]
            upto = sequences[-1]
        heard.applied = upto
        announcements = tuple(heard.waiting.pop(one) for one in sequences)
        return Announced(announcements=announcements, sequence=upto, more=bool(heard.waiting))

    async def _read_own(self, account: str, heard: _Account) -> Announced:
        """Read on in what the account's engine announced while the account was behind."""
        clock = asyncio.get_running_loop().time
        began = clock()
        announcements: list[Announcement] = []
        while heard.applied < heard.own_until:
            read = partial(self._read_own_part, account, range(heard.applied + 1, heard.own_until + 1))
            part = await until_done("reading an account's announcements", read, self._metrics)
            heard.applied = part.upto
            announcements += (event for _, event in part.announcements)
            if len(announcements) >= MOST_WAITING or clock() - began > self._seconds:
                break
        more = heard.applied < heard.own_until or bool(heard.waiting)
        return Announced(announcements=tuple(announcements), sequence=heard.applied, more=more)

    async def _read_own_part(self, account: str, wanted: range) -> OwnPart:
        return await read_own(self._client(), self._own_border, account, wanted, most=MOST_A_LOOK)

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
        context = self._client().jetstream()
        stream = (await context.stream_info(ENGINE_STREAM)).state
        read_up_to = max(self._begin_at(stream.last_seq), stream.first_seq - 1)  # what is older has aged out
        clock = asyncio.get_running_loop().time
        began = clock()
        while read_up_to < stream.last_seq:
            upto = self._passed = min(read_up_to + _AT_ONCE, stream.last_seq)
            wanted = range(read_up_to + 1, upto + 1)
            messages = await asyncio.gather(*(_message(context, sequence) for sequence in wanted))
            for message in messages:
                if message is not None:
                    self._sort_in(message)
            self._read_up_to = read_up_to = upto
            if clock() - began > self._seconds:
                return read_up_to == stream.last_seq
        self._read_up_to = self._passed = stream.last_seq
        return True

    def _begin_at(self, last: int) -> int:
        """Return the sequence after which the stream is read on; `last` is the newest one's."""
        if self._read_up_to is None:
            # What comes before was read when the account that is ahead applied it
            self._read_up_to = self._passed = max((one.applied for one in self._accounts.values()), default=0)
            for one in self._accounts.values():
                one.own_until = self._passed
        begins_anew = last < self._read_up_to
        if begins_anew:
            _log.warning(
                "stream ENGINE begins anew, reading all of it", expected=self._read_up_to, found=last
            )
            self._read_up_to = self._passed = 0
        for one in self._accounts.values():
            if begins_anew or one.applied > last:
                one.begin_anew(self._passed)
        return self._read_up_to

    def _sort_in(self, message: RawStreamMsg) -> None:
        event = self._border.read(message)
        if event is not None and event.account in self._accounts:
            self._accounts[event.account].wait(message.seq or 0, event, self._passed)


async def _message(context: JetStreamContext, sequence: int) -> RawStreamMsg | None:
    """Return a message of the stream; None: it has aged out, or was deleted."""
    try:
        return await context.get_msg(ENGINE_STREAM, seq=sequence)
    except nats.js.errors.NotFoundError:
        return None
