"""A hostile server beside the honest one: it lies, is stuck, has no end or drips, and knows what is true."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import threading
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import ClientSession, WSMsgType, web
from waiting import limit

from order_events import Malformed, decode_announcement

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

Json = dict[str, Any]
LEVELS = 300_000
SECONDS_A_BYTE = 0.1
AHEAD = 200
"""Ledgers that a liar claims to have beyond the newest one."""
_DEEP = b'{"result":{"status":"success","info":' + b"[" * LEVELS + b"]" * LEVELS + b"}}"
_BOMB = gzip.compress(b'{"result":{"status":"success","text":"' + b"x" * 100 * 2**20 + b'"}}')
LYING, STUCK, ENDLESS, DRIPPING = "a lying server", "a stuck server", "an endless server", "a dripping server"
HOSTILE = {
    LYING: "numbers that are none, 300,000 levels, 200 ledgers too many, another network, 100 MB in 100 kB",
    STUCK: "answers, and never has a new ledger; its stream is silent",
    ENDLESS: "pages whose markers lead nowhere, a body that goes on",
    DRIPPING: f"a byte each {SECONDS_A_BYTE:g} s",
}
"""What each does, by its name in the table of faults."""


class HostileServer:
    """Stands before an honest node, whose answers it asks for and spoils; in a thread of its own."""

    def __init__(self, kind: str, honest: str, seed: int) -> None:
        """`kind`: one of `HOSTILE`; `honest`: the URL of the node."""
        self._answer: Callable[[web.Request, str, Json], Awaitable[web.StreamResponse]] = {
            LYING: self._lie,
            STUCK: self._repeat,
            ENDLESS: self._go_on,
            DRIPPING: self._drip,
        }[kind]
        self._honest = honest
        self._chance = Random(seed)  # noqa: S311 - draws lies, no secret
        self._first_info: Json | None = None
        self._pages = 0
        self._loop = asyncio.new_event_loop()
        self._up: asyncio.Future[str] = self._loop.create_future()
        self._end = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(
            target=self._loop.run_until_complete, args=(self._serve(),), daemon=True
        )
        self.asked = 0
        """Requests so far."""
        self._thread.start()
        assert self._ready.wait(limit()), "expected the hostile server to listen"

    def end(self) -> None:
        """End it, whatever it is in the middle of."""
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(limit())

    @property
    def address(self) -> str:
        """Host and port."""
        return self._up.result()

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        application = web.Application()
        application.add_routes([web.post("/{path:.*}", self._post), web.get("/{path:.*}", self._listen)])
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0, handler_cancellation=True)
        await runner.setup()
        async with ClientSession() as self._client:
            try:
                await web.TCPSite(runner, "127.0.0.1", 0).start()
                host, port = runner.addresses[0][:2]
                self._up.set_result(f"{host}:{port}")
                self._ready.set()
                await self._end.wait()
            finally:
                await runner.cleanup()

    async def _post(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        asked = json.loads(await request.read())
        with contextlib.suppress(ConnectionError):
            return await self._answer(request, asked["method"], asked["params"][0])
        return web.Response(status=400)

    async def _listen(self, request: web.Request) -> web.StreamResponse:
        """Take a WebSocket's first message and tell it of ledgers that there are none of."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                asked = json.loads(message.data)
                answer = {"id": asked["id"], "type": "response", "status": "success", "result": {}}
                await socket.send_str(json.dumps(answer))
                for text in _NOISE:
                    await socket.send_str(text)
        return socket

    async def _true(self, method: str, params: Json) -> Json:
        body = {"method": method, "params": [params]}
        async with self._client.post(self._honest, data=json.dumps(body)) as answer:
            found: Json = json.loads(await answer.read())
            return found

    async def _lie(self, _request: web.Request, method: str, params: Json) -> web.StreamResponse:
        answer = await self._true(method, params)
        lie = self._chance.choice(_LIES.get(method, _LIES[""]))
        return _said(lie(answer))

    async def _repeat(self, _request: web.Request, method: str, params: Json) -> web.StreamResponse:
        answer = await self._true(method, params)
        if method == "server_info":
            self._first_info = self._first_info or answer
            answer = self._first_info
        return _said(answer)

    async def _go_on(self, request: web.Request, method: str, params: Json) -> web.StreamResponse:
        answer = await self._true(method, params)
        if method in {"account_tx", "account_lines", "account_offers"} and "error" not in answer["result"]:
            rows = {"account_tx": "transactions", "account_lines": "lines", "account_offers": "offers"}[
                method
            ]
            self._pages += 1
            return _said({"result": {**answer["result"], rows: [], "marker": f"page {self._pages}"}})
        if method == "ledger":
            return await _write_for_ever(request, b" " * 65_536, 0.01)
        return _said(answer)

    async def _drip(self, request: web.Request, method: str, params: Json) -> web.StreamResponse:
        written = json.dumps(await self._true(method, params)).encode()
        response = web.StreamResponse()
        await response.prepare(request)
        for byte in written:
            await response.write(bytes([byte]))
            await asyncio.sleep(SECONDS_A_BYTE)
        return response


