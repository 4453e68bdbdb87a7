"""Opening a connection to a server by its URL."""

from collections.abc import Callable, Sequence

from ledger_client.server import LedgerServer
from ledger_client.server_urls import read_server_url
from ledger_client.stream_listener import StreamListener


def connect(
    url: str,
    *,
    on_ledger_closed: Callable[[int], None] | None = None,
    listeners: Sequence[StreamListener] = (),
    timeout: float = 10,
) -> LedgerServer:
    """Return the server at a URL: http(s):// by JSON-RPC, ws(s):// by WebSocket.

    The connection is made when the server is first asked. `on_ledger_closed` is called with the index
    of each closed ledger, and `listeners` hear their streams, over WebSocket only: JSON-RPC has no stream.
    `timeout`: seconds for an answer.

    Raises:
        ValueError: if the URL is of another kind; the text does not show it.

    """
    # Each transport is imported where it is used: a command that reads a recording needs neither
    if read_server_url(url).scheme in {"http", "https"}:
        from ledger_client.json_rpc import JsonRpcServer  # noqa: PLC0415

        return JsonRpcServer(url, timeout=timeout)
    from ledger_client.websocket import WebSocketServer  # noqa: PLC0415

    return WebSocketServer(url, on_ledger_closed=on_ledger_closed, listeners=listeners, timeout=timeout)
