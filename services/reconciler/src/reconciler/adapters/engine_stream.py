"""Stream ENGINE as it stands at one moment: what it holds, and whether it is the one that was read before."""

import asyncio
from collections.abc import Iterable
from hashlib import sha256

import nats.js.errors
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg, StreamInfo

from order_events.subjects import ENGINE_STREAM
from reconciler.ports.bus import EngineMark


class EngineStream:
    """The stream's first and last sequence, and its messages."""

    def __init__(self, context: JetStreamContext, info: StreamInfo) -> None:
        self._context = context
        self._created = "" if info.created is None else info.created.isoformat()
        self._known: EngineMark | None = None
        """A mark that agrees: thousands of accounts share it."""
        self.first = info.state.first_seq
        self.last = info.state.last_seq

    def mark(self, message: RawStreamMsg) -> EngineMark:
        """Return what a message is known by."""
        return EngineMark(stream_created=self._created, sequence=message.seq or 0, digest=_digest(message))

    async def messages(self, sequences: Iterable[int]) -> dict[int, RawStreamMsg | None]:
        """Return messages by their sequence; None: it has aged out, or is lost."""
        wanted = list(sequences)
        return dict(zip(wanted, await asyncio.gather(*map(self._message, wanted)), strict=True))

    async def first_now(self) -> int:
        """Return the first sequence at this moment: messages age out while others are read."""
        return (await self._context.stream_info(ENGINE_STREAM)).state.first_seq

    async def disagreement(self, mark: EngineMark | None, read_up_to: int) -> str | None:
        """Return in which way the stream is not the one that was read up to a sequence; None: it is.

        `mark`: a message of it; None: none is known.
        """
        if mark is not None and mark.stream_created != self._created:
            return f"expected the stream ENGINE made at {mark.stream_created}, found one of {self._created}"
        if self.last < read_up_to:
            return (
                f"expected {read_up_to} or more messages of stream ENGINE, found {self.last}: it was cut off"
            )
        if mark is None or mark.sequence < self.first or mark == self._known:
            return None
        found = await self._message(mark.sequence)
        if found is not None and _digest(found) == mark.digest:
            self._known = mark
            return None
        if found is None and mark.sequence < await self.first_now():
            return None  # it has aged out just now
        what = "a hole" if found is None else "another one"
        return f"expected message {mark.sequence} of stream ENGINE as it was read, found {what}"

    async def _message(self, sequence: int) -> RawStreamMsg | None:
        try:
            return await self._context.get_msg(ENGINE_STREAM, seq=sequence)
        except nats.js.errors.NotFoundError:
            return None


async def open_engine_stream(client: Client) -> EngineStream:
    """Ask for the stream's state.

    Raises:
        nats.errors.Error: no answer.

    """
    context = client.jetstream()
    return EngineStream(context, await context.stream_info(ENGINE_STREAM))


def _digest(message: RawStreamMsg) -> str:
    return sha256(f"{message.subject}\n".encode() + (message.data or b"")).hexdigest()[:16]
