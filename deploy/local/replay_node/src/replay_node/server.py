"""One port for JSON-RPC and WebSocket."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from aiohttp import web

from replay_node.rpc import answer_post, published_list, status_page
from replay_node.ws import Connection

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from replay_node.node import Node

_SHUTDOWN_SECONDS = 1.0
_ANY_PATH = "/{path:.*}"
_LARGEST_REQUEST = 1_000_000


@asynccontextmanager
async def listening(node: Node, host: str, port: int) -> AsyncIterator[str]:
    """Serve the node and let its ledgers close; the value is its URL. Port 0 takes a free one.

    Raises:
        OSError: nobody can listen on that host and port.

    """

    async def post(http: web.Request) -> web.Response:
        return await answer_post(node, http)

    async def get(http: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(timeout=_SHUTDOWN_SECONDS, compress=False)
        if not socket.can_prepare(http):
            return published_list(node, http) or status_page()
        await socket.prepare(http)
        await Connection(node, socket).serve()
        return socket

    async def drop_connections(_: web.Application) -> None:
        node.drop_connections()

    application = web.Application(client_max_size=_LARGEST_REQUEST)
    application.add_routes([web.get(_ANY_PATH, get), web.post(_ANY_PATH, post)])
    application.on_shutdown.append(drop_connections)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
    await runner.setup()
    clock = asyncio.create_task(node.pace.keep(node.close_ledger))
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        node.port = runner.addresses[0][1]
        yield f"http://{host}:{node.port}"
    finally:
        clock.cancel()
        with suppress(asyncio.CancelledError):
            await clock
        await runner.cleanup()
