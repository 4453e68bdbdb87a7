"""Servers that pack bombs, drip, never end, send us elsewhere or turn us away, over real sockets."""

import asyncio
import contextlib
import gzip
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus

import msgspec
import pytest
from aiohttp import web
from waiting import limit

from ledger_client import (
    LedgerServer,
    Overloaded,
    ProtocolViolation,
    Unreachable,
    connect,
    json_rpc,
    websocket,
)

LARGEST = 100_000
"""Bytes of one answer, in these tests."""
ANSWER = {"status": "success", "result": {"status": "success"}}


@pytest.fixture(autouse=True)
def _small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_rpc, "MAX_ANSWER", LARGEST)
    monkeypatch.setattr(websocket, "MAX_ANSWER", LARGEST)


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@contextlib.asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    application = web.Application()
    application.add_routes([web.route("*", "/{path:.*}", handler)])
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def asking(handler: Handler, scheme: str, patience: float | None = None) -> AsyncIterator[LedgerServer]:
    async with serving(handler) as address:
        server = connect(f"{scheme}://{address}", timeout=patience or limit())
        try:
            yield server
        finally:
            await server.close()


def body(size: int) -> bytes:
    return msgspec.json.encode({"result": {"status": "success", "text": "x" * size}})


def packed(size: int, *encodings: str) -> Handler:
    async def handle(_request: web.Request) -> web.StreamResponse:
        payload = body(size)
        for encoding in encodings:
            payload = gzip.compress(payload) if encoding == "gzip" else zlib.compress(payload)
        return web.Response(body=payload, headers={"Content-Encoding": ", ".join(encodings)})

    return handle


async def test_an_answer_packed_with_gzip_is_read() -> None:
    async with asking(packed(1000, "gzip"), "http") as server:
        assert b"xxx" in bytes(await server.request("ledger"))


async def test_a_few_bytes_that_unpack_to_too_many_are_refused() -> None:
    assert len(gzip.compress(body(50 * LARGEST))) < LARGEST
    async with asking(packed(50 * LARGEST, "gzip"), "http") as server:
        with pytest.raises(ProtocolViolation, match=f"at most {LARGEST} bytes"):
            await server.request("ledger")


@pytest.mark.parametrize("encodings", [("gzip", "gzip"), ("deflate",), ("br",)])
async def test_another_packing_or_one_inside_another_is_not_unpacked(encodings: tuple[str, ...]) -> None:
    async with asking(packed(1000, *encodings), "http") as server:
        with pytest.raises(ProtocolViolation, match="packed with gzip or not at all"):
            await server.request("ledger")


async def test_what_is_said_to_be_packed_and_is_not_is_the_server_s_fault() -> None:
    async def handle(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=body(10), headers={"Content-Encoding": "gzip"})

    async with asking(handle, "http") as server:
        with pytest.raises(ProtocolViolation, match="expected gzip"):
            await server.request("ledger")


def streaming(part: bytes, pause: float) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await response.write(part)
                await asyncio.sleep(pause)
        return response

    return handle


async def test_a_body_without_end_is_given_up_at_the_limit_of_bytes() -> None:
    async with asking(streaming(b" " * 10_000, 0), "http") as server:
        with pytest.raises(ProtocolViolation, match=f"at most {LARGEST} bytes"):
            await server.request("ledger")


async def test_a_body_that_drips_is_given_up_at_the_limit_of_time() -> None:
    async with asking(streaming(b" ", 0.02), "http", patience=0.3) as server:
        with pytest.raises(Unreachable, match=r"no answer within 0\.3 s"):
            await server.request("ledger")


def saying(text: bytes, times: int | None = 1) -> Handler:
    """Return a WebSocket server that answers a request with a text, so many times; None: without end."""

    async def handle(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(compress=True)
        await socket.prepare(request)
        await socket.receive()
        with contextlib.suppress(ConnectionError):
            while times is None or times > 0:
                await socket.send_str(text.decode(), compress=15)
                await asyncio.sleep(0)
                if times is not None:
                    break
            await socket.receive()
        return socket

    return handle


async def test_a_packed_message_that_unpacks_to_too_many_bytes_ends_the_connection() -> None:
    async with asking(saying(body(50 * LARGEST)), "ws") as server:
        with pytest.raises((ProtocolViolation, Unreachable), match="message too big"):
            await server.request("ledger")


async def test_messages_without_end_that_answer_nothing_are_given_up_at_the_limit_of_time() -> None:
    async with asking(saying(b'{"type":"noise"}', None), "ws", patience=0.3) as server:
        with pytest.raises(Unreachable, match=r"no answer within 0\.3 s"):
            await server.request("ledger")


def turning_away(status: HTTPStatus, **headers: str) -> Handler:
    async def handle(_request: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, headers=named, text="too many")

    return handle


NOON, LATER = "Sun, 29 Nov 2026 12:00:00 GMT", "Sun, 29 Nov 2026 12:00:30 GMT"


@pytest.mark.parametrize("scheme", ["http", "ws"])
@pytest.mark.parametrize("status", [HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE])
@pytest.mark.parametrize(
    ("said", "seconds"), [("17", 17), (LATER, 30), ("999999", 300), ("soon", None), (None, None)]
)
async def test_429_and_503_are_overload_with_the_seconds_to_stay_away(
    scheme: str, status: HTTPStatus, said: str | None, seconds: float | None
) -> None:
    headers = {} if said is None else {"Retry_After": said}
    async with asking(turning_away(status, Date=NOON, **headers), scheme) as server:
        with pytest.raises(Overloaded, match=str(status.value)) as overload:
            await server.request("server_info")
    assert overload.value.seconds_away == seconds


@pytest.mark.parametrize("scheme", ["http", "ws"])
async def test_a_server_is_not_followed_to_another_one(scheme: str) -> None:
    async with serving(packed(10, "gzip")) as elsewhere:
        handler = turning_away(HTTPStatus.FOUND, Location=f"{scheme}://{elsewhere}/t0ken")
        async with asking(handler, scheme) as server:
            with pytest.raises((ProtocolViolation, Unreachable), match="302") as refused:
                await server.request("server_info")
    assert "t0ken" not in str(refused.value)
