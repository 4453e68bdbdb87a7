"""What the watch of sequences tells the store, and what it counts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

from audit_writer.metrics import Metrics
from audit_writer.ports import MissingMessages, Store, StoreUnavailable, StreamState
from audit_writer.sequences import SequenceWatch

if TYPE_CHECKING:
    from collections.abc import Sequence


class Watched:
    """A store that remembers what it was told, and may be away."""

    def __init__(self) -> None:
        self.told: list[int] = []
        self.away = False
        self.missing: list[MissingMessages] = []

    async def watch(self, state: StreamState) -> Sequence[MissingMessages]:
        if self.away:
            raise StoreUnavailable("away")
        self.told.append(state.last_sequence)
        return self.missing


class Stream:
    """A stream whose newest message is the one that a test says; None: NATS is away."""

    def __init__(self) -> None:
        self.last: int | None = 0
        self.identity = "a"

    async def state(self) -> StreamState | None:
        if self.last is None:
            return None
        return StreamState(stream="ORDERS", identity=self.identity, acknowledged=0, last_sequence=self.last)


async def test_a_cut_that_came_while_the_store_was_away_is_told_when_it_is_back() -> None:
    store, stream, metrics = Watched(), Stream(), Metrics()
    watch = SequenceWatch(stream.state, cast("Store", store), metrics)
    for last, away in ((10, False), (40, True), (None, True), (20, True), (20, False), (25, False)):
        stream.last, store.away = last, away
        await watch.look()
    assert store.told == [10, 40, 20, 25]
    stream.identity, stream.last = "another stream", 1
    await watch.look()
    assert store.told == [10, 40, 20, 25, 1]


async def test_what_is_missing_is_counted_and_unknown_until_the_first_look() -> None:
    store, stream, metrics = Watched(), Stream(), Metrics()
    watch = SequenceWatch(stream.state, cast("Store", store), metrics)
    count = metrics.registry.get_sample_value
    assert math.isnan(count("audit_writer_missing_messages") or 0)
    store.missing = [
        MissingMessages(first_sequence=first, last_sequence=last, first_ledger=None, last_ledger=None)
        for first, last in ((3, 3), (7, 9))
    ]
    await watch.look()
    assert count("audit_writer_missing_messages") == 4
