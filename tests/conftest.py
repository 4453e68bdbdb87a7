"""Real servers for tests: one stack for each test process, and a cheap fresh share of it for each test."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import hypothesis
import nats
import pytest
import sweeper
import waiting

from local_stack import PATIENCE, STOP, LocalStack, Role
from service_kit import StreamSettings, provision

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

TEMPLATE = "template_migrated"

collect_ignore = [] if "FILLPROOF_TEST_COMPOSE" in os.environ else ["compose"]
"""They need a Docker engine: `make test-compose` brings one where it can."""

hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")

# A shell has interrupts ignored in what it starts in the background, and so would everything that is
# started from here: tests that interrupt a process would wait for ever
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    """Give every test the machine's limit, and the run a sweeper that removes what it leaves behind."""
    if config.option.timeout is None:
        config.option.timeout = waiting.limit_of_a_test()
    if not hasattr(config, "workerinput"):
        _have_the_run_swept()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that start servers: while these wait for them, the others use the time."""
    items.sort(key=lambda item: item.get_closest_marker("stack") is None)


def _have_the_run_swept() -> None:
    """Start the sweeper and put all temporary data of the run, pytest's own too, where it sweeps."""
    run, place = uuid.uuid4().hex, tempfile.mkdtemp(prefix="fillproof-tests-")
    Path(place).chmod(0o711)  # PostgreSQL's user has to pass
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", sweeper.__file__, run, place, str(waiting.limit())],
        cwd="/",
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    os.environ[sweeper.MARK] = f"{os.environ.get(sweeper.MARK, '')} {run}"
    os.environ[PATIENCE] = os.environ[STOP] = str(waiting.limit())
    os.environ["TMPDIR"] = tempfile.tempdir = place
    # before pytest registers its own, and so after these: they still look at its directories
    atexit.register(process.communicate)


class Dsn(Protocol):
    """Gives the address of a test's own database."""

    def __call__(self, role: Role = "owner") -> str: ...


@pytest.fixture
def enterable() -> Iterator[Path]:
    """Give a directory that every user can enter, which pytest's own are not."""
    place = Path(tempfile.mkdtemp(prefix="fillproof-test-"))
    place.chmod(0o755)
    yield place
    shutil.rmtree(place)


@pytest.fixture(scope="session")
def stack() -> Iterator[LocalStack]:
    """Run a NATS and a PostgreSQL for all tests of this process: use `nats_url` and `postgres_dsn`.

    A test may kill and restart the servers; it leaves them running.
    """
    with LocalStack.start() as running:
        yield running


@pytest.fixture(autouse=True)
def _services_end_with_their_test(request: pytest.FixtureRequest) -> Iterator[None]:
    """End what a test has spawned on the stack and, as it failed or timed out, has not ended."""
    yield
    if "stack" in request.fixturenames:
        request.getfixturevalue("stack").end_services()


@pytest.fixture(scope="session")
def migrated(stack: LocalStack) -> str:
    """Return the name of a migrated database that nobody connects to: the template of the tests' own."""
    stack.create_database(TEMPLATE)
    stack.migrate(TEMPLATE)
    return TEMPLATE


@pytest.fixture
def postgres_dsn(stack: LocalStack, migrated: str) -> Iterator[Dsn]:
    """Give the address, by role, of a migrated database of the test's own; dropped afterwards."""
    name = f"test_{uuid.uuid4().hex}"
    stack.create_database(name, template=migrated)
    yield lambda role="owner": stack.postgres_dsn(role, name)
    stack.drop_database(name)


@pytest.fixture
def empty_postgres_dsn(stack: LocalStack, migrated: str) -> Iterator[Dsn]:  # noqa: ARG001 - makes the roles
    """Give the same as `postgres_dsn`, but without a single table: what a new deployment starts from."""
    name = f"test_{uuid.uuid4().hex}"
    stack.create_database(name)
    yield lambda role="owner": stack.postgres_dsn(role, name)
    stack.drop_database(name)


@pytest.fixture
async def nats_url(stack: LocalStack) -> AsyncIterator[str]:
    """Give the address of a NATS without streams; the test's streams are deleted afterwards."""
    yield stack.nats_url
    connection = await nats.connect(stack.nats_url)
    jetstream = connection.jetstream(timeout=waiting.limit())
    for stream in await jetstream.streams_info():
        await jetstream.delete_stream(str(stream.config.name))
    await connection.close()


@pytest.fixture
async def provisioned_nats_url(nats_url: str) -> str:
    """Give the address of a NATS with the project's streams, bucket and consumer, all empty."""
    connection = await nats.connect(nats_url)
    await provision(connection.jetstream(timeout=waiting.limit()), StreamSettings())
    await connection.close()
    return nats_url
