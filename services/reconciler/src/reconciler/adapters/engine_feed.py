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
from nats.js.api import RawStreamMsg

from reconciler.adapters.announcements import Border, BusClient, OwnPart, read_own
from reconciler.adapters.dead_letters import DeadLetters
from reconciler.adapters.engine_stream import EngineStream, open_engine_stream
from reconciler.adapters.retry import until_done
from reconciler.metrics import Metrics
from reconciler.ports.bus import Announced, Announcement, EngineMark

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
    unchecked: EngineMark | None
    """What the stream is held against at the next reading; None: it was, or there is nothing."""
    lost: str | None = None
    """What the stream holds no longer, to be returned once."""
    waiting: dict[int, Announcement] = msgspec.field(default_factory=dict)

    def wait(self, sequence: int, event: Announcement, passed: int) -> None:
        """Keep an announcement for the next look; `passed`: the sequence up to which the stream is read."""
        if sequence <= max(self.applied, self.own_until):
            return
        self.waiting[sequence] = event
        if len(self.waiting) > MOST_WAITING:
            self.waiting.clear()
            self.own_until = passed

    def begin_anew(self, passed: int, problem: str) -> None:
        """Hear the stream from its beginning: it is not the one that was heard so far."""
        self.applied, self.own_until, self.lost = 0, passed, problem
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
        self._is_read = True
        """Whether the last reading went up to the stream's end."""
        self._passed = 0
        """The sequence up to which messages are read, or are being read."""
        self._mark: EngineMark | None = None
        """The last message read."""
        self._reading = asyncio.Lock()
        self._begun = 0
        self._done = 0
        """Numbers of the last reading of the stream that began, and of the last one that succeeded."""
        self._reading_on: asyncio.Task[None] | None = None
        """Reads what one look has left of the stream."""

    def follow(self, account: str, after: int, mark: EngineMark | None = None) -> None:
        """Keep what the account's engine announces after that sequence (see `EngineFeed`)."""
        self._accounts[account] = _Account(applied=after, own_until=self._passed, unchecked=mark)

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
        lost, heard.lost = heard.lost, None
        if heard.applied < heard.own_until:
            return await self._read_own(account, heard, lost)
        sequences = sorted(heard.waiting)
        if len(sequences) > MOST_A_LOOK:
            sequences = sequences[:MOST_A_LOOK]
            upto = sequences[-1]
        heard.applied = upto
        return Announced(
            announcements=tuple(heard.waiting.pop(one) for one in sequences),
            sequence=upto,
            more=bool(heard.waiting) or not self._is_read,
            mark=None if self._mark is None or self._mark.sequence > upto else self._mark,
            lost=lost,
        )

    async def _read_own(self, account: str, heard: _Account, lost: str | None) -> Announced:
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
        return Announced(announcements=tuple(announcements), sequence=heard.applied, more=more, lost=lost)

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
        stream = await open_engine_stream(self._client())
        await self._hold_against_marks(stream)
        read_up_to = max(self._read_up_to or 0, stream.first - 1)  # what is older has aged out
        clock = asyncio.get_running_loop().time
        began = clock()
        while read_up_to < stream.last:
            upto = self._passed = min(read_up_to + _AT_ONCE, stream.last)
            messages = await stream.messages(range(read_up_to + 1, upto + 1))
            for sequence, message in messages.items():
                if message is not None:
                    self._sort_in(message)
                    self._mark = stream.mark(message)
                elif sequence >= await stream.first_now():
                    self._note_lost(f"expected message {sequence} of stream ENGINE, found a hole")
            self._read_up_to = read_up_to = upto
            if clock() - began > self._seconds:
                break
        self._is_read = read_up_to >= stream.last
        if self._is_read:
            self._read_up_to = self._passed = stream.last
        return self._is_read

    async def _hold_against_marks(self, stream: EngineStream) -> None:
        """Find out whether the stream is the one that was read so far, and holds all that follows."""
        if self._read_up_to is None:
            # What comes before was read when the account that is ahead applied it
            self._read_up_to = self._passed = max((one.applied for one in self._accounts.values()), default=0)
            for one in self._accounts.values():
                one.own_until = self._passed
        problem = await stream.disagreement(self._mark, self._read_up_to)
        if problem is not None:
            self._read_up_to = self._passed = 0
            self._mark = None
            for one in self._accounts.values():
                one.begin_anew(0, problem)
        for one in self._accounts.values():
            mark, one.unchecked = one.unchecked, None
            problem = await stream.disagreement(mark, one.applied)
            if problem is not None:
                one.begin_anew(self._passed, problem)
            elif 0 < one.applied < stream.first - 1 and one.own_until <= one.applied:
                expected = f"expected messages of stream ENGINE from {one.applied + 1} on"
                one.lost, one.applied = f"{expected}, found {stream.first} as the oldest", stream.first - 1

    def _note_lost(self, problem: str) -> None:
        for one in self._accounts.values():
            one.lost = one.lost or problem

    def _sort_in(self, message: RawStreamMsg) -> None:
        event = self._border.read(message)
        if event is not None and event.account in self._accounts:
            self._accounts[event.account].wait(message.seq or 0, event, self._passed)
