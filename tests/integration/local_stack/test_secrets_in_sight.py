"""Passwords of the local stack: none stands in a process's environment or on its command line."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import pytest

from console.stack import local_stack, start_audit_writer

pytestmark = pytest.mark.stack


class Watch:
    """Environments and command lines, read from /proc, of the processes that start meanwhile."""

    def __init__(self) -> None:
        self.seen: dict[tuple[int, str], str] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        before = set(Path("/proc").iterdir())
        while not self._ended.wait(0.01):
            for process in set(Path("/proc").iterdir()) - before:
                if process.name.isdigit():
                    self._note(process)

    def _note(self, process: Path) -> None:
        for file in ("environ", "cmdline"):
            with contextlib.suppress(OSError):  # it has ended, or is another user's
                text = (process / file).read_bytes().decode(errors="replace")
                self.seen[int(process.name), f"{file} of {text.partition(chr(0))[0]}"] = text


def test_no_password_is_in_an_environment_or_on_a_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILLPROOF_DATABASE_URL", "postgresql://somebody:else@127.0.0.1:9/where")
    with Watch() as watch, local_stack(data_dir=None, nats_port=0, postgres_port=0) as stack:
        writer = start_audit_writer(stack)  # with the stack's address, not the one that was set
        passwords = {
            urlsplit(stack.postgres_dsn(role)).password
            for role in ("owner", "audit_writer", "grafana_reader", "metrics_reader")
        } | {(stack.log_dir.parent / "postgres" / "password").read_text()}
    assert len(passwords) == 5
    texts = [text for (pid, _), text in watch.seen.items() if pid == writer.pid]
    assert any("audit_writer" in text for text in texts), "the watch has seen the writer"
    assert any("audit_writer.prepare" in text for text in watch.seen.values())
    shown = {place for (_, place), text in watch.seen.items() if any(str(one) in text for one in passwords)}
    assert shown == set()
