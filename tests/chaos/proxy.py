"""A way to a server that can be made slow, or cut, while everything else stays as it is."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from types import TracebackType

CHUNK_BYTES = 4_096


class Proxy:
    """Forwards TCP to a server, in a thread of its own; a context manager."""

    def __init__(self, target_url: str, *, port: int = 0) -> None:
        """`port`: where it listens; 0: at any free one."""
        target = urlsplit(target_url)
        self._scheme = target.scheme
        self._target = (target.hostname, target.port)
        self._port = port
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self.delay = 0.0
        """Seconds that every piece of at most 4 kB takes longer."""
        self.url = ""

    def __enter__(self) -> Self:
        self._thread.start()
        port = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        self.url = f"{self._scheme}://127.0.0.1:{port}"
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self) -> None:
        """Abort every connection."""
        self._loop.call_soon_threadsafe(self._abort)

    def _abort(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _listen(self) -> int:
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", self._port)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _end(self) -> None:
        self._server.close()
        self._abort()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            onward, back = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, back}
        # asyncio logs what its server's handlers are cancelled with; an end of ours is no news
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(self._forward(reader, back), self._forward(onward, writer))
        self._writers -= {writer, back}

    async def _forward(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while piece := await source.read(CHUNK_BYTES):
                await asyncio.sleep(self.delay)
                sink.write(piece)
                await sink.drain()
        except OSError:
            pass
        finally:
            sink.transport.abort()
