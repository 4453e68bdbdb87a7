"""What is common to both transports: reading an answer's envelope, naming a server."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import msgspec

from ledger_client.server import (
    Answer,
    InvalidRequest,
    Overloaded,
    ProtocolViolation,
    Refused,
    ServerError,
    Unreachable,
)

API_VERSION = 2

_decoder = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)

_OVERLOADED = frozenset({"slowDown", "tooBusy", "jsonRpcTooBusy"})
_LOST_THE_NETWORK = frozenset(
    {
        "noNetwork",
        "noCurrent",
        "noClosed",
        "notReady",
        "notSynced",
        "amendmentBlocked",
        "internal",
        "failedToForward",
    }
)
_OUR_FAULT = frozenset(
    {"invalidParams", "unknownCmd", "missingCommand", "jsonInvalid", "actMalformed", "invalid_API_version"}
)


def server_name(url: str) -> str:
    """Return the address without user, password and query, which may be secret."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}{parts.path.rstrip('/')}"


def decode(server: str, payload: bytes | str) -> dict[str, Any]:
    """Read one JSON object; fractions become Decimal.

    Raises:
        ProtocolViolation: if it is none.

    """
    try:
        return _decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ProtocolViolation(
            server, f"expected a JSON object, found {payload[:80]!r} ({error})"
        ) from error


def result_of(server: str, method: str, envelope: Mapping[str, Any]) -> Answer:
    """Return the result of an answer, or raise what it says instead.

    Over JSON-RPC an error stands inside `result`, over WebSocket beside it.

    Raises:
        ServerError: one of its kinds, by who is at fault.

    """
    result = envelope.get("result", envelope)
    if not isinstance(result, Mapping):
        raise ProtocolViolation(server, f"{method}: expected an object as result, found {result!r}")
    if "error" in result:
        raise _error(server, method, result)
    if "load" in (envelope.get("warning"), result.get("warning")):
        raise Overloaded(server, f"{method}: the server warns that our load is close to its limit")
    if "result" not in envelope or "success" not in (envelope.get("status"), result.get("status")):
        raise ProtocolViolation(server, f"{method}: expected status success, found {str(envelope)[:200]}")
    return result


def _error(server: str, method: str, result: Mapping[str, Any]) -> ServerError:
    code = str(result["error"])
    text = f"{method}: {code}: {result.get('error_message') or result.get('error_exception') or 'no message'}"
    if code in _OVERLOADED:
        return Overloaded(server, text)
    if code in _LOST_THE_NETWORK:
        return Unreachable(server, text)
    if code in _OUR_FAULT:
        return InvalidRequest(server, text)
    return Refused(server, code, text)
