"""Plain connections to NATS, for commands and for steps that run once; they need no FastStream."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, TypeVar

import nats
import nats.errors

from service_kit.bus_access import BusAccess
from service_kit.errors import Unavailable, reason_of
from service_kit.nats_urls import addresses_of, inbox_of, named, servers_of
from service_kit.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nats.aio.client import Client

CONNECT_SECONDS = 3.0

Connected = TypeVar("Connected")


async def connect(urls: str) -> Client:
    """Return a plain connection, for a step that runs once; raises Unavailable within 3 s for each server."""
    access = load_settings(BusAccess)
    return await answer_of(
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


async def answer_of(connect_once: Callable[[], Awaitable[Connected]], urls: str) -> Connected:
    """Return what an attempt to connect gives; raises Unavailable, with the reason, after 3 s a server."""
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
