"""Envelopes: who is at fault, and that no number becomes a float."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ledger_client import (
    InvalidRequest,
    Overloaded,
    ProtocolViolation,
    Refused,
    ServerError,
    Unreachable,
    json_rpc_result,
    read_envelope,
    result_of,
)
from ledger_client.answers import decode

SERVER = "ws://node"

Around = Callable[..., dict[str, Any]]


def answer(method: str, envelope: dict[str, Any]) -> msgspec.Raw:
    return result_of(SERVER, method, read_envelope(SERVER, msgspec.json.encode(envelope)))


def over_json_rpc(**fields: object) -> dict[str, Any]:
    return {"result": fields}


def over_websocket(**fields: object) -> dict[str, Any]:
    return {"id": 1, "type": "response", **fields}


@pytest.mark.parametrize("envelope", [over_json_rpc, over_websocket])
@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("actNotFound", Refused),
        ("lgrNotFound", Refused),
        ("lgrIdxMalformed", Refused),
        ("txnNotFound", Refused),
        ("slowDown", Overloaded),
        ("tooBusy", Overloaded),
        ("noNetwork", Unreachable),
        ("amendmentBlocked", Unreachable),
        ("invalidParams", InvalidRequest),
        ("unknownCmd", InvalidRequest),
    ],
)
def test_an_error_says_who_is_at_fault(envelope: Around, code: str, kind: type[ServerError]) -> None:
    with pytest.raises(kind, match=f"ws://node: ledger: {code}: Text"):
        answer("ledger", envelope(error=code, error_message="Text", status="error"))


@pytest.mark.parametrize(
    "around",
    [
        {},
        {"error": "tooBusy"},
        {"warning": "load"},
        {"warnings": [{"id": 2001, "message": "a Clio server"}], "type": "response"},
    ],
)
@pytest.mark.parametrize(
    "result",
    [
        {"status": "success", "rows": [{"value": "1.50", "n": 1}]},
        {"status": "success"},
        {"status": "success", "error": None, "rows": []},
        {"status": "success", "warning": "load"},
        {"status": "error", "error": "lgrNotFound"},
        {"status": "success", "error": "actNotFound"},
        {"rows": []},
    ],
)
def test_the_one_pass_over_json_rpc_says_what_envelope_and_result_say(
    around: dict[str, Any], result: dict[str, Any]
) -> None:
    payload = msgspec.json.encode({"result": result, **around})
    assert outcome(lambda: json_rpc_result(SERVER, "ledger", payload)) == outcome(
        lambda: result_of(SERVER, "ledger", read_envelope(SERVER, payload))
    )


@pytest.mark.parametrize(
    "payload", [b"", b"[]", b"<html>", b'{"result": [1]}', b'{"result": ' + b"[" * 300_000]
)
def test_what_is_no_answer_over_json_rpc_is_the_server_s_fault(payload: bytes) -> None:
    with pytest.raises(ProtocolViolation, match="ws://node: "):
        json_rpc_result(SERVER, "ledger", payload)


def outcome(ask: Callable[[], msgspec.Raw]) -> object:
    try:
        return msgspec.json.decode(ask())
    except ServerError as error:
        return type(error), str(error)


def test_a_refusal_carries_its_code() -> None:
    with pytest.raises(Refused) as refusal:
        answer("account_info", over_websocket(error="actNotFound", status="error"))
    assert refusal.value.code == "actNotFound"


@pytest.mark.parametrize(
    "envelope",
    [
        over_websocket(result={"a": 1}, status="success", warning="load"),
        over_json_rpc(a=1, status="success", warning="load"),
    ],
)
def test_a_warning_of_our_load_is_overload(envelope: dict[str, Any]) -> None:
    with pytest.raises(Overloaded, match="load"):
        answer("ledger", envelope)


@pytest.mark.parametrize("envelope", [{}, {"result": []}, {"result": {}}, {"result": {}, "status": "odd"}])
def test_an_envelope_without_success_is_no_answer(envelope: dict[str, Any]) -> None:
    with pytest.raises(ProtocolViolation):
        answer("ledger", envelope)


class Reserve(msgspec.Struct):
    reserve: Any
    fee: Any
    seq: Any


def test_no_number_becomes_a_float() -> None:
    result = msgspec.Raw(b'{"reserve": 0.2, "fee": 1e-05, "seq": 7}')
    assert decode(SERVER, "fee", result, Reserve) == Reserve(Decimal("0.2"), Decimal("1e-05"), 7)


@pytest.mark.parametrize("result", [b'{"reserve": ' + b"[" * 300_000, b"{}", b'{"reserve": 1'])
def test_a_result_of_another_kind_is_the_server_s_fault(result: bytes) -> None:
    with pytest.raises(ProtocolViolation, match="ws://node: fee: "):
        decode(SERVER, "fee", msgspec.Raw(result), Reserve)


@pytest.mark.parametrize("payload", [b"", b"[]", b"<html>", b"\xff\xfe", b'{"a":' + b"[" * 300_000])
def test_what_is_no_json_object_is_the_server_s_fault(payload: bytes) -> None:
    with pytest.raises(ProtocolViolation, match="expected a JSON object"):
        read_envelope(SERVER, payload)
