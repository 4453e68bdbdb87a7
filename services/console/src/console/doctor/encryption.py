"""Whether a connection is encrypted, and until when the certificate of its server is valid."""

import asyncio
import ipaddress
import ssl
from datetime import UTC, datetime

from console.doctor.findings import Finding, note, well

_SOON_DAYS = 14
_SECONDS = 5.0


def encryption(part: str, host: str, ends: datetime | None, *, encrypted: bool) -> Finding:
    """Judge a connection to `host`; `ends`: when its certificate ends, None: not known."""
    if not encrypted:
        if _is_near(host):
            return well(part, "not encrypted, within this machine or a private network")
        return note(
            part,
            f"not encrypted, to {host}",
            "use TLS: without it anybody on the way can read and change what is sent",
        )
    if ends is None:
        return well(part, "encrypted")
    found = f"encrypted, the certificate ends {ends:%Y-%m-%d}"
    if (ends - datetime.now(UTC)).days < _SOON_DAYS:
        return note(part, found, "have the certificate renewed")
    return well(part, found)


async def certificate_end(host: str, port: int) -> datetime | None:
    """Connect by TLS, and return when the server's certificate ends; None: there is no such connection."""
    try:
        async with asyncio.timeout(_SECONDS):
            _, writer = await asyncio.open_connection(host, port, ssl=ssl.create_default_context())
    except (OSError, TimeoutError):
        return None
    try:
        return end_of_certificate(writer)
    finally:
        writer.close()


def end_of_certificate(writer: asyncio.StreamWriter) -> datetime | None:
    """Return when the certificate of an encrypted connection's server ends."""
    certificate = writer.get_extra_info("peercert") or {}
    if "notAfter" not in certificate:
        return None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)


def _is_near(host: str) -> bool:
    """Whether the host is in a private network: a name without a dot is a container's."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host
