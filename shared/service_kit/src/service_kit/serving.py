"""Run a service: serve, stop cleanly on TERM and INT, say in one line why it could not start."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING

import nats.errors
import structlog
import uvicorn
import uvloop
from faststream import apply_types
from faststream.nats import NatsBroker

from service_kit.broker import connect_broker
from service_kit.errors import FAILURE_STATUS, Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from faststream.asgi import AsgiFastStream

    from service_kit.settings import ServiceSettings

STOP_SECONDS = 8.0
"""How long a running handler and the connection get to finish; the process ends within ten."""

log = structlog.stdlib.get_logger("service_kit.serving")


class _Server(uvicorn.Server):
    """Leaves signals to the service: uvicorn would raise them again and end with another status than 0."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def run(
    app: AsgiFastStream,
    settings: ServiceSettings,
    *,
    work: Callable[..., Awaitable[None]] | None = None,
) -> int:
    """Serve `app` until TERM or INT and return the exit status.

    Once it serves, `listening on http://HOST:PORT` is printed, the only line on standard output.

    Args:
        app: from :func:`service_kit.make_app`.
        settings: where NATS is and where to serve.
        work: the service's own loop, if it has one, its parameters injected by `Context`: started with the
            broker, cancelled at the stop. If it returns or raises, the service ends.

    Returns:
        0 after a signal or after `work` returned; 1 when the service could not start.

    """
    try:
        injected = None if work is None else apply_types(work, cast=False, context__=app.context)
        uvloop.run(_serve_until_signal(app, settings, injected))
    except Unavailable as error:
        sys.stderr.write(f"{error}\n")
        return FAILURE_STATUS
    return 0


async def _serve_until_signal(
    app: AsgiFastStream,
    settings: ServiceSettings,
    work: Callable[[], Awaitable[None]] | None,
) -> None:
    service = asyncio.ensure_future(_serve(app, settings, work))
    _on_signal(service.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await service


async def _serve(
    app: AsgiFastStream,
    settings: ServiceSettings,
    work: Callable[[], Awaitable[None]] | None,
) -> None:
    with _listen(settings.http_host, settings.http_port) as listener:
        await connect_broker(_broker_of(app), settings.nats_url)
        async with app.lifespan_context(), _started(app), _http(app, listener):
            stop = asyncio.Event()
            # from here on nothing is cancelled but the work: whatever was opened is closed in order
            _on_signal(stop.set)
            host, port = listener.getsockname()[:2]
            print(f"listening on http://{host}:{port}", flush=True)  # noqa: T201 - the supervisor reads it
            await _work_until(stop, work)


def _broker_of(app: AsgiFastStream) -> NatsBroker:
    if not isinstance(app.broker, NatsBroker):
        raise TypeError(f"expected an app with a NatsBroker, found {app.broker!r}")
    return app.broker


def _on_signal(action: Callable[[], object]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, action)


async def _work_until(stop: asyncio.Event, work: Callable[[], Awaitable[None]] | None) -> None:
    stopping = asyncio.ensure_future(stop.wait())
    working = asyncio.ensure_future(work()) if work else stopping
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if stop.is_set():
        working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working
    else:
        stopping.cancel()
        await working


@contextlib.asynccontextmanager
async def _started(app: AsgiFastStream) -> AsyncIterator[None]:
    try:
        try:
            await app.start()
        except nats.errors.Error as error:
            raise Unavailable(f"NATS refuses a subscription: {error}; provision the streams first") from error
        yield
    finally:
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await app.stop()
        except (nats.errors.Error, TimeoutError) as error:
            # NATS may be away: what was not acknowledged is delivered again
            log.warning("nats did not take leave", error=repr(error))


@contextlib.asynccontextmanager
async def _http(app: AsgiFastStream, listener: socket.socket) -> AsyncIterator[None]:
    config = uvicorn.Config(
        app, lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=1
    )
    server = _Server(config)
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await asyncio.wait([serving])


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port))
    except OSError as error:
        raise Unavailable(
            f"HTTP can't be served at {host}:{port}: {os.strerror(error.errno or 0)}"
        ) from error
