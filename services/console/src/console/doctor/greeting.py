"""What a NATS server says of itself before anybody logs in: its line `INFO`."""

import asyncio
import ssl
from datetime import datetime
from typing import Annotated

import msgspec

from console.doctor.encryption import end_of_certificate

_SECONDS = 5.0
_INFO = b"INFO "


class Greeting(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of `INFO` that are looked at, by NATS's names."""

    version: Annotated[str, msgspec.Meta(max_length=64)] = ""
    tls_required: bool = False
    jetstream: bool = False
    cluster: str = ""


async def greet(
    host: str, port: int, context: ssl.SSLContext | None
) -> tuple[Greeting, datetime | None] | None:
    """Return what the server says, and when its certificate ends; None: it is no NATS server, or is away.

    `context`: what TLS is made with; None: the machine's authorities.
    """
    try:
        async with asyncio.timeout(_SECONDS):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                line = await reader.readline()
                greeting = msgspec.json.decode(line.removeprefix(_INFO), type=Greeting)
                if greeting.tls_required:
                    await writer.start_tls(context or ssl.create_default_context(), server_hostname=host)
                return greeting, end_of_certificate(writer)
            finally:
                writer.transport.abort()  # an orderly end would wait for the server
    except (OSError, TimeoutError, ValueError):
        return None
