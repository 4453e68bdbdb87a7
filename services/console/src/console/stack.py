"""What `demo` and `run` have in common: the local stack with its streams, its database and its watcher."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from local_stack import Child, LocalStack
from service_kit.broker import connect
from service_kit.settings import StreamSettings
from service_kit.streams import provision

TERMINATED = 128 + signal.SIGTERM


@contextlib.contextmanager
def local_stack(*, data_dir: Path | None, nats_port: int, postgres_port: int) -> Iterator[LocalStack]:
    """Start NATS, PostgreSQL (migrated) and the audit writer; end them whatever ends us.

    Raises:
        StackError: a port is taken, a directory can't be written, a server or the writer does not start.

    """
    signal.signal(signal.SIGTERM, _terminate)
    with LocalStack.start(data_dir, nats_port=nats_port, postgres_port=postgres_port) as stack:
        stack.migrate()
        asyncio.run(_provision(stack.nats_url))
        yield stack


def start_audit_writer(stack: LocalStack) -> Child:
    """Start the audit writer and wait until it is ready."""
    writer = stack.spawn(
        "audit_writer",
        env={
            "FILLPROOF_NATS_URL": stack.nats_url,
            "FILLPROOF_DATABASE_URL": stack.postgres_dsn("audit_writer"),
        },
    )
    writer.wait_ready()
    return writer


def metrics(url: str) -> dict[str, float]:
    """Return a service's metrics that have no labels, by name."""
    with urlopen(f"{url}/metrics", timeout=5) as answer:  # noqa: S310 - our own service on the loopback interface
        text = answer.read().decode()
    return {
        sample.name: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.labels
    }


def wait_for_interrupt() -> None:
    """Wait for Ctrl-C."""
    with contextlib.suppress(KeyboardInterrupt):
        signal.pause()


async def _provision(nats_url: str) -> None:
    connection = await connect(nats_url)
    try:
        await provision(connection.jetstream(), StreamSettings())
    finally:
        await connection.close()


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(TERMINATED)