_ROWS = {"account_tx": "transactions", "account_lines": "lines", "account_offers": "offers"}


async def _write_for_ever(request: web.Request, part: bytes, pause: float) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(part)
        await asyncio.sleep(pause)


def _said(answer: Json | web.Response) -> web.Response:
    return answer if isinstance(answer, web.Response) else web.json_response(answer)


def _raw(answer: Json, path: str, value: str) -> web.Response:
    """Write an answer with something at a place that no JSON library would write there."""
    *inner, last = path.split(".")
    spoiled = json.loads(json.dumps(answer))
    place = spoiled["result"]
    for name in inner:
        place = place.get(name, {})
    place[last] = "@"
    return web.Response(text=json.dumps(spoiled).replace('"@"', value), content_type="application/json")


def _with(answer: Json, **changed: object) -> Json:
    return {"result": {**answer["result"], **changed}}


def _ahead(answer: Json) -> Json:
    info = answer["result"]["info"]
    newest = {**info["validated_ledger"], "seq": info["validated_ledger"]["seq"] + AHEAD}
    return _with(answer, info={**info, "validated_ledger": newest, "complete_ledgers": "1-4000000000"})


def _foreign(answer: Json) -> Json:
    return _with(answer, info={**answer["result"]["info"], "network_id": 4_000_000_000})


def _without_network(answer: Json) -> Json:
    info = {name: value for name, value in answer["result"]["info"].items() if name != "network_id"}
    return _with(answer, info=info)


_ANY: list[Callable[[Json], Json | web.Response]] = [
    lambda _: web.Response(body=_DEEP, content_type="application/json"),
    lambda _: web.Response(body=_BOMB, headers={"Content-Encoding": "gzip"}, content_type="application/json"),
    lambda _: web.Response(text="<html>busy</html>", status=503, headers={"Retry-After": "1"}),
    lambda _: web.Response(text='{"result":{"status":"success","status":"success"}}'),
    lambda _: {"result": {"status": "success"}},
]
_LIES: dict[str, list[Callable[[Json], Json | web.Response]]] = {
    "server_info": [
        lambda answer: answer,
        _ahead,
        _ahead,
        _foreign,
        _without_network,
        lambda answer: _raw(answer, "info.validated_ledger.reserve_base_xrp", "1e999999"),
        lambda answer: _raw(answer, "info.validated_ledger.reserve_inc_xrp", '"NaN"'),
        lambda answer: _raw(answer, "info.validated_ledger.seq", "1" + "0" * 400),
        *_ANY,
    ],
    "ledger": [
        lambda answer: _raw(answer, "ledger.close_time", str(2**40)),
        lambda answer: _raw(answer, "ledger.ledger_hash", '"' + "0" * 64 + '"'),
        lambda answer: _raw(answer, "ledger.ledger_index", "-1"),
        *_ANY,
    ],
    "account_tx": [
        lambda answer: _with(answer, ledger_index_min=1),
        lambda answer: _with(answer, transactions=[{"validated": False}]),
        lambda answer: _with(answer, transactions=None),
        lambda answer: _with(answer, marker={"ledger": 1, "seq": 1}),
        *_ANY,
    ],
    "": _ANY,
}
SUBJECT = "engine.order.submitted"
_NOISE = [
    '{"type":"ledgerClosed","ledger_index":4000000000,"ledger_hash":"00","txn_count":9}',
    '{"type":"transaction","validated":true,"ledger_index":4000000000,"meta":{}}',
    "{}",
]


def spoilt_announcements(good: bytes, chance: Random, count: int) -> list[bytes]:
    """Return announcements that no engine means: an honest one with members that are none, and no JSON."""
    members = list(msgspec.json.decode(good))
    values = ["NaN", "1e999999", "-1", '"\\u0000"', "[" * 1000 + "]" * 1000, '"' + "x" * 100_000 + '"', "{}"]
    made = []
    for _ in range(count):
        spoilt = msgspec.json.decode(good)
        spoilt[chance.choice(members)] = "@"
        text = json.dumps(spoilt).replace('"@"', chance.choice(values)).encode()
        made.append(chance.choice((text, text, text, good[: chance.randrange(len(good))], b"\xff\xfe", b"")))
    return [one for one in made if _is_malformed(one)]


def _is_malformed(payload: bytes) -> bool:
    try:
        decode_announcement(payload, SUBJECT, subject_without_account=True)
    except Malformed:
        return True
    return False
