"""URLs of servers, and the names that stand for them: of a URL only scheme, host and port are ever shown.

All else may be secret: user and password, a token in the path or in the query. Names are what logs, metrics,
events, messages and files call a server.
"""

from hashlib import blake2b
from urllib.parse import SplitResult, urlsplit

_SCHEMES = frozenset({"http", "https", "ws", "wss"})
_DIGEST_BYTES = 3
"""Enough to tell one operator's servers apart, too few to try passwords against."""


def read_server_url(url: str) -> SplitResult:
    """Return the parts of a server's URL.

    Raises:
        ValueError: it is none. The text does not show it: a mistyped one may hold a secret.

    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise _no_url("one whose host or port can't be read") from None
    if parts.scheme not in _SCHEMES:
        raise _no_url("one with another scheme, or with none")
    if not host:
        raise _no_url("one without a host")
    if parts.fragment or "@" in parts.path + parts.query or not url.isprintable() or " " in url:
        raise _no_url("one with a space, a # or a misplaced @")
    return parts


def server_name(url: str) -> str:
    """Return scheme, host and port of a server's URL, and a digest of the rest if there is more.

    Raises:
        ValueError: it is no URL of a server.

    """
    parts = read_server_url(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    name = f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")
    rest = f"{parts.netloc.rpartition('@')[0]}@{parts.path.rstrip('/')}?{parts.query}"
    if rest == "@?":
        return name
    return f"{name}#{blake2b(rest.encode(), digest_size=_DIGEST_BYTES).hexdigest()}"


def _no_url(found: str) -> ValueError:
    return ValueError(
        f"expected a URL as https://HOST:PORT or wss://HOST:PORT, found {found}; it is not shown, as it may "
        "hold a password: in one, write / ? # @ and : as %2F %3F %23 %40 %3A"
    )
