"""URLs of NATS, as settings and options have them: one server, or several of a cluster, comma separated."""

from __future__ import annotations

from urllib.parse import urlsplit

from service_kit.errors import Unavailable

INBOX = "_INBOX"
"""Where answers come to clients without a name."""
_EXPECTED = "expected the URL of NATS as nats://HOST:PORT, found"
NATS_PORT = 4222
"""Where a URL names no port."""
_SCHEMES = frozenset({"nats", "tls", "ws", "wss"})


def checked_urls(urls: str) -> str:
    """Return the URLs as they are, once they are found to be some.

    Raises:
        ValueError: one is none. The text does not show it: it may hold a password.

    """
    for url in servers_of(urls):
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            raise ValueError(f"{_EXPECTED} one whose host or port can't be read") from None
        if parts.scheme not in _SCHEMES or not host or any(one.isspace() for one in url):
            raise ValueError(f"{_EXPECTED} one without nats:// or without a host")
    return urls


def servers_of(urls: str) -> list[str]:
    """Return the URLs of the servers, one each."""
    return [url.strip() for url in urls.split(",")]


def addresses_of(urls: str) -> list[tuple[str, int]]:
    """Return the servers' hosts and ports, without what is secret in a URL.

    Raises:
        Unavailable: a URL is none.

    """
    try:
        checked_urls(urls)
    except ValueError as error:
        raise Unavailable(str(error)) from None
    parts = [urlsplit(url) for url in servers_of(urls)]
    return [(one.hostname or "", one.port or NATS_PORT) for one in parts]


def named(addresses: list[tuple[str, int]]) -> str:
    """Return servers as a message names them."""
    return " or ".join(f"{host}:{port}" for host, port in addresses)


def inbox_of(urls: str) -> str:
    """Return where answers to the URLs' user come: an inbox that other users may not read."""
    try:
        user = urlsplit(servers_of(urls)[0]).username
    except ValueError:
        user = None  # connecting says what is wrong with it
    return f"{INBOX}_{user}" if user else INBOX
