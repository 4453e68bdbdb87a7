"""Access to the bus: its address, the engine's user, and TLS."""

import asyncio
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import nats
import nats.errors
from nats.aio.client import Client

_INBOX = "_INBOX"
_CONNECT_SECONDS = 3.0
_PAUSE_SECONDS = 1.0


class BusAccess(msgspec.Struct, frozen=True, kw_only=True):
    """Where the bus is and who the engine is there. What is None is not used."""

    url: str
    """`nats://HOST:PORT`, or `tls://HOST:PORT` where the server demands TLS."""
    user: str | None = None
    password: str | None = None
    credentials: Path | None = None
    """A `.creds` file, where the deployment gives those instead of passwords."""
    ca: Path | None = None
    """The deployment's own certificate authority (PEM); None: those that the machine trusts."""
    certificate: Path | None = None
    """The engine's certificate (PEM), where the server demands one; `key` then is its private key."""
    key: Path | None = None

    @property
    def user_name(self) -> str | None:
        """The user, also where the URL names it."""
        return self.user or urlsplit(self.url).username


class BusUnavailable(Exception):
    """The bus does not answer, or does not let the engine in. The text says which address and why."""


async def connect(access: BusAccess) -> Client:
    """Connect, and from then on reconnect for ever.

    Raises:
        BusUnavailable: nobody answers there, or the user, password or certificate is refused.

    """
    reasons: list[str] = []

    async def note(error: Exception) -> None:
        reasons.append(str(error) or type(error).__name__)

    try:
        address, user = urlsplit(access.url), access.user_name
        async with asyncio.timeout(_CONNECT_SECONDS):
            return await nats.connect(
                f"{address.scheme}://{address.netloc.rpartition('@')[2]}",
                user=user,
                password=access.password or address.password,
                user_credentials=None if access.credentials is None else str(access.credentials),
                tls=_tls(access),
                inbox_prefix=inbox_of(user),
                max_reconnect_attempts=-1,
                reconnect_time_wait=_PAUSE_SECONDS,
                error_cb=note,
            )
    except (OSError, ValueError, nats.errors.Error) as error:
        reason = next(iter(reasons), "") or str(error) or "no answer"
        raise BusUnavailable(f"expected NATS at {_without_password(access.url)}, found: {reason}") from error


def inbox_of(user: str | None) -> str:
    """Return where answers to a user come: `_INBOX_<user>` can be read by nobody else."""
    return f"{_INBOX}_{user}" if user else _INBOX


def _tls(access: BusAccess) -> ssl.SSLContext | None:
    if access.ca is None and access.certificate is None and not access.url.startswith("tls://"):
        return None
    context = ssl.create_default_context(cafile=None if access.ca is None else str(access.ca))
    if access.certificate is not None:
        context.load_cert_chain(access.certificate, access.key)
    return context


def _without_password(url: str) -> str:
    return url.partition("://")[2].rpartition("@")[2] or url
