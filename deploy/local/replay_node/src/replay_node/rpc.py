"""JSON-RPC over HTTP: `{"method", "params": [{...}]}` gives `{"result": {..., "status"}}`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from aiohttp import web

from replay_node.request import Request

if TYPE_CHECKING:
    from replay_node.node import Node
    from replay_node.session import Json

_API_VERSIONS = (1, 2)
_STATUS_PAGE = (
    "<!DOCTYPE html><html><head><title>Test page for replay_node</title></head>"
    "<body><h1>Test</h1><p>This page shows replay_node http connectivity is working.</p></body></html>"
)


class BadRequest(Exception):
    """A body that is no request; the node answers HTTP 400 with the text."""


def api_version_of(params: Json) -> int | None:
    """Return the api_version of a request, 1 by default; None where the node serves no such version."""
    version = params.get("api_version", 1)
    return version if version in _API_VERSIONS and not isinstance(version, (bool, float)) else None


async def answer_post(node: Node, http: web.Request) -> web.Response:
    """Answer one JSON-RPC request; errors of the request are in the result, with HTTP 200."""
    try:
        request = _parse(node, await http.read())
    except BadRequest as error:
        return web.Response(status=400, text=f"{error}\r\n")
    if node.overloaded(request.command):
        return web.Response(status=503, text="Server is overloaded\r\n")
    result = node.answer(request)
    answered = result | {"status": "error" if "error" in result else "success"}
    if "error" in result:
        answered["request"] = request.params
    if node.warns(request.command):
        answered["warning"] = "load"
    node.answered(request, result)
    reply = {"result": answered} | {
        name: request.params[name] for name in ("id", "jsonrpc", "ripplerpc") if name in request.params
    }
    return web.Response(body=msgspec.json.encode(reply), content_type="application/json")


def status_page() -> web.Response:
    """Answer a plain GET as the real node does."""
    return web.Response(text=_STATUS_PAGE, content_type="text/html")


def published_list(node: Node, http: web.Request) -> web.Response | None:
    """Answer `/vl/<publisher's key>` with the list of validators, as a real node's peer port does."""
    if http.path != f"/vl/{node.validators.publisher}":
        return None
    return web.Response(body=msgspec.json.encode(node.validators.document), content_type="application/json")


def _parse(node: Node, body: bytes) -> Request:
    try:
        call = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise BadRequest(f"Unable to parse request: {error}") from error
    if not isinstance(call, dict) or not call:
        raise BadRequest("Unable to parse request: ")
    params = _params(call)
    version = api_version_of(params)
    if version is None:
        raise BadRequest("invalid_API_version")
    method = call.get("method")
    if method is None:
        raise BadRequest("Null method")
    if not isinstance(method, str):
        raise BadRequest("method is not string")
    if not method:
        raise BadRequest("method is empty")
    return Request(node=node, command=method, params=params | {"command": method}, api_version=version)


def _params(call: Json) -> Json:
    given = call.get("params") or [{}]
    if not isinstance(given, list) or len(given) != 1 or not isinstance(given[0] or {}, dict):
        raise BadRequest("params unparsable")
    params: Json = given[0] or {}
    return params
