"""Steering the node: the real standalone `ledger_accept`, and the switches of its faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from replay_node.request import Request
    from replay_node.session import Json

_ENVELOPE = frozenset({"api_version", "command", "id"})


def ledger_accept(request: Request) -> Json:
    """Close the next ledger; after the session's last one nothing is left to close and nothing changes."""
    request.node.close_ledger()
    return {"ledger_current_index": request.node.chain.current_index}


def replay_fault(request: Request) -> Json:
    """Set the named faults, `close_now` drops every WebSocket; the answer is the whole table of faults."""
    wanted = {name: value for name, value in request.params.items() if name not in _ENVELOPE}
    drop = wanted.pop("close_now", False)
    request.node.faults.change(wanted)
    if drop:
        request.node.drop_connections()
    return {"faults": msgspec.to_builtins(request.node.faults)}
