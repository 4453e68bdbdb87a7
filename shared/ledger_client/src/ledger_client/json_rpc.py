"""An XRP Ledger server over JSON-RPC (http, https), on one connection that is kept alive."""

import asyncio

import httpx
import msgspec

from ledger_client.envelope import API_VERSION, MAX_ANSWER, json_rpc_result, server_name
from ledger_client.server import Overloaded, ProtocolViolation, ServerError, Unreachable

_OVERLOADED = frozenset({httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.TOO_MANY_REQUESTS})
_SHOWN = 80
"""Bytes of a page that is no answer, as an error shows them."""
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
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreachable(self._name, f"{method}: {error or type(error).__name__}") from error
        return json_rpc_result(self._name, method, payload)

    async def _post(self, method: str, body: bytes) -> bytes:
        headers = {"Content-Type": "application/json"}
        async with self._client.stream("POST", self._url, content=body, headers=headers) as response:
            payload = bytearray()
            async for part in response.aiter_bytes():
                payload += part
                if len(payload) > MAX_ANSWER:  # some bytes on the wire may unpack to a thousand times as many
                    raise ProtocolViolation(
                        self._name, f"{method}: expected an answer of at most {MAX_ANSWER} bytes, found more"
                    )
        if response.status_code != httpx.codes.OK:
            raise self._refused(method, response.status_code, bytes(payload))
        return bytes(payload)

    def _refused(self, method: str, status: int, payload: bytes) -> ServerError:
        found = f"{method}: HTTP status {status}: {payload[:_SHOWN].decode(errors='replace').strip()}"
        if status in _OVERLOADED:
            return Overloaded(self._name, found)
        if status in _UNREACHABLE:
            return Unreachable(self._name, found)
        return ProtocolViolation(self._name, f"expected HTTP status 200, found {found}")

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()
