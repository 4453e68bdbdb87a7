"""A server's answers, kept: what is pinned to validated ledgers never changes, so nobody asks for it twice.

A comparison that was interrupted asks the same again, and goes on where it was.
"""

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from console.errors import BadOption
from ledger_client import LedgerServer

_NOT_PINNED = frozenset({"server_info"})


def default_cache() -> Path:
    """Return where answers are kept: the user's cache directory."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "fillproof" / "answers.sqlite"


class RememberingServer:
    """A server that is asked at most so often a second, and never the same twice (see `LedgerServer`)."""

    def __init__(
        self,
        server: LedgerServer,
        cache: Path,
        requests_a_second: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`cache`: the file in which answers are kept; `clock` gives seconds.

        Raises:
            BadOption: the file can't be used.

        """
        self.asked = 0
        self._server = server
        self._pause = 1 / requests_a_second
        self._clock = clock
        self._next = clock()
        try:
            cache.parent.mkdir(parents=True, exist_ok=True)
            self._kept = sqlite3.connect(cache, isolation_level=None)
            self._kept.execute(
                "CREATE TABLE IF NOT EXISTS answer (question BLOB PRIMARY KEY, result BLOB NOT NULL)"
            )
        except (OSError, sqlite3.Error) as error:
            raise BadOption(f"expected a file for answers at {cache}, found: {error}") from error

    @property
    def name(self) -> str:
        """What messages call it."""
        return self._server.name

    async def request(self, method: str, /, **params: object) -> msgspec.Raw:
        """Return what is kept, else ask."""
        if method in _NOT_PINNED:
            return await self._ask(method, params)
        question = msgspec.json.encode([self.name, method, dict(sorted(params.items()))])
        kept = self._kept.execute("SELECT result FROM answer WHERE question = ?", (question,)).fetchone()
        if kept is not None:
            return msgspec.Raw(kept[0])
        result = await self._ask(method, params)
        self._kept.execute("INSERT OR REPLACE INTO answer VALUES (?, ?)", (question, bytes(result)))
        return result

    async def _ask(self, method: str, params: dict[str, object]) -> msgspec.Raw:
        now = self._clock()
        if now < self._next:
            await asyncio.sleep(self._next - now)
        self._next = max(now, self._next) + self._pause
        self.asked += 1
        return await self._server.request(method, **params)

    async def close(self) -> None:
        """Close the connection and the file."""
        self._kept.close()
        await self._server.close()
