"""A replay node in a process of its own, whose ledgers close when the harness says so."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

from waiting import limit

if TYPE_CHECKING:
    from pathlib import Path

    from local_stack import Child, LocalStack

READY = re.compile(rb'^{"url":"([^"]+)"', re.MULTILINE)


class Node:
    """One of the servers that the reconciler may ask."""

    def __init__(self, stack: LocalStack, session: Path, *, network_id: int, name: str) -> None:
        arguments = (str(session), "--pace", "manual", "--network-id", str(network_id))
        self._child = stack.spawn("replay_node", *arguments, name=name)
        self.url = self._child.wait_for(lambda: _announced(self._child), what="say where it listens")

    def close_ledger(self) -> None:
        """Close the next ledger."""
        self._ask("ledger_accept")

    def fault(self, **faults: object) -> None:
        """Switch faults on or off (docs/replay-node.md)."""
        self._ask("replay_fault", **faults)

    def stop(self) -> None:
        """End it."""
        self._child.stop()

    def _ask(self, method: str, **params: Any) -> None:  # noqa: ANN401 - whatever the fault takes
        body = json.dumps({"method": method, "params": [params]}).encode()
        with urlopen(Request(self.url, body), timeout=limit()) as answer:  # noqa: S310 - our own node
            result = json.load(answer)["result"]
        assert result["status"] == "success", f"{method} {params}: expected success, found {result}"


def _announced(child: Child) -> str | None:
    found = READY.search(child.output())
    return found[1].decode() if found else None
