"""One recorded session through the running stack: the engine, the node and the reconciler of it."""

import asyncio
import re
from zlib import crc32

from console.announce import announce
from console.engine import engine_accounts
from console.sessions import Recording
from console.stack import metrics
from local_stack import Child, LocalStack

TAIL_BYTES = 2_000


class SessionRun:
    """One session on its way: a node that closes its ledgers and a reconciler that follows them.

    Nothing here waits: starting processes is most of the work, and other sessions go on meanwhile.
    """

    def __init__(self, recording: Recording, stack: LocalStack, *, pace: float = 0) -> None:
        """Announce the session's orders and start its node; `pace`: seconds a ledger, 0: as they are read."""
        session = recording.session
        self.last = session.ledgers[-1].ledger_index
        self.cursor = session.ledgers[0].ledger_index
        self._accounts = engine_accounts(session)
        self._label = re.sub(r"[^\w.-]", "_", session.name)  # a name for files too
        self._stack = stack
        asyncio.run(announce(session, stack.nats_url))
        arguments = (
            str(recording.path),
            "--pace",
            str(pace) if pace else "read",
            "--network-id",
            str(network_of(recording)),
        )
        self._node = stack.spawn("replay_node", *arguments, name=f"node-{self._label}")
        self._reconciler: Child | None = None

    def done(self) -> bool:
        """Go on as far as possible; whether the last ledger is folded and nothing owed."""
        self._node.check()
        if self._reconciler is None:
            node_url = _said(self._node, rb'"url":"http:([^"]+)"')
            if node_url is not None:
                self._reconciler = self._follow(f"ws:{node_url}")
            return False
        self._reconciler.check()
        url = _said(self._reconciler, rb"^listening on (\S+)")
        if url is None:
            return False
        now = metrics(url)
        validated, lag = now["reconciler_validated_ledger"], now["reconciler_cursor_lag_ledgers"]
        self.cursor = max(self.cursor, int(validated - lag))
        return self.cursor >= self.last and not now["reconciler_disappearances_owed"]

    def end(self, *, wait: bool = False) -> None:
        """Ask the session's reconciler and node to end; unless `wait`, the stack waits when it stops."""
        for child in (self._reconciler, self._node):
            if child is None:
                continue
            if wait:
                child.stop()
            else:
                child.ask_to_end()

    def log_tail(self) -> str:
        """Return the end of what the reconciler and the node have said."""
        children = [child for child in (self._reconciler, self._node) if child is not None]
        return "\n".join(f"{child.name}: {child.output()[-TAIL_BYTES:].decode()}" for child in children)

    def _follow(self, node_url: str) -> Child:
        return self._stack.spawn(
            "reconciler",
            name=f"reconciler-{self._label}",
            env={
                "FILLPROOF_NATS_URL": self._stack.nats_url,
                "FILLPROOF_XRPL_URLS": node_url,
                "FILLPROOF_ACCOUNTS": ",".join(self._accounts),
                "FILLPROOF_START_LEDGER": str(self.cursor),
            },
        )


def _said(child: Child, pattern: bytes) -> str | None:
    """Return what a child has announced on its output, None before it has."""
    found = re.search(pattern, child.output(), re.MULTILINE)
    return found[1].decode() if found else None


def network_of(recording: Recording) -> int:
    """Return a network id of the session's own, so that several recordings do not mix."""
    return crc32(recording.session.name.encode())
