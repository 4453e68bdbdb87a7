"""An XRP Ledger server over JSON-RPC (http, https), on one connection that is kept alive."""

import asyncio
import zlib
from datetime import UTC, datetime

import httpx
import msgspec

from ledger_client.envelope import API_VERSION, MAX_ANSWER, json_rpc_result
from ledger_client.retry_after import seconds_to_stay_away
from ledger_client.server import Overloaded, ProtocolViolation, ServerError, Unreachable
from ledger_client.server_urls import server_name

_OVERLOADED = frozenset({httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.TOO_MANY_REQUESTS})
_SHOWN = 80
"""Bytes of a page that is no answer, as an error shows them."""
_HEADERS = {"Content-Type": "application/json", "Accept-Encoding": "gzip"}
_ENCODINGS = frozenset({"identity", "gzip"})
"""One packing at most: packed twice, a few bytes unpack to a million times as many."""
_UNREACHABLE = frozenset({httpx.codes.BAD_GATEWAY, httpx.codes.GATEWAY_TIMEOUT})


class JsonRpcServer:
    """Asks by POST. There is no stream: who uses it looks for new ledgers by itself."""

    def __init__(self, url: str, *, timeout: float = 10) -> None:
        """`timeout`: seconds to wait for a connection, and for an answer."""
        self._url = url
        self._name = server_name(url)
        self._timeout = timeout
        self._client = httpx.AsyncClient(timeout=timeout)

    @property
    def name(self) -> str:
        """The server's address, without credentials."""
        return self._name

    async def request(self, method: str, /, **params: object) -> msgspec.Raw:
        """Ask, and return the `result` (see `LedgerServer`)."""
        body = msgspec.json.encode({"method": method, "params": [{**params, "api_version": API_VERSION}]})
        try:
            async with asyncio.timeout(self._timeout):
                payload = await self._post(method, body)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise Unreachable(self._name, f"{method}: no answer within {self._timeout:g} s") from error
        except zlib.error as error:
            raise ProtocolViolation(self._name, f"{method}: expected gzip, found {error}") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreachable(self._name, f"{method}: {_told(error)}") from error
        return json_rpc_result(self._name, method, payload)

    async def _post(self, method: str, body: bytes) -> bytes:
        async with self._client.stream("POST", self._url, content=body, headers=_HEADERS) as response:
            encoding = response.headers.get("Content-Encoding", "identity")
            if encoding not in _ENCODINGS:
                raise ProtocolViolation(
                    self._name,
                    f"{method}: expected an answer packed with gzip or not at all, found {encoding}",
                )
            unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16) if encoding == "gzip" else None
            payload = bytearray()
            async for part in response.aiter_raw():
                room = MAX_ANSWER + 1 - len(payload)
                payload += part if unpacker is None else unpacker.decompress(part, room)
                if len(payload) > MAX_ANSWER:  # some bytes on the wire may unpack to a thousand times as many
                    raise ProtocolViolation(
                        self._name, f"{method}: expected an answer of at most {MAX_ANSWER} bytes, found more"
                    )
        if response.status_code != httpx.codes.OK:
            raise self._refused(method, response, bytes(payload[:_SHOWN]))
        return bytes(payload)

    def _refused(self, method: str, response: httpx.Response, shown: bytes) -> ServerError:
        status = response.status_code
        found = f"{method}: HTTP status {status}: {shown.decode(errors='replace').strip()}"
        if status in _OVERLOADED:
            away = seconds_to_stay_away(response.headers.multi_items(), datetime.now(UTC))
            return Overloaded(self._name, found, seconds_away=away)
        if status in _UNREACHABLE:
            return Unreachable(self._name, found)
        return ProtocolViolation(self._name, f"expected HTTP status 200, found {found}")

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()


def _told(error: Exception) -> str:
    """Return what went wrong; what only names a URL, ours or a proxy's, is not shown."""
    names_a_url = isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol | httpx.ProxyError)
    return type(error).__name__ if names_a_url else str(error) or type(error).__name__
