"""One request for many callers: whoever asks while the question is on its way gets the same answer."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class SingleFlight(Generic[K, V]):
    """The answers of the last moments. A failure is told to all who wait for it, and is not kept."""

    def __init__(self, *, keep: int, seconds: float, clock: Callable[[], float]) -> None:
        """Keep at most `keep` answers, each for so many seconds of the clock."""
        self._keep = keep
        self._seconds = seconds
        self._clock = clock
        self._asked: OrderedDict[K, tuple[float, asyncio.Future[V]]] = OrderedDict()
        self._under_way: set[asyncio.Future[V]] = set()

    async def get(self, key: K, ask: Callable[[], Awaitable[V]]) -> V:
        """Return the answer to `key`; `ask` is called only where nobody has asked lately."""
        answer = self.begin(key, ask)
        if answer.done():
            return answer.result()
        # The one who happened to ask first may be cancelled; the others still want the answer
        return await asyncio.shield(answer)

    def begin(self, key: K, ask: Callable[[], Awaitable[V]]) -> asyncio.Future[V]:
        """Return the answer to `key` as it comes; await it shielded, as others may want it too."""
        found = self._asked.get(key)
        if found is None or found[0] + self._seconds <= self._clock():
            answer = asyncio.ensure_future(ask())
            self._under_way.add(answer)
            answer.add_done_callback(lambda done: self._arrived(key, done))
            found = self._asked[key] = self._clock(), answer
            self._asked.move_to_end(key)
            if len(self._asked) > self._keep:
                self._asked.popitem(last=False)
        return found[1]

    async def get_if_asked(self, key: K) -> V | None:
        """Return the answer to `key` where it was asked for; None: it was not, or it failed."""
        at, answer = self._asked.get(key, (0.0, None))
        if answer is None or at + self._seconds <= self._clock():
            return None
        await asyncio.wait([answer])
        return None if _failed(answer) else answer.result()

    async def close(self) -> None:
        """Give up what is still on its way: whoever asked first may be gone long since."""
        under_way = list(self._under_way)
        for answer in under_way:
            answer.cancel()
        if under_way:
            await asyncio.wait(under_way)

    def _arrived(self, key: K, answer: asyncio.Future[V]) -> None:
        self._under_way.discard(answer)
        if _failed(answer) and self._asked.get(key, (0.0, None))[1] is answer:
            del self._asked[key]


def _failed(answer: "asyncio.Future[V]") -> bool:
    return answer.cancelled() or answer.exception() is not None
