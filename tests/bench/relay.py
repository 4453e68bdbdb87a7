"""A way to a server over which every byte takes longer, as over a distance: throughput stays as it is."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_PIECE = 2**16


@asynccontextmanager
async def relayed(url: str, *, round_trip: float) -> AsyncIterator[str]:
    """Serve on a free port and give the URL; each way takes half of `round_trip` (seconds) longer."""
    target = urlsplit(url)

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward, back = await asyncio.open_connection(target.hostname, target.port)
        delay = round_trip / 2
        with suppress(asyncio.CancelledError):
            await asyncio.gather(_forward(reader, back, delay), _forward(onward, writer, delay))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"{target.scheme}://127.0.0.1:{port}"
    finally:
        server.close()


async def _forward(source: asyncio.StreamReader, sink: asyncio.StreamWriter, delay: float) -> None:
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    delivering = asyncio.create_task(_deliver(under_way, sink))
    with suppress(OSError):
        while piece := await source.read(_PIECE):
            under_way.put_nowait((time.perf_counter() + delay, piece))
    under_way.put_nowait((time.perf_counter() + delay, b""))
    await delivering


async def _deliver(under_way: asyncio.Queue[tuple[float, bytes]], sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while True:
            due, piece = await under_way.get()
            await asyncio.sleep(due - time.perf_counter())
            if not piece:
                break
            sink.write(piece)
            await sink.drain()
    sink.transport.abort()
