"""Whether every message of stream ORDERS was stored: what the bus or the database has lost is named."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn

import structlog

from audit_writer.metrics import Metrics
from audit_writer.ports import MissingMessages, Store, StoreUnavailable, StreamState

LOOK_SECONDS = 1.0
"""Messages that come and are gone between two looks are noticed by nobody."""
UNKNOWN = float("nan")

log = structlog.stdlib.get_logger("audit_writer.sequences")


class SequenceWatch:
    """Holds the sequences that are stored against those that the consumer is done with."""

    def __init__(
        self, state: Callable[[], Awaitable[StreamState | None]], store: Store, metrics: Metrics
    ) -> None:
        """Know where the stream's state comes from, and where its messages are stored."""
        self._state = state
        self._store = store
        self._metrics = metrics
        self._metrics.missing.set(UNKNOWN)
        self._known: list[MissingMessages] = []
        self._newest: StreamState | None = None
        """The state with the highest sequence that the stream was seen to have."""

    async def run(self, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> NoReturn:
        """Look for ever."""
        while True:
            await self.look()
            await pause(LOOK_SECONDS)

    async def look(self) -> None:
        """Count what is missing, and say in the log what is newly so."""
        # the consumer first: what it is done with by now was stored before
        state = await self._state()
        if state is None:
            return
        try:
            if self._was_cut_off(state) and self._newest is not None:
                await self._store.watch(self._newest)  # which the store may not have been told
            missing = list(await self._store.watch(state))
        except StoreUnavailable as error:
            if not self._was_cut_off(state):
                self._newest = state
            log.debug("not known whether messages are missing", error=str(error))
            return
        self._newest = state
        self._metrics.missing.set(sum(one.last_sequence - one.first_sequence + 1 for one in missing))
        for one in missing:
            if one not in self._known:
                log.error(
                    "messages were lost before they were stored: fillproof refill",
                    stream=state.stream,
                    sequences=f"{one.first_sequence}-{one.last_sequence}",
                    ledgers=f"{one.first_ledger or 'the first'}-{one.last_ledger or 'the newest'}",
                )
        self._known = missing

    def _was_cut_off(self, state: StreamState) -> bool:
        newest = self._newest
        return (
            newest is not None
            and newest.identity == state.identity
            and newest.last_sequence > state.last_sequence
        )
