"""A replay node in a process of its own, as the commands under test meet it."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import Request, urlopen

from replaying import recorded, session_path
from running_command import first_line, running
from waiting import limit


class RunningNode:
    """Its ledgers close when the test says so."""

    def __init__(self, url: str, process: subprocess.Popen[str]) -> None:
        self.url = url
        self._process = process

    def end(self) -> None:
        """End the node; a second time nothing happens."""
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(limit()) == 0

    def close_ledger(self) -> None:
        body = json.dumps({"method": "ledger_accept", "params": [{}]}).encode()
        with urlopen(Request(self.url, body), timeout=limit()) as answer:  # noqa: S310 - our own node
            assert json.load(answer)["result"]["status"] == "success"


@contextmanager
def running_node(session: str, *options: str, closed: bool = False) -> Iterator[RunningNode]:
    """Run one on a recorded session until the block ends; `closed`: with all its ledgers closed."""
    command = [sys.executable, "-m", "replay_node", str(session_path(session)), "--pace", "manual", *options]
    with running(command, stderr=subprocess.STDOUT) as process:
        node = RunningNode(json.loads(first_line(process))["url"], process)
        for _ in recorded(session).ledgers[1:] if closed else ():
            node.close_ledger()
        yield node
        node.end()
