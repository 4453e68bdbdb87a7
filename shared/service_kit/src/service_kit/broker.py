"""Connections to NATS that survive its absence and never spin."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from typing import TYPE_CHECKING, TypeVar

import nats
import nats.errors
import structlog
from fast_depends.msgspec import MsgSpecSerializer
from faststream.nats import NatsBroker
from faststream.security import BaseSecurity

from service_kit.bus_access import BusAccess
from service_kit.errors import Unavailable, reason_of
from service_kit.nats_urls import addresses_of, inbox_of, named, servers_of
from service_kit.settings import load_settings
from service_kit.tracing import NO_TRACING, Tracing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nats.aio.client import Client

CONNECT_SECONDS = 3.0
SERIALIZER = MsgSpecSerializer()
"""Events are msgspec structs, on the bus and in handlers."""
NAMED_URL = "nats://localhost:4222"
"""What the contract names as the server: the true URL may hold a password."""
PING_SECONDS = 5
"""A server that leaves two unanswered is gone: a cut network does not close its connections."""
GRACE_SECONDS = 6.0
"""How long running handlers may take to finish when the service stops."""
FAILURE_STATUS = 1

Connected = TypeVar("Connected")

log = structlog.stdlib.get_logger("service_kit.broker")
handlers_log = logging.getLogger("service_kit.handlers")
handlers_log.setLevel(logging.ERROR)


def make_broker(urls: str, tracing: Tracing = NO_TRACING) -> NatsBroker:
    """Return a broker that reconnects for ever, once a second, and ends the process when it can't.

    `urls`: of one server, or of several of a cluster, comma separated: it goes on with any that answers.
    A closed connection leaves a pull loop that spins for ever, so it ends the process (status 1). Handlers'
    exceptions are logged; messages are not. TLS and credentials are settings (:class:`BusAccess`).

    Raises:
        Unavailable: a URL is none.

    """
    addresses_of(urls)
    access = load_settings(BusAccess)
    tls = access.tls()

    async def error(error: Exception) -> None:
        # refused once a second while NATS is away: `disconnected` has said it
        level = logging.DEBUG if isinstance(error, OSError) else logging.WARNING
        log.log(level, "nats error", error=repr(error))

    async def disconnected() -> None:
        if broker.running:
            log.warning("nats disconnected")

    async def reconnected() -> None:
        log.warning("nats reconnected")

    async def closed() -> None:
        if broker.running:
            log.critical("nats connection closed for good: leaving the process")
            os._exit(FAILURE_STATUS)

    broker = NatsBroker(
        servers_of(urls),
        inbox_prefix=inbox_of(urls),
        security=None if tls is None else BaseSecurity(ssl_context=tls),
        user_credentials=access.credentials(),
        max_reconnect_attempts=-1,
        reconnect_time_wait=1,
        ping_interval=PING_SECONDS,
        graceful_timeout=GRACE_SECONDS,
        error_cb=error,
        disconnected_cb=disconnected,
        reconnected_cb=reconnected,
        closed_cb=closed,
        logger=handlers_log,
        middlewares=tracing.middlewares,
        serializer=SERIALIZER,
        specification_url=NAMED_URL,
        log_level=logging.DEBUG,
    )
    return broker


async def connect_broker(broker: NatsBroker, urls: str) -> None:
    """Connect before anything is served; raises Unavailable if no server answers within 3 s each."""
    await _answered(broker.connect, urls)


async def connect(urls: str) -> Client:
    """Return a plain connection, for a step that runs once; raises Unavailable within 3 s for each server."""
    access = load_settings(BusAccess)
    return await _answered(
        lambda: nats.connect(
            servers_of(urls),
            inbox_prefix=inbox_of(urls),
            tls=access.tls(),
            user_credentials=access.credentials(),
            reconnect_time_wait=1,
            error_cb=_ignore,
        ),
        urls,
    )


async def _answered(connect_once: Callable[[], Awaitable[Connected]], urls: str) -> Connected:
    addresses = addresses_of(urls)
    try:
        async with asyncio.timeout(CONNECT_SECONDS * len(addresses)):
            return await connect_once()
    except TimeoutError:
        reasons = await asyncio.gather(*(_reason(url) for url in servers_of(urls)))
        reason = "; ".join(dict.fromkeys(reasons))
    except (OSError, ValueError, nats.errors.Error) as error:
        reason = reason_of(error)
    raise Unavailable(f"expected NATS at {named(addresses)}, found: {reason}; start it or correct the URL")


async def _reason(url: str) -> str:
    """Ask a server once more, without the endless attempts that keep the reason to themselves."""
    access = load_settings(BusAccess)
    [(host, port)] = addresses_of(url)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(host, port)  # whether anybody listens at all
            writer.close()
            connection = await nats.connect(
                url,
                tls=access.tls(),
                user_credentials=access.credentials(),
                allow_reconnect=False,
                error_cb=_ignore,
            )
    except ssl.SSLError as error:
        return f"TLS fails{access.named()}: {error}"
    except TimeoutError:
        return "a server that does not answer as NATS"
    except (OSError, ValueError, nats.errors.Error) as error:
        return reason_of(error)
    await connection.close()
    return "a server that answered too late"


async def _ignore(_error: Exception) -> None:
    """Keep nats-py from logging every attempt: the last one is reported."""
