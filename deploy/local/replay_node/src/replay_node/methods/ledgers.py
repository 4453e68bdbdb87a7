"""Ledgers: headers, transactions, the closed and the open one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replay_node.blobs import header_blob
from replay_node.errors import RpcError
from replay_node.shapes import V2
from replay_node.transactions import AppliedTransaction

if TYPE_CHECKING:
    from replay_node.chain import Lookup
    from replay_node.request import Request
    from replay_node.session import Json


def ledger(request: Request) -> Json:
    """Return a ledger's header and, where asked for, its transactions in the order of their hashes."""
    chain = request.node.chain
    if not request.params.keys() & {"ledger", "ledger_hash", "ledger_index"}:
        closed, current = chain.lookup({"ledger_index": "validated"}), chain.lookup({})
        return {
            "closed": {"ledger": _shown(request, closed)},
            "open": {"ledger": _shown(request, current)},
        }
    if request.flag("full") or request.flag("accounts"):
        raise RpcError("noPermission")
    found = chain.lookup(request.params)
    if request.flag("binary"):
        return {"ledger": _binary(request, found), **found.fields}
    shown = _shown(request, found)
    if request.flag("transactions"):
        shown["transactions"] = _transactions(request, found)
    return {"ledger": shown, **found.fields}


def ledger_closed(request: Request) -> Json:
    """Return hash and index of the last closed ledger."""
    closed = request.node.chain.lookup({"ledger_index": "closed"})
    return {name: closed.fields[name] for name in ("ledger_hash", "ledger_index")}


def ledger_current(request: Request) -> Json:
    """Return the open ledger's index."""
    return {"ledger_current_index": request.node.chain.current_index}


def _shown(request: Request, found: Lookup) -> Json:
    """Return a header; its index is a string in api_version 1 and a number from 2 on."""
    chain = request.node.chain
    if found.is_open:
        header = {"closed": False, "parent_hash": chain.hash_of(found.ledger)}
        index = chain.current_index
    else:
        header = chain.header(found.ledger)
        index = found.ledger.ledger_index
    return header | {"ledger_index": index if request.api_version >= V2 else str(index)}


def _binary(request: Request, found: Lookup) -> Json:
    """Return header and transactions as blobs, in the form of api_version 2."""
    if found.is_open or not request.flag("expand") or request.api_version < V2:
        raise RpcError("notImpl")
    shown: Json = {"closed": True, "ledger_data": header_blob(request.node.chain.header(found.ledger))}
    if request.flag("transactions"):
        shown["transactions"] = request.node.blobs(found.ledger)
    return shown


def _transactions(request: Request, found: Lookup) -> list[Json] | list[str]:
    if found.is_open:
        return []
    by_hash = sorted(found.ledger.transactions, key=lambda raw: str(raw["hash"]))
    if not request.flag("expand"):
        return [raw["hash"] for raw in by_hash]
    shapes = request.node.shapes
    return [
        shapes.in_ledger(
            AppliedTransaction(ledger=found.ledger, raw=raw, accounts=frozenset()), request.api_version
        )
        for raw in by_hash
    ]
