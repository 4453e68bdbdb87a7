"""WebSocket: `{"id", "command", ...}` gives `{"id", "type": "response", "status", "result"}`, and streams."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from replay_node.request import Request
from replay_node.rpc import api_version_of
from replay_node.streams import Subscription

if TYPE_CHECKING:
    from replay_node.node import Node
    from replay_node.session import Json, RecordedLedger

_ECHOED = ("id", "jsonrpc", "ripplerpc", "api_version")
_OVER_THRESHOLD = b"threshold exceeded"


class Connection:
    """One WebSocket: it answers requests, and a task of its own sends what streams bring."""

    def __init__(self, node: Node, socket: web.WebSocketResponse) -> None:
        self._node = node
        self._socket = socket
        self._subscription = Subscription()
        self._waiting: asyncio.Queue[Json | None] = asyncio.Queue()

    async def serve(self) -> None:
        """Answer until either side closes."""
        self._node.on_validated.add(self._publish)
        self._node.on_drop.add(self._drop)
        sender = asyncio.create_task(self._send_streams())
        try:
            async for message in self._socket:
                if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    await self._receive(message.data)
        except ConnectionError:
            pass  # the client went away in the middle of an answer
        finally:
            self._node.on_validated.discard(self._publish)
            self._node.on_drop.discard(self._drop)
            sender.cancel()
            with suppress(asyncio.CancelledError, ConnectionError):
                await sender

    def _publish(self, ledger: RecordedLedger) -> None:
        messages = list(self._node.streams.messages(ledger, self._subscription))
        for message in self._node.faults.disturb(messages):
            self._waiting.put_nowait(message)
        if self._subscription.ledger and self._subscription.transactions:
            self._node.told(ledger)

    def _drop(self) -> None:
        self._waiting.put_nowait(None)

    async def _send_streams(self) -> None:
        sent = 0
        while (message := await self._waiting.get()) is not None:
            faults = self._node.faults
            await asyncio.sleep(faults.delay)
            await self._send(message)
            sent += 1
            if faults.close_after and sent >= faults.close_after:
                break
        await self._socket.close(code=WSCloseCode.POLICY_VIOLATION, message=_OVER_THRESHOLD)

    async def _receive(self, data: str | bytes) -> None:
        asked = _parse(data)
        if asked is None:
            text = data if isinstance(data, str) else data.decode(errors="replace")
            await self._send({"type": "error", "error": "jsonInvalid", "value": text})
        else:
            await self._answer(asked)

    async def _answer(self, asked: Json) -> None:
        command = asked.get("command", asked.get("method"))
        version = api_version_of(asked)
        if version is None or not isinstance(command, str) or asked.get("method", command) != command:
            error = "invalid_API_version" if version is None else "missingCommand"
            await self._send(_envelope(asked, {"error": error, "request": asked, "status": "error"}))
            return
        if self._node.overloaded(command):
            await self._socket.close(code=WSCloseCode.POLICY_VIOLATION, message=_OVER_THRESHOLD)
            return
        request = Request(
            node=self._node,
            command=command,
            params=asked,
            api_version=version,
            subscription=self._subscription,
        )
        result = self._node.answer(request)
        # Errors stand at the top of a WebSocket's answer, results inside it.
        if "error" in result:
            reply = result | {"request": asked, "status": "error"}
        else:
            reply = {"result": result, "status": "success"}
        if self._node.warns(command):
            reply["warning"] = "load"
        await self._send(_envelope(asked, reply))
        self._node.answered(request, result)

    async def _send(self, message: Json) -> None:
        await self._socket.send_str(msgspec.json.encode(message).decode())


def _parse(data: str | bytes) -> Json | None:
    try:
        asked = msgspec.json.decode(data)
    except msgspec.DecodeError:
        return None
    return asked if isinstance(asked, dict) else None


def _envelope(asked: Json, reply: Json) -> Json:
    echoed = {name: asked[name] for name in _ECHOED if name in asked}
    return reply | echoed | {"type": "response"}
