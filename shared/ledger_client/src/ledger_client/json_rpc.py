"""An XRP Ledger server over JSON-RPC (http, https), on one connection that is kept alive."""

import httpx
import msgspec

from ledger_client.envelope import API_VERSION, decode, result_of, server_name
from ledger_client.server import Answer, Overloaded, ProtocolViolation, Unreachable

_OVERLOADED = frozenset({httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.TOO_MANY_REQUESTS})
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

    async def request(self, method: str, /, **params: object) -> Answer:
        """Ask, and return the `result` (see `LedgerServer`)."""
        body = msgspec.json.encode({"method": method, "params": [{**params, "api_version": API_VERSION}]})
        try:
            response = await self._client.post(
                self._url, content=body, headers={"Content-Type": "application/json"}
            )
        except httpx.TimeoutException as error:
            raise Unreachable(self._name, f"{method}: no answer within {self._timeout:g} s") from error
        except httpx.HTTPError as error:
            raise Unreachable(self._name, f"{method}: {error or type(error).__name__}") from error
        found = f"{method}: HTTP status {response.status_code}: {response.text[:80].strip()}"
        if response.status_code in _OVERLOADED:
            raise Overloaded(self._name, found)
        if response.status_code in _UNREACHABLE:
            raise Unreachable(self._name, found)
        if response.status_code != httpx.codes.OK:
            raise ProtocolViolation(self._name, f"expected HTTP status 200, found {found}")
        return result_of(self._name, method, decode(self._name, response.content))

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()
