"""Bodies that are no requests get the real node's HTTP status."""

from __future__ import annotations

import pytest
from replaying import serving


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"{nonsense", "Unable to parse request"),
        (b"[]", "Unable to parse request"),
        (b'{"params": []}', "Null method"),
        (b'{"method": 5}', "method is not string"),
        (b'{"method": ""}', "method is empty"),
        (b'{"method": "ping", "params": {}}', ""),
        (b'{"method": "ping", "params": [1, 2]}', "params unparsable"),
        (b'{"method": "ping", "params": [{"api_version": 9}]}', "invalid_API_version"),
    ],
)
async def test_a_body_that_is_no_request_is_refused_in_plain_text(body: bytes, text: str) -> None:
    async with serving("full_fill") as client, client.http.post(client.url, data=body) as answer:
        answered = await answer.text()

    if text:
        assert answer.status == 400
        assert answered.startswith(text)
    else:
        assert answer.status == 200  # empty params count as none


@pytest.mark.parametrize(
    ("method", "params", "error", "message"),
    [
        ("account_tx", {}, "invalidParams", "Missing field 'account'."),
        ("account_offers", {"account": 5}, "invalidParams", "Invalid field 'account'."),
        ("account_tx", {"account": "nonsense"}, "actMalformed", "Account malformed."),
        ("account_info", {}, "invalidParams", "Missing field 'account'."),
        ("tx", {}, "invalidParams", "Invalid parameters."),
        ("tx", {"transaction": "nonsense"}, "notImpl", "Not implemented."),
        ("ledger_entry", {}, "unknownOption", None),
        ("ledger_entry", {"offer": {"account": "nonsense", "seq": 1}}, "malformedAddress", None),
        ("ledger_entry", {"index": "nonsense"}, "malformedRequest", None),
        ("unsubscribe", {}, "invalidParams", "Invalid parameters."),
        ("ledger", {"ledger_index": 1, "full": True}, "noPermission", None),
    ],
)
async def test_a_request_with_a_wrong_field_gets_the_real_error(
    method: str, params: dict[str, object], error: str, message: str | None
) -> None:
    async with serving("full_fill") as client:
        answer = await client.rpc(method, **params)

    assert (answer["status"], answer["error"]) == ("error", error)
    if message:
        assert answer["error_message"] == message


async def test_a_browser_sees_that_the_port_is_open() -> None:
    async with serving("full_fill") as client, client.http.get(client.url) as page:
        assert page.status == 200
        assert "connectivity is working" in await page.text()
