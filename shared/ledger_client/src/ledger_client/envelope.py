"""The envelope of an answer: what stands around its `result`, the same for both transports."""

from typing import Any

import msgspec

from ledger_client.repeated_members import repeats_a_member
from ledger_client.server import (
    InvalidRequest,
    Overloaded,
    ProtocolViolation,
    Refused,
    ServerError,
    Unreachable,
)

API_VERSION = 2
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, ArithmeticError, RecursionError)
"""What decoding raises on an answer that is not what it should be, or that is made to do harm."""
LAST_LEDGER = 2**32 - 1
"""Of all ledgers that there can be: an index has 32 bits."""
MAX_ANSWER = 32 * 2**20
"""Bytes of one answer; the largest ledgers take a few MB."""

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
_SHOWN = 200
"""Bytes of a strange answer that an error shows."""


class Statement(msgspec.Struct, gc=False):
    """What an answer says of itself. Over JSON-RPC it stands inside `result`, over WebSocket beside it."""

    status: Any = None
    warning: Any = None
    error: Any = None
    error_message: Any = None
    error_exception: Any = None


class Envelope(Statement, gc=False):
    """One message of a server: an answer, or over WebSocket what a stream tells."""

    result: msgspec.Raw = msgspec.Raw()
    id: Any = None
    type: Any = None
    ledger_index: Any = None
    """Of a stream's message about a ledger."""


class _JsonRpcAnswer(Statement, kw_only=True, gc=False):
    result: dict[str, msgspec.Raw]


_SUCCESS = {"status": msgspec.Raw(b'"success"')}
_JSON_RPC = msgspec.json.Decoder(_JsonRpcAnswer)
_ENVELOPE = msgspec.json.Decoder(Envelope)
_STATEMENT = msgspec.json.Decoder(Statement)


def read_envelope(server: str, payload: bytes | str) -> Envelope:
    """Read the envelope of one message; its `result` is not looked into.

    Raises:
        ProtocolViolation: if it is no JSON object.

    """
    try:
        return _ENVELOPE.decode(payload)
    except UNREADABLE as error:
        raise ProtocolViolation(
            server, f"expected a JSON object, found {payload[:_SHOWN]!r} ({error})"
        ) from error


def result_of(server: str, method: str, envelope: Envelope) -> msgspec.Raw:
    """Return the result of an answer, or raise what it says instead.

    Raises:
        ServerError: one of its kinds, by who is at fault.

    """
    result = envelope.result
    if envelope.error is not None:
        raise _error(server, method, envelope)
    # An answer over WebSocket has said already how it went
    inner = envelope if envelope.status == "success" else _inner(server, method, result)
    if inner.error is not None:
        raise _error(server, method, inner)
    if "load" in (envelope.warning, inner.warning):
        raise Overloaded(server, f"{method}: the server warns that our load is close to its limit")
    if inner.status != "success":
        raise ProtocolViolation(
            server, f"{method}: expected a result with status success, found {bytes(result)[:_SHOWN]!r}"
        )
    _check_members(server, method, result)
    return result


def json_rpc_result(server: str, method: str, payload: bytes) -> msgspec.Raw:
    """Return the result of an answer over JSON-RPC, or raise what it says instead.

    What the answer says of itself stands inside the result there: one pass takes the result apart, so that
    the transactions in it are not read a second time to find that.

    Raises:
        ServerError: one of its kinds, by who is at fault.

    """
    try:
        answer = _JSON_RPC.decode(payload)
    except UNREADABLE:
        return result_of(server, method, read_envelope(server, payload))
    parts = answer.result
    said = {name: parts[name] for name in Statement.__struct_fields__ if name in parts}
    if answer.error is not None or answer.warning is not None or said != _SUCCESS:
        return result_of(server, method, read_envelope(server, payload))
    _check_members(server, method, payload)
    return msgspec.Raw(msgspec.json.encode(parts))


def _check_members(server: str, method: str, document: bytes | msgspec.Raw) -> None:
    """Check that no object of an answer names a member twice.

    Raises:
        ProtocolViolation: if one does, or if it can't be read.

    """
    try:
        repeated = repeats_a_member(document)
    except UNREADABLE as error:
        raise ProtocolViolation(server, f"{method}: {error}") from error
    if repeated:
        raise ProtocolViolation(server, f"{method}: expected each member of an object once, found one twice")


def _inner(server: str, method: str, result: msgspec.Raw) -> Statement:
    try:
        return _STATEMENT.decode(result)
    except UNREADABLE as error:
        raise ProtocolViolation(
            server, f"{method}: expected an object as result, found {bytes(result)[:_SHOWN]!r} ({error})"
        ) from error


def _error(server: str, method: str, said: Statement) -> ServerError:
    code = str(said.error)
    text = f"{method}: {code}: {said.error_message or said.error_exception or 'no message'}"
    if code in _OVERLOADED:
        return Overloaded(server, text)
    if code in _LOST_THE_NETWORK:
        return Unreachable(server, text)
    if code in _OUR_FAULT:
        return InvalidRequest(server, text)
    return Refused(server, code, text)
