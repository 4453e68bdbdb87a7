"""A service's broker: its connection to NATS survives the server's absence and never spins."""

from __future__ import annotations

import logging
import os

import structlog
from fast_depends.msgspec import MsgSpecSerializer
from faststream.nats import NatsBroker
from faststream.security import BaseSecurity

from service_kit.bus_access import BusAccess
from service_kit.connection import answer_of
from service_kit.errors import FAILURE_STATUS
from service_kit.nats_urls import addresses_of, inbox_of, servers_of
from service_kit.settings import load_settings
from service_kit.tracing import NO_TRACING, Tracing

SERIALIZER = MsgSpecSerializer()
"""Events are msgspec structs, on the bus and in handlers."""
NAMED_URL = "nats://localhost:4222"
"""What the contract names as the server: the true URL may hold a password."""
PING_SECONDS = 5
"""A server that leaves two unanswered is gone: a cut network does not close its connections."""
GRACE_SECONDS = 6.0
"""How long running handlers may take to finish when the service stops."""

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
    await answer_of(broker.connect, urls)
