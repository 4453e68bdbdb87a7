"""A real Chromium without a window, told what to do over its own debugging protocol."""

import itertools
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import msgspec
from websockets.sync.client import ClientConnection, connect

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
WHY_NOT = "no Chromium: tests/ops/tools.sh installs it where apt-get and root are there (package chromium)"
_SECONDS = 60.0


class Page:
    """One page of the browser."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.said: list[dict[str, Any]] = []
        """Events: requests, exceptions, what the console logged."""

    def tell(self, method: str, **params: object) -> dict[str, Any]:
        """Send a command and return its result."""
        number = next(self._numbers)
        self._socket.send(msgspec.json.encode({"id": number, "method": method, "params": params}).decode())
        until = time.monotonic() + _SECONDS
        while True:
            message = msgspec.json.decode(self._socket.recv(timeout=until - time.monotonic()))
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]
            self.said.append(message)

    def evaluate(self, expression: str) -> object:
        """Return what an expression of JavaScript is worth."""
        answer = self.tell("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def open(self, path: Path, *, width: int, height: int, scheme: str) -> None:
        """Show a file at a size, in a dark or light scheme, and wait until it is loaded."""
        for domain in ("Network", "Runtime", "Log", "Page"):
            self.tell(f"{domain}.enable")
        self.tell(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        self.tell("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.said.clear()
        self.tell("Page.navigate", url=path.as_uri())
        until = time.monotonic() + _SECONDS
        while not self.evaluate(f"document.readyState === 'complete' && location.href === '{path.as_uri()}'"):
            assert time.monotonic() < until, "the page did not load"

    def requested(self) -> list[str]:
        """Return the addresses that the page asked for."""
        sent = (one["params"] for one in self.said if one.get("method") == "Network.requestWillBeSent")
        return [one["request"]["url"] for one in sent]

    def complaints(self) -> list[dict[str, Any]]:
        """Return exceptions and logged errors."""
        return [
            one for one in self.said if one.get("method") in {"Runtime.exceptionThrown", "Log.entryAdded"}
        ]


@contextmanager
def browser_page(profile: Path) -> Iterator[Page]:
    """Start Chromium with a profile of its own, and give it one page."""
    assert CHROMIUM is not None
    options = (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--disable-background-networking", "--remote-debugging-port=0", f"--user-data-dir={profile}",
    )  # fmt: skip
    running = subprocess.Popen(
        [CHROMIUM, *options, "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        port = _port(profile, running)
        with urlopen(f"http://127.0.0.1:{port}/json/list") as answer:
            pages = msgspec.json.decode(answer.read())
        address = next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page")
        with connect(address, max_size=None) as socket:
            yield Page(socket)
    finally:
        running.terminate()
        with suppress(subprocess.TimeoutExpired):
            running.wait(10)
        running.kill()
        running.wait()


def _port(profile: Path, running: "subprocess.Popen[bytes]") -> int:
    until = time.monotonic() + _SECONDS
    told = profile / "DevToolsActivePort"
    while time.monotonic() < until:
        assert running.poll() is None, "Chromium ended before it listened"
        if told.exists() and (lines := told.read_text().splitlines()):
            return int(lines[0])
        time.sleep(0.05)
    raise AssertionError("Chromium did not listen")
